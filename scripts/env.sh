# shellcheck shell=sh
# Sourced by the Makefile and by setup.sh: where to find what is installed but not announced.

# A shell that was open before Rust was installed does not have it in its PATH, and Homebrew's rustup never is.
if ! command -v cargo >/dev/null 2>&1; then
    for env_dir in "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin" /opt/homebrew/opt/rustup/bin /usr/local/opt/rustup/bin; do
        if [ -x "$env_dir/cargo" ]; then
            PATH="$PATH:$env_dir"
            export PATH
            break
        fi
    done
fi

# Homebrew keeps its libpq away from the linker, because macOS once came with an old one of its own.
if [ -z "${PQ_LIB_DIR:-}" ]; then
    unset PQ_LIB_DIR # set but empty, it would stop the build of pq-sys
    for env_dir in /opt/homebrew/opt/libpq/lib /usr/local/opt/libpq/lib; do
        if [ -e "$env_dir/libpq.dylib" ]; then
            PQ_LIB_DIR="$env_dir"
            export PQ_LIB_DIR
            break
        fi
    done
fi
unset env_dir
