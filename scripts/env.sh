# shellcheck shell=sh
# Sourced by the Makefile and by setup.sh: finds programs and libraries that are installed but not in the usual search paths.

# A shell that was opened before Rust was installed does not have it in its PATH. Homebrew's rustup is never in the PATH.
if ! command -v cargo >/dev/null 2>&1; then
    for env_dir in "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin" /opt/homebrew/opt/rustup/bin /usr/local/opt/rustup/bin; do
        if [ -x "$env_dir/cargo" ]; then
            PATH="$PATH:$env_dir"
            export PATH
            break
        fi
    done
fi

# Homebrew hides its libpq from the linker, because macOS once shipped an old one.
if [ -z "${PQ_LIB_DIR:-}" ]; then
    unset PQ_LIB_DIR # if it is set but empty, pq-sys does not build
    for env_dir in /opt/homebrew/opt/libpq/lib /usr/local/opt/libpq/lib; do
        if [ -e "$env_dir/libpq.dylib" ]; then
            PQ_LIB_DIR="$env_dir"
            export PQ_LIB_DIR
            break
        fi
    done
fi
unset env_dir
