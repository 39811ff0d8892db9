#!/bin/sh
# Installs what is missing to run, test or check this project, and nothing else. It prints what it runs, and prints nothing if
# there is nothing to do.
#
#   scripts/setup.sh install  C compiler, libpq; checks for Rust
#   scripts/setup.sh run      also PostgreSQL server programs
#   scripts/setup.sh test     also Chromium with its driver, for the tests of pages, PgBouncer, nginx, curl and jq
#   scripts/setup.sh check    also rustfmt, clippy and cargo-deny; Node.js and Python, for generated clients and the fuzzer
#   scripts/setup.sh clients  as run; and Node.js, Python, Go and a JDK, for generated clients
#   scripts/setup.sh examples as run; and Node.js and Python, for the examples. Python brings Go, if it is missing or too old
#   scripts/setup.sh fuzz     as run; and Python with venv, for the fuzzer of the API
#   scripts/setup.sh sbom     only Rust and cargo-cyclonedx
#   scripts/setup.sh deploy   only Python with venv, for the schemas of Kubernetes
#   scripts/setup.sh lint     only Node.js with npm, and Python with venv, for the linters of the OpenAPI document
set -eu
cd "$(dirname "$0")/.."
. scripts/env.sh

OLDEST_POSTGRES=15
OLDEST_NODE=18
# The generated Python client needs it.
OLDEST_PYTHON=3.11
CARGO_DENY=0.20.2
CARGO_CYCLONEDX=0.5.9

usage() {
    echo "usage: scripts/setup.sh install|run|test|check|clients|examples|fuzz|ha|sbom|deploy|lint" >&2
    exit 2
}
[ $# -eq 1 ] || usage
case $1 in install | run | test | check | clients | examples | fuzz | ha | sbom | deploy | lint) purpose=$1 ;; *) usage ;; esac
# The oldest that the linters run on.
[ "$purpose" != lint ] || OLDEST_NODE=20

say() { printf '%s\n' "setup: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
for_tests() { [ "$purpose" = test ] || [ "$purpose" = check ]; }
for_clients() { [ "$purpose" = check ] || [ "$purpose" = clients ] || [ "$purpose" = examples ]; }
on_macos() { [ "$(uname -s)" = Darwin ]; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- What is missing -----------------------------------------------------------------------------------------------

# Tested by linking a program: a compiler without the headers and start files of the C library is useless.
links() {
    echo 'int main(void) { return 0; }' >"$scratch/main.c"
    # On a Mac without developer tools, the compiler is a program that opens a window.
    if on_macos && ! xcode-select -p >/dev/null 2>&1; then return 1; fi
    cc -o "$scratch/main" "$scratch/main.c" "$@" >/dev/null 2>&1
}

has_compiler() { have cc && links; }

# In the same places and the same order as the build of pq-sys.
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

# Prints the major version of the server programs in a directory, or nothing if there are none.
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
    # The program alone needs no server programs, nor does a service with a database URL. The tests always do.
    if [ "$purpose" = install ]; then return 0; fi
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

has_pooler() { have pgbouncer || [ -x /usr/sbin/pgbouncer ]; }

has_proxy() { have nginx || [ -x /usr/sbin/nginx ]; }

has_driver() { have chromedriver || have chromium.chromedriver; }

has_node() {
    have npm && [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge $OLDEST_NODE ]
}

# Debian's Python has no pip in a new environment until python3-venv is installed.
has_python() {
    python3 -c "import ensurepip, sys, venv; sys.exit(sys.version_info < tuple(map(int, '$OLDEST_PYTHON'.split('.'))))" \
        >/dev/null 2>&1
}

has_go() { have go; }

# On a Mac without a JDK, there is a javac that only says so.
has_jdk() { have javac && javac -version >/dev/null 2>&1; }

look() {
    missing=
    if [ "$purpose" = sbom ]; then return 0; fi
    if [ "$purpose" = deploy ]; then
        has_python || missing="$missing python"
        return 0
    fi
    if [ "$purpose" = lint ]; then
        has_node || missing="$missing node"
        has_python || missing="$missing python"
        return 0
    fi
    has_compiler || missing="$missing compiler"
    has_libpq || missing="$missing libpq"
    has_postgres || missing="$missing postgres"
    if for_tests; then
        has_browser || missing="$missing browser"
        has_driver || missing="$missing driver"
        has_pooler || missing="$missing pooler"
        has_proxy || missing="$missing proxy"
        have curl || missing="$missing curl"
        have jq || missing="$missing jq"
    fi
    if for_clients; then
        has_node || missing="$missing node"
        has_python || missing="$missing python"
    fi
    if [ "$purpose" = ha ]; then
        has_pooler || missing="$missing pooler"
        have patroni || missing="$missing patroni"
        have etcd || missing="$missing etcd"
    fi
    if [ "$purpose" = fuzz ]; then
        has_python || missing="$missing python"
    fi
    if [ "$purpose" = clients ]; then
        has_go || missing="$missing go"
        has_jdk || missing="$missing jdk"
    fi
}

in_words() {
    for part in $missing; do
        case $part in
            compiler) echo "  a C compiler and linker" ;;
            libpq) echo "  libpq, the client library of PostgreSQL, with its development files" ;;
            postgres) echo "  the server programs of PostgreSQL $OLDEST_POSTGRES or later" ;;
            browser) echo "  Chromium or Chrome (for the tests)" ;;
            driver) echo "  chromedriver, in the same version as the browser (for the tests)" ;;
            pooler) echo "  PgBouncer (for the tests)" ;;
            proxy) echo "  nginx (for the tests)" ;;
            patroni) echo "  Patroni, with its parts for etcd (for the test of a failover)" ;;
            etcd) echo "  etcd 3.4 or later (for the test of a failover)" ;;
            curl | jq) echo "  $part (for the samples of the guide)" ;;
            node) echo "  Node.js $OLDEST_NODE or later, with npm (for the generated clients and the examples)" ;;
            python) echo "  Python $OLDEST_PYTHON or later, with venv and pip (for the generated clients, the examples and the fuzzer)" ;;
            go) echo "  Go (for the generated clients)" ;;
            jdk) echo "  a JDK (for the generated clients)" ;;
        esac
    done >&2
}

# --- Installing it -------------------------------------------------------------------------------------------------

# Runs a script as root, or tells the user to. The result is checked afterwards.
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
        say "this needs root, and sudo is not installed. Run this as root, then try again:"
        printf '%s\n' "$1" | sed 's/^/  /' >&2
        exit 1
    fi
}

# $1: compiler, $2: libpq, $3: postgres, $4: browser, $5: driver, $6: node, $7: python, $8: go, $9: jdk, as this system names
# the packages. PgBouncer, nginx, curl and jq have the same name everywhere. Patroni and etcd are installed on Debian and Ubuntu alone.
packages() {
    for part in $missing; do
        case $part in
            compiler) echo "$1" ;;
            libpq) echo "$2" ;;
            postgres) echo "$3" ;;
            browser) echo "$4" ;;
            driver) echo "$5" ;;
            pooler) echo pgbouncer ;;
            proxy) echo nginx ;;
            patroni) echo patroni ;;
            etcd) echo etcd-server ;;
            curl | jq) echo "$part" ;;
            node) echo "$6" ;;
            python) echo "$7" ;;
            go) echo "$8" ;;
            jdk) echo "$9" ;;
        esac
    done | tr '\n' ' ' | sed 's/  */ /g; s/ $//'
}

is_missing() { case " $missing " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

install_with_apt() {
    browser=chromium driver=chromium-driver snap=
    # Ubuntu's Chromium package installs a snap, which often does not run in a container or in WSL.
    if grep -qs '^ID=ubuntu' /etc/os-release && { is_missing browser || is_missing driver; }; then
        browser='' driver='' snap=1
        if ! have snap; then
            say "Ubuntu has Chromium only as a snap, and snapd is not installed. Install snapd, or Chrome with its"
            say "chromedriver, and try again. (make run needs neither.)"
            exit 1
        fi
    fi
    # A Node.js from elsewhere brings its own npm, and Debian's npm conflicts with it.
    node="nodejs npm"
    if have node && have npm; then node=nodejs; fi
    list=$(packages "gcc libc6-dev" libpq-dev postgresql "$browser" "$driver" "$node" "python3 python3-venv" golang-go \
        default-jdk-headless)
    if [ -n "$list" ]; then
        install="export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install -y --no-install-recommends $list"
        if is_missing postgres; then
            # Debian's package creates a database cluster and starts it on port 5432. The service does not use it: it has its
            # own. The file is removed afterwards, so later installations behave as usual.
            say "only the PostgreSQL programs are installed: no server is set up or started"
            no_cluster=/etc/postgresql-common/createcluster.d/zz-tenantry-setup.conf
            install="mkdir -p ${no_cluster%/*}
echo 'create_main_cluster = false' > $no_cluster
$install
rm -f $no_cluster"
        fi
        services=
        is_missing patroni && services="$services patroni"
        is_missing etcd && services="$services etcd"
        if [ -n "$services" ]; then
            # Debian's packages start what they install, at once and whenever the machine starts. The tests run their own. A machine that
            # has this file already, such as a container, keeps it.
            say "only the programs of$services are installed: no service is started"
            install="policy=/usr/sbin/policy-rc.d
[ -e \$policy ] || { made=1; printf '#!/bin/sh\nexit 101\n' > \$policy; chmod +x \$policy; }
$install
[ -z \"\$made\" ] || rm -f \$policy
systemctl disable$services || true"
        fi
        as_root "$install"
    fi
    if [ -n "$snap" ]; then as_root "snap install chromium"; fi
}

install_with_brew() {
    if is_missing compiler && ! links; then
        say "the C compiler is part of Apple's command line tools. Run this, then try again:"
        echo "  xcode-select --install" >&2
        exit 1
    fi
    list=$(packages "" libpq "postgresql@17" "" "" node python go "")
    casks=$(packages "" "" "" google-chrome chromedriver "" "" "" temurin)
    if [ -n "$list" ]; then
        say "running: brew install $list"
        # shellcheck disable=SC2086 # a list of words
        brew install $list
        . scripts/env.sh
        if [ -n "${PQ_LIB_DIR:-}" ]; then
            say "make finds libpq by itself. To run cargo yourself: export PQ_LIB_DIR=$PQ_LIB_DIR"
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
        say "TENANTRY_PG_BIN is $TENANTRY_PG_BIN, and they are not there. Correct it, or unset it to find or install them."
        exit 1
    fi
    if { is_missing patroni || is_missing etcd; } && ! have apt-get; then
        say "Patroni and etcd are installed by this script on Debian and Ubuntu alone. Install what is missing of them yourself, so that"
        say "patroni and etcd are in /usr/bin, /usr/local/bin or /opt/homebrew/bin, and try again. They need not run."
        exit 1
    fi
    if on_macos; then
        if have brew; then
            install_with_brew
        else
            say "Homebrew is not installed. Install it, or install the above in another way, and try again."
            exit 1
        fi
    elif have apt-get; then
        install_with_apt
    elif have dnf; then
        as_root "dnf install -y $(packages gcc libpq-devel "postgresql-server postgresql-contrib" chromium chromedriver "nodejs npm" python3 golang \
            java-latest-openjdk-devel)"
    elif have pacman; then
        as_root "pacman -S --needed --noconfirm $(packages gcc postgresql-libs postgresql chromium "" "nodejs npm" python go \
            jdk-openjdk)"
    else
        say "this system has no apt-get, dnf, pacman or brew. Install the above yourself, and try again."
        exit 1
    fi
    hash -r
    look
    if [ -n "$missing" ]; then
        say "still missing after the installation:"
        in_words
        if is_missing postgres; then
            say "If this system's PostgreSQL is older than $OLDEST_POSTGRES, install the packages of the PostgreSQL project,"
            say "or set TENANTRY_PG_BIN to the directory of newer programs$([ "$purpose" = run ] && echo ', or DATABASE_URL to a database')."
        fi
        if is_missing node || is_missing python; then
            say "If this system's Node.js or Python is older than that, install a newer one yourself and put it first on the PATH."
        fi
        exit 1
    fi
    say "everything is installed"
}

# --- Rust, which people install in their own way ---------------------------------------------------------------------

rust_advice() {
    if on_macos && have brew; then
        echo "  brew install rustup" >&2
    elif have apt-cache && [ -n "$(apt-cache --quiet=2 show rustup 2>/dev/null)" ]; then
        echo "  apt-get install rustup     (as root)" >&2
    elif have dnf; then
        echo "  dnf install rustup && rustup-init     (run the first command as root)" >&2
    elif have pacman; then
        echo "  pacman -S rustup     (as root)" >&2
    else
        echo "  follow https://www.rust-lang.org/tools/install" >&2
    fi
}

check_rust() {
    oldest=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml)
    if ! have cargo; then
        say "Rust $oldest or later is missing. You can install it like this:"
        rust_advice
        exit 1
    fi
    if ! version=$(cargo --version 2>"$scratch/said"); then
        say "cargo does not work. Its error message is:"
        cat "$scratch/said" >&2
        exit 1
    fi
    version=$(echo "$version" | sed 's/^cargo \([0-9]*\.[0-9]*\).*/\1/')
    if [ "${version%%.*}" -lt "${oldest%%.*}" ] || {
        [ "${version%%.*}" -eq "${oldest%%.*}" ] && [ "${version#*.}" -lt "${oldest#*.}" ]
    }; then
        say "Rust $version is too old: $oldest or later is needed. With rustup, cargo uses the version in rust-toolchain.toml:"
        rust_advice
        exit 1
    fi
}

check_rust_tools() {
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        if ! have rustup; then
            say "rustfmt or clippy is missing. Install both the way you installed Rust, and try again."
            exit 1
        fi
        say "running: rustup component add rustfmt clippy"
        rustup component add rustfmt clippy
    fi
    if ! cargo deny --version >/dev/null 2>&1; then
        say "cargo-deny is missing. Running this takes some minutes: cargo install --locked cargo-deny@$CARGO_DENY"
        # Not in this project's own target directory.
        CARGO_TARGET_DIR=$scratch/target cargo install --quiet --locked "cargo-deny@$CARGO_DENY"
    fi
}

# Rust first: do not install packages if the user then has to stop and install Rust.
[ "$purpose" = lint ] || [ "$purpose" = deploy ] || check_rust
look
[ -z "$missing" ] || install_missing
[ "$purpose" != check ] || check_rust_tools
if [ "$purpose" = sbom ] && ! cargo cyclonedx --version >/dev/null 2>&1; then
    say "cargo-cyclonedx is missing. Running this takes some minutes: cargo install --locked cargo-cyclonedx@$CARGO_CYCLONEDX"
    CARGO_TARGET_DIR=$scratch/target cargo install --quiet --locked "cargo-cyclonedx@$CARGO_CYCLONEDX"
fi
