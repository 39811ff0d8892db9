#!/bin/sh
# Generates clients from openapi.yaml, compiles them, and runs the flow of each against a service of its own.
#
#   tests/clients/run.sh typescript python go java
#
# `make clients` builds the service and calls this. The service is the program in debug build, with an embedded PostgreSQL in a
# temporary directory, on a port that the system picks. It is stopped at the end, whatever happens. Generated code goes to
# target/clients/LANGUAGE, next to a copy of the flow.
set -eu
cd "$(dirname "$0")/../.."
program=${CARGO_TARGET_DIR:-target}/debug/tenantry

say() { printf '%s\n' "clients: $*" >&2; }
[ $# -gt 0 ] || { say "usage: tests/clients/run.sh LANGUAGE..." && exit 2; }
for language; do
    [ -x "tests/clients/$language/run.sh" ] || { say "there is no tests/clients/$language/run.sh" && exit 2; }
done
[ -x "$program" ] || { say "there is no $program. Use make clients, which builds it." && exit 1; }

scratch=$(mktemp -d)
service=
# Waits for the service, because it stops its PostgreSQL before it exits.
stop() {
    if [ -n "$service" ]; then kill "$service" 2>/dev/null && wait "$service" || true; fi
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# If root runs this, PostgreSQL runs as another user, who has to get into the directory.
chmod 711 "$scratch"
mkfifo "$scratch/banner"
# Without the settings of this shell, except where PostgreSQL is.
env -i PATH="$PATH" USER="${USER:-clients}" ${TENANTRY_PG_BIN:+TENANTRY_PG_BIN="$TENANTRY_PG_BIN"} \
    TENANTRY_DATA_DIR="$scratch/data" TENANTRY_BIND=127.0.0.1:0 TENANTRY_SHUTDOWN_DELAY=0s "$program" serve >"$scratch/banner" 2>"$scratch/log" &
service=$!

# The first start prints a command that looks up a workspace. It has the address. The key is in a file.
TENANTRY_URL='' TENANTRY_KEY=''
exec 3<"$scratch/banner"
while read -r line <&3; do
    case $line in
        'curl -H "Authorization: Bearer '*)
            TENANTRY_KEY=$(cat "$scratch/data/demo.key")
            TENANTRY_URL=${line##* } TENANTRY_URL=${TENANTRY_URL%%/api/*}
            ;;
        'Press Ctrl-C'*) break ;;
    esac
done
if [ -z "$TENANTRY_URL" ]; then
    say "the service did not start, or did not print its address and a key. Its log:"
    cat "$scratch/log" >&2
    exit 1
fi
export TENANTRY_URL TENANTRY_KEY

for language; do
    target=target/clients/$language
    mkdir -p "$target"
    cp -R tests/clients/openapi-generator target/clients
    cp -R "tests/clients/$language/." "$target"
    cp openapi.yaml "$target"
    say "$language"
    if ! (cd "$target" && ./run.sh); then
        say "$language failed. The log of the service:"
        tail -n 20 "$scratch/log" >&2
        exit 1
    fi
done
say "$# passed: $*"
