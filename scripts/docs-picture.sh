#!/bin/sh
# Makes the README's picture of the documentation page. The service runs on a free port, with an embedded database in a temporary
# directory, and stops when the picture is made.
#
#   scripts/docs-picture.sh PROGRAM PICTURE
set -eu
[ $# -eq 2 ] || { echo "usage: scripts/docs-picture.sh PROGRAM PICTURE" >&2; exit 2; }
program=$1 picture=$2

say() { printf '%s\n' "docs-picture: $*" >&2; }

browser=
for name in chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if command -v "$name" >/dev/null 2>&1; then
        browser=$name
        break
    fi
done
[ -n "$browser" ] || { say "Chromium is not installed; make test installs it"; exit 1; }

scratch=$(mktemp -d)
service=
stop() {
    if [ -n "$service" ] && kill "$service" 2>/dev/null; then wait "$service" || true; fi
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# If root runs this, another user runs the database server and must be able to enter the directory.
chmod 755 "$scratch"

# The settings of whoever runs this are not for this service.
for setting in $(env | sed -n 's/^\(TENANTRY_[A-Z_]*\)=.*/\1/p') DATABASE_URL; do unset "$setting"; done
TENANTRY_BIND=127.0.0.1:0 TENANTRY_DATA_DIR=$scratch/data "$program" serve >"$scratch/log" 2>&1 &
service=$!
address=
while [ -z "$address" ]; do
    kill -0 "$service" 2>/dev/null || { say "the service did not start:"; cat "$scratch/log" >&2; exit 1; }
    sleep 0.2
    address=$(sed -n 's/.* serving .*address=\(127\.0\.0\.1:[0-9]*\).*/\1/p' "$scratch/log")
done

# The page shows the address that the browser has for it: the one that make run uses, whichever port this one got.
page='http://127.0.0.1:8080/docs#tag/workspaces/GET/api/workspaces/{workspaceId}'
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --disable-dev-shm-usage --user-data-dir="$scratch/profile" \
    --host-resolver-rules="MAP 127.0.0.1:8080 $address" --window-size=1400,860 --virtual-time-budget=30000 \
    --screenshot="$scratch/picture.png" "$page" >"$scratch/browser" 2>&1 || true
[ -s "$scratch/picture.png" ] || { say "the browser made no picture:"; cat "$scratch/browser" >&2; exit 1; }
mv "$scratch/picture.png" "$picture"
say "wrote $picture ($(wc -c <"$picture" | tr -d ' ') bytes)"
