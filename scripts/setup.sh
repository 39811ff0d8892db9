#!/bin/sh
# Installs what is missing to run, test or check this project, and nothing else. Says what it runs; silent when there is
# nothing to do.
#
#   scripts/setup.sh run      C compiler, libpq, PostgreSQL server programs; looks for Rust
#   scripts/setup.sh test     and Chromium with its driver, for the tests of the documentation page
#   scripts/setup.sh check    and rustfmt, clippy and cargo-deny
set -eu
cd "$(dirname "$0")/.."
. scripts/env.sh

OLDEST_POSTGRES=15
CARGO_DENY=0.20.2

usage() {
    echo "usage: scripts/setup.sh run|test|check" >&2
    exit 2
}
[ $# -eq 1 ] || usage
case $1 in run | test | check) purpose=$1 ;; *) usage ;; esac

say() { printf '%s\n' "setup: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
for_tests() { [ "$purpose" != run ]; }
on_macos() { [ "$(uname -s)" = Darwin ]; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- What is missing -----------------------------------------------------------------------------------------------

# Asked by linking a program: a compiler without the headers and start files of the C library is there, and useless.
links() {
    echo 'int main(void) { return 0; }' >"$scratch/main.c"
    # The compiler of a Mac without developer tools is a program that opens a window.
    if on_macos && ! xcode-select -p >/dev/null 2>&1; then return 1; fi
    cc -o "$scratch/main" "$scratch/main.c" "$@" >/dev/null 2>&1
}

has_compiler() { have cc && links; }

# In the places, and in the order, in which the build of pq-sys looks.
has_libpq() {
    if [ -n "${PQ_LIB_DIR:-}" ]; then
        links "-L$PQ_LIB_DIR" -lpq
    elif have pkg-config && pkg-config --exists libpq 2>/dev/null; then
        return 0
    elif have pg_config && links "-L$(pg_config --libdir 2>/dev/null)" -lpq; then
        return 0
    else
        links -lpq
    fi
}

# The major version of the server programs in a directory, nothing if there are none.
postgres_major() {
    [ -x "$1/postgres" ] && [ -x "$1/initdb" ] || return 0
    "$1/postgres" --version 2>/dev/null | sed -n 's/^[^)]*) *\([0-9][0-9]*\).*/\1/p'
}

postgres_directories() {
    if [ -n "${TENANTRY_PG_BIN:-}" ]; then
        printf '%s\n' "$TENANTRY_PG_BIN"
        return
    fi
    have pg_config && pg_config --bindir 2>/dev/null
    have postgres && dirname "$(command -v postgres)"
    for found in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql*/bin /usr/libexec/postgresql* \
        /usr/lib64/postgresql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
        /home/linuxbrew/.linuxbrew/opt/postgresql@*/bin /Applications/Postgres.app/Contents/Versions/*/bin; do
        [ -d "$found" ] && printf '%s\n' "$found"
    done
    return 0
}

has_postgres() {
    # The service needs no server programs for a database that somebody else runs; the tests always do.
    if [ "$purpose" = run ] && [ -n "${DATABASE_URL:-}${TENANTRY_DATABASE_URL:-}" ]; then return 0; fi
    postgres_directories >"$scratch/directories"
    while read -r directory; do
        major=$(postgres_major "$directory")
        if [ "${major:-0}" -ge $OLDEST_POSTGRES ]; then return 0; fi
    done <"$scratch/directories"
    return 1
}

has_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if have $name; then return 0; fi
    done
    [ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ]
}

has_driver() { have chromedriver || have chromium.chromedriver; }

look() {
    missing=
    has_compiler || missing="$missing compiler"
    has_libpq || missing="$missing libpq"
    has_postgres || missing="$missing postgres"
    if for_tests; then
        has_browser || missing="$missing browser"
        has_driver || missing="$missing driver"
    fi
}

in_words() {
    for part in $missing; do
        case $part in
            compiler) echo "  a C compiler and linker" ;;
            libpq) echo "  libpq, the client library of PostgreSQL, with what is needed to link to it" ;;
            postgres) echo "  the server programs of PostgreSQL $OLDEST_POSTGRES or later" ;;
            browser) echo "  Chromium or Chrome (for the tests)" ;;
            driver) echo "  chromedriver, of the same version as the browser (for the tests)" ;;
        esac
    done >&2
}

# --- Installing it -------------------------------------------------------------------------------------------------

# Runs a script as root, or says what to run. Whether it helped is looked at afterwards.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        say "running:"
        printf '%s\n' "$1" | sed 's/^/  /' >&2
        sh -c "$1" </dev/null || true
    elif have sudo; then
        say "running, with sudo:"
        printf '%s\n' "$1" | sed 's/^/  /' >&2
        sudo sh -c "$1" || true
    else
        say "this needs root, and there is no sudo. Run this as root, then try again:"
        printf '%s\n' "$1" | sed 's/^/  /' >&2
        exit 1
    fi
}

# $1: compiler, $2: libpq, $3: postgres, $4: browser, $5: driver, as the packages are called here
packages() {
    for part in $missing; do
        case $part in
            compiler) echo "$1" ;;
            libpq) echo "$2" ;;
            postgres) echo "$3" ;;
            browser) echo "$4" ;;
            driver) echo "$5" ;;
        esac
    done | tr '\n' ' ' | sed 's/  */ /g; s/ $//'
}

is_missing() { case " $missing " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

install_with_apt() {
    browser=chromium driver=chromium-driver snap=
    # Ubuntu's package of Chromium installs a snap, which a container or WSL often cannot run.
    if grep -qs '^ID=ubuntu' /etc/os-release && { is_missing browser || is_missing driver; }; then
        browser='' driver='' snap=1
        if ! have snap; then
            say "Ubuntu has Chromium as a snap only, and snapd is not here. Install Chrome and its chromedriver, or"
            say "snapd, and try again. (make run needs neither.)"
            exit 1
        fi
    fi
    list=$(packages "gcc libc6-dev" libpq-dev postgresql "$browser" "$driver")
    if [ -n "$list" ]; then
        install="export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install -y --no-install-recommends $list"
        if is_missing postgres; then
            # Debian's package makes a database cluster and starts it on port 5432. Nobody asked for that: the service
            # has one of its own. The file is gone afterwards, so the next installation does as usual.
            say "of PostgreSQL only the programs are wanted: no server is set up or started"
            no_cluster=/etc/postgresql-common/createcluster.d/zz-tenantry-setup.conf
            install="mkdir -p ${no_cluster%/*}
echo 'create_main_cluster = false' > $no_cluster
$install
rm -f $no_cluster"
        fi
        as_root "$install"
    fi
    if [ -n "$snap" ]; then as_root "snap install chromium"; fi
}

install_with_brew() {
    if ! links; then
        say "the compiler comes with Apple's command line tools. Run this, then try again:"
        echo "  xcode-select --install" >&2
        exit 1
    fi
    list=$(packages "" libpq "postgresql@17" "" "")
    casks=$(packages "" "" "" google-chrome chromedriver)
    if [ -n "$list" ]; then
        say "running: brew install $list"
        # shellcheck disable=SC2086 # a list of words
        brew install $list
        . scripts/env.sh
        if [ -n "${PQ_LIB_DIR:-}" ]; then
            say "make finds libpq by itself; to run cargo by hand: export PQ_LIB_DIR=$PQ_LIB_DIR"
        fi
    fi
    if [ -n "$casks" ]; then
        say "running: brew install --cask $casks"
        # shellcheck disable=SC2086 # a list of words
        brew install --cask $casks
    fi
}

install_missing() {
    say "missing:"
    in_words
    if is_missing postgres && [ -n "${TENANTRY_PG_BIN:-}" ]; then
        say "TENANTRY_PG_BIN says that they are in $TENANTRY_PG_BIN. Correct it, or unset it to have them found or installed."
        exit 1
    fi
    if on_macos; then
        if have brew; then
            install_with_brew
        else
            say "Homebrew is not here. Install it, or the above in another way, and try again."
            exit 1
        fi
    elif have apt-get; then
        install_with_apt
    elif have dnf; then
        as_root "dnf install -y $(packages gcc libpq-devel postgresql-server chromium chromedriver)"
    elif have pacman; then
        as_root "pacman -S --needed --noconfirm $(packages "gcc" postgresql-libs postgresql chromium "")"
    else
        say "this system has none of apt-get, dnf, pacman and brew. Install the above, and try again."
        exit 1
    fi
    hash -r
    look
    if [ -n "$missing" ]; then
        say "still missing after the installation:"
        in_words
        if is_missing postgres; then
            say "If this system's PostgreSQL is older than $OLDEST_POSTGRES, use the packages of the PostgreSQL project,"
            say "or set TENANTRY_PG_BIN to the directory of its programs$([ "$purpose" = run ] && echo ', or DATABASE_URL to a database')."
        fi
        exit 1
    fi
    say "everything is there"
}

# --- Rust, which people install in their own way ---------------------------------------------------------------------

rust_advice() {
    if on_macos && have brew; then
        echo "  brew install rustup && rustup default stable" >&2
    elif have apt-cache && [ -n "$(apt-cache --quiet=2 show rustup 2>/dev/null)" ]; then
        echo "  apt-get install rustup && rustup default stable     (the first as root)" >&2
    elif have dnf; then
        echo "  dnf install rustup && rustup-init     (the first as root)" >&2
    elif have pacman; then
        echo "  pacman -S rustup && rustup default stable     (the first as root)" >&2
    else
        echo "  follow https://www.rust-lang.org/tools/install" >&2
    fi
}

check_rust() {
    oldest=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml)
    if ! have cargo; then
        say "Rust ($oldest or later) is missing, and how to install it is yours to choose. For example:"
        rust_advice
        exit 1
    fi
    if ! version=$(cargo --version 2>"$scratch/said"); then
        say "cargo does not work here; it says:"
        cat "$scratch/said" >&2
        exit 1
    fi
    version=$(echo "$version" | sed 's/^cargo \([0-9]*\.[0-9]*\).*/\1/')
    if [ "${version%%.*}" -lt "${oldest%%.*}" ] || {
        [ "${version%%.*}" -eq "${oldest%%.*}" ] && [ "${version#*.}" -lt "${oldest#*.}" ]
    }; then
        say "Rust $version is here, and this needs $oldest or later. With rustup: rustup update stable. Else:"
        rust_advice
        exit 1
    fi
}

check_rust_tools() {
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        if ! have rustup; then
            say "rustfmt or clippy is missing; install both as you installed Rust"
            exit 1
        fi
        say "running: rustup component add rustfmt clippy"
        rustup component add rustfmt clippy
    fi
    if ! cargo deny --version >/dev/null 2>&1; then
        say "cargo-deny is missing (it takes some minutes); running: cargo install --locked cargo-deny@$CARGO_DENY"
        # Not in this project's own directory for what is built.
        CARGO_TARGET_DIR=$scratch/target cargo install --quiet --locked "cargo-deny@$CARGO_DENY"
    fi
}

# Rust first: it is of no use to install packages for somebody who then has to stop.
check_rust
look
[ -z "$missing" ] || install_missing
[ "$purpose" != check ] || check_rust_tools
