#!/bin/sh
# Installs what building and running need and this system does not have, and says so. Usage: scripts/setup.sh run|test
set -eu

wanted=${1:-run}
say() { printf '==> %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# The oldest Rust that builds this, and the oldest PostgreSQL that runs it.
rust_needed=90
postgres_needed=15

PATH=$PATH:$HOME/.cargo/bin
if ! has cargo; then
    fail "Rust is missing. Install it (https://rustup.rs, or your system's package rustup), then try again."
fi
minor=$(cargo --version | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
[ "${minor:-0}" -ge "$rust_needed" ] || fail "Rust 1.$rust_needed or later is needed, this is $(cargo --version). Update it: rustup update stable"

# Which package manager, and what it calls things.
if has apt-get; then system=debian
elif has dnf; then system=fedora
elif has brew; then system=brew
else system=unknown
fi

# Where the server programs are, as the service itself looks for them.
server_programs() {
    for dir in "${TENANTRY_PG_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" \
        /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/bin /usr/local/bin \
        /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /opt/homebrew/bin; do
        if [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ]; then
            major=$("$dir/postgres" --version | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
            [ "${major:-0}" -ge "$postgres_needed" ] && return 0
        fi
    done
    return 1
}

libpq() { has pg_config || { has pkg-config && pkg-config --exists libpq; }; }
libpq_builds() {
    case $system in
    debian) [ -e /usr/include/postgresql/libpq-fe.h ] ;;
    fedora) [ -e /usr/include/libpq-fe.h ] ;;
    *) libpq ;;
    esac
}

missing=
need() { missing="$missing $1"; }
case $system in
debian)
    has cc || need gcc
    [ -e /usr/include/stdio.h ] || need libc6-dev
    libpq_builds || need libpq-dev
    server_programs || need postgresql
    ;;
fedora)
    has cc || need gcc
    libpq_builds || need libpq-devel
    server_programs || need postgresql-server
    ;;
brew)
    libpq || need libpq
    server_programs || need postgresql@17
    ;;
*)
    has cc || need "a C compiler"
    libpq || need "the headers of libpq"
    server_programs || need "the PostgreSQL $postgres_needed server programs"
    ;;
esac
if [ "$wanted" = test ]; then
    has chromium || has chromium-browser || has google-chrome || [ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ] || browser=missing
    has chromedriver || [ -x /usr/lib/chromium-browser/chromedriver ] || driver=missing
    case $system in
    debian)
        # Ubuntu's package of this name is a snap, which works as well where snaps do.
        if [ -n "${browser:-}" ]; then need chromium; fi
        if [ -n "${driver:-}" ]; then if [ "$(. /etc/os-release && echo "$ID")" = ubuntu ]; then need chromium-chromedriver; else need chromium-driver; fi; fi
        ;;
    fedora)
        if [ -n "${browser:-}" ]; then need chromium; fi
        if [ -n "${driver:-}" ]; then need chromedriver; fi
        ;;
    brew)
        if [ -n "${browser:-}" ]; then need chromium; fi
        if [ -n "${driver:-}" ]; then need chromedriver; fi
        ;;
    *) if [ -n "${browser:-}${driver:-}" ]; then need "Chromium and ChromeDriver"; fi ;;
    esac
fi
[ -n "$missing" ] || exit 0

case $system in
debian) install="apt-get install -y --no-install-recommends$missing" ;;
fedora) install="dnf install -y$missing" ;;
brew) install="brew install$missing" ;;
*) fail "please install, with this system's package manager:$missing" ;;
esac

as_root=
if [ "$system" != brew ] && [ "$(id -u)" -ne 0 ]; then
    has sudo || fail "something is missing. Run as root, then try again: $install"
    as_root=sudo
fi
say "installing what is missing:$missing"
if [ "$system" = debian ]; then
    $as_root apt-get update -qq
    case "$missing " in
    *" postgresql "*)
        # Debian's package makes and starts a database cluster of the system, which nobody asked for here.
        if [ ! -e /etc/postgresql-common/createcluster.conf ] && [ ! -e /etc/postgresql-common/createcluster.d ]; then
            say "telling postgresql-common not to start a database of its own (/etc/postgresql-common/createcluster.d/tenantry.conf)"
            $as_root mkdir -p /etc/postgresql-common/createcluster.d
            echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.d/tenantry.conf >/dev/null
        fi
        ;;
    esac
    say "$as_root $install"
    # shellcheck disable=SC2086 # words on purpose
    $as_root env DEBIAN_FRONTEND=noninteractive $install
else
    say "$as_root $install"
    # shellcheck disable=SC2086
    $as_root $install
fi
