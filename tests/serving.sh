# shellcheck shell=sh
# Sourced by the scripts of the tests that need a service. `serving` starts the program in debug build with an embedded PostgreSQL in
# the temporary directory $scratch, on a port that the system picks, and stops it at the end, whatever happens. It exports
# TENANTRY_URL and TENANTRY_KEY, which is the key of the demo tenant's owner. Its arguments are settings, such as TENANTRY_WORKERS=1.

program=${CARGO_TARGET_DIR:-target}/debug/tenantry

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

# Without the settings of this shell, except where PostgreSQL is.
alone() {
    ${exec:-} env -i PATH="$PATH" USER="${USER:-tests}" ${TENANTRY_PG_BIN:+TENANTRY_PG_BIN="$TENANTRY_PG_BIN"} \
        TENANTRY_DATA_DIR="$scratch/data" "$@"
}

serving() {
    [ -x "$program" ] || { say "there is no $program. Build it, or use make." && exit 1; }
    # If root runs this, PostgreSQL runs as another user, who has to get into the directory.
    chmod 711 "$scratch"
    mkfifo "$scratch/banner"
    # With exec, so that $! is the program and not a shell around it, which would end without it.
    exec=exec
    alone TENANTRY_BIND=127.0.0.1:0 TENANTRY_SHUTDOWN_DELAY=0s "$@" "$program" serve >"$scratch/banner" 2>"$scratch/log" &
    service=$! exec=

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
}
