#!/bin/sh
# Checks the dependencies against the database of known vulnerabilities. Without a network there is no such check: this then says so
# in red, with the date of the last one on record, and succeeds, because the dependencies have not become worse. With
# REQUIRE_ADVISORIES=1 it fails instead: set it where releases are made.
#
# The record is advisories.txt: the date, and the commit of the database. A check that succeeds rewrites it. Commit it.
set -eu
cd "$(dirname "$0")/.."
. scripts/env.sh

RECORD=advisories.txt
today=$(date -u +%F)

if cargo deny --locked fetch db >/dev/null 2>&1; then
    cargo deny --locked --log-level error check --disable-fetch advisories
    database=$(find "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" -maxdepth 1 -mindepth 1 -type d | head -n 1)
    commit=$(git -C "$database" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
    echo "$today $commit" >"$RECORD"
    exit 0
fi

if [ -s "$RECORD" ]; then
    read -r date commit <"$RECORD"
    # GNU, or else BSD. The age is for people; nothing depends on it.
    then=$(date -u -d "$date" +%s 2>/dev/null || date -u -j -f %F "$date" +%s 2>/dev/null || date -u +%s)
    age="last checked on $date, $((($(date -u +%s) - then) / 86400)) days ago, against $commit"
else
    age="no check is on record in $RECORD"
fi
red='' plain=''
if [ -t 2 ] || [ -n "${CI:-}" ]; then red=$(printf '\033[1;31m') plain=$(printf '\033[0m'); fi
printf '%s\n' "${red}NOT CHECKED: the advisory database cannot be reached, so known vulnerabilities were not looked for ($age).${plain}" >&2
[ -z "${GITHUB_ACTIONS:-}" ] || echo "::error title=Advisories::not checked; $age"
[ "${REQUIRE_ADVISORIES:-0}" != 1 ] || exit 1
