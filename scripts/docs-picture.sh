#!/bin/sh
# Makes the README's picture of the documentation page. The service runs on a free port, with an embedded database in a temporary
# directory, and stops when the picture is made.
#
#   scripts/docs-picture.sh PROGRAM PICTURE
set -eu
[ $# -eq 2 ] || { echo "usage: scripts/docs-picture.sh PROGRAM PICTURE" >&2; exit 2; }
program=$1 picture=$2

# The page shows the address that the browser has for it: the one of make run, whichever port this service gets.
shown=127.0.0.1:8080
page="http://$shown/docs#tag/workspaces/GET/api/workspaces/{workspaceId}"
example="//*[contains(text(), 'DACH Region')]" # of the answer, which is the last thing that the page shows

fail() {
    printf '%s\n' "docs-picture: $1" >&2
    [ $# -eq 1 ] || cat "$2" >&2
    exit 1
}

# The first of these programs that there is.
first() {
    for name in "$@"; do
        if command -v "$name"; then return; fi
    done
    fail "$1 is not installed: make test installs it"
}
driver=$(first chromedriver chromium.chromedriver /usr/lib/chromium-browser/chromedriver)
browser=$(first chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

scratch=$(mktemp -d)
processes=
session=
stop() {
    [ -z "$session" ] || curl -sS -X DELETE "$session" >/dev/null || true
    for process in $processes; do
        # The shell says that it ended what it was told to end.
        if kill "$process" 2>/dev/null; then { wait "$process" || true; } 2>/dev/null; fi
    done
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# If root runs this, another user runs the database server and must be able to enter the directory.
chmod 755 "$scratch"

# $1: process, $2: its output, $3: sed expression. Waits until the expression finds something, and prints that.
wait_for() {
    found=
    while [ -z "$found" ]; do
        kill -0 "$1" 2>/dev/null || fail "a program did not start:" "$2"
        sleep 0.2
        found=$(sed -n "$3" "$2")
    done
    printf '%s' "$found"
}

# The settings of whoever runs this are not for this service.
for setting in $(env | sed -n 's/^\(TENANTRY_[A-Z_]*\)=.*/\1/p') DATABASE_URL; do unset "$setting"; done
TENANTRY_BIND=127.0.0.1:0 TENANTRY_SHUTDOWN_DELAY=0s TENANTRY_DATA_DIR=$scratch/data "$program" serve >"$scratch/service" 2>&1 &
processes=$!
address=$(wait_for $! "$scratch/service" 's/.* serving .*address=\(127\.0\.0\.1:[0-9]*\).*/\1/p')

"$driver" --port=0 >"$scratch/driver" 2>&1 &
processes="$processes $!"
port=$(wait_for $! "$scratch/driver" 's/.*started successfully on port \([0-9]*\).*/\1/p')

# Asks the driver for something by WebDriver, and prints what it answers.
ask() { curl -sS --fail-with-body -H 'Content-Type: application/json' "$@" || fail "the browser does not do as it is told"; }

arguments="\"--headless\", \"--no-sandbox\", \"--disable-gpu\", \"--hide-scrollbars\", \"--disable-dev-shm-usage\",
    \"--user-data-dir=$scratch/profile\", \"--host-resolver-rules=MAP $shown $address\", \"--window-size=1400,1000\""
created=$(ask -d "{\"capabilities\": {\"alwaysMatch\": {\"timeouts\": {\"implicit\": 60000},
    \"goog:chromeOptions\": {\"binary\": \"$browser\", \"args\": [$arguments]}}}}" "http://127.0.0.1:$port/session")
session=http://127.0.0.1:$port/session/$(printf '%s' "$created" | sed 's/.*"sessionId" *: *"\([^"]*\)".*/\1/')
ask -d "{\"url\": \"$page\"}" "$session/url" >/dev/null
ask -d "{\"using\": \"xpath\", \"value\": \"$example\"}" "$session/element" >/dev/null
ask "$session/screenshot" | sed 's/.*"value" *: *"\([^"]*\)".*/\1/' | base64 -d >"$scratch/picture.png"
mv "$scratch/picture.png" "$picture"
echo "docs-picture: wrote $picture, $(($(wc -c <"$picture") / 1000)) kB" >&2
