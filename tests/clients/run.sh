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
say() { printf '%s\n' "clients: $*" >&2; }
[ $# -gt 0 ] || { say "usage: tests/clients/run.sh LANGUAGE..." && exit 2; }
for language; do
    [ -x "tests/clients/$language/run.sh" ] || { say "there is no tests/clients/$language/run.sh" && exit 2; }
done
. tests/serving.sh
serving

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
