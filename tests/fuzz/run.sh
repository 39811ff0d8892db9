#!/bin/sh
# Sends the service what a fuzzer makes of openapi.yaml, and holds every answer against the document: no 5xx but those that are
# documented, no other status, no other form.
#
#   tests/fuzz/run.sh quick    a fixed seed and few examples
#   tests/fuzz/run.sh full     every phase, for FUZZ_MINUTES minutes (20 by default), with another seed each time
#
# It runs with the key of a tenant's owner, with a key that may do nothing, with the key of another tenant that asks for the ids of the
# first one, and with a platform key. Schemathesis is installed in target/fuzz, in the version that stands beside this file.
set -eu
cd "$(dirname "$0")/../.."
say() { printf '%s\n' "fuzz: $*" >&2; }
mode=${1:-} minutes=${FUZZ_MINUTES:-20}
case $mode in
    quick) more='--seed 1 --max-examples 2 --phases examples,fuzzing' ;;
    full) more='--max-examples 20 --phases examples,coverage,fuzzing,stateful' ;;
    *) say "usage: tests/fuzz/run.sh quick|full" && exit 2 ;;
esac
config=tests/fuzz
tools=target/fuzz

mkdir -p $tools
if ! cmp -s $config/requirements.txt $tools/requirements.txt; then
    python3 -m venv $tools/python
    $tools/python/bin/pip install --quiet --disable-pip-version-check --requirement $config/requirements.txt
    cp $config/requirements.txt $tools/requirements.txt
fi

. tests/serving.sh
platform=$(alone "$program" --output json platform-key | tr -d '\n')
serving TENANTRY_PLATFORM_KEY_SHA256="$(printf '%s' "$platform" | sed 's/.*"sha256": *"\([^"]*\)".*/\1/')" \
    TENANTRY_ELEVENLABS_URL=http://127.0.0.1:9 TENANTRY_OPENAI_URL=http://127.0.0.1:9 TENANTRY_TWILIO_URL=http://127.0.0.1:9 \
    TENANTRY_GOHIGHLEVEL_URL=http://127.0.0.1:9 TENANTRY_LOG_LEVEL=warn

field() { sed "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/"; }
# ask KEY PATH [BODY]: gets, or posts the body, and prints the answer on one line.
ask() {
    $tools/python/bin/python -c 'import json, requests, sys
key, url, *body = sys.argv[1:]
answer = requests.request("POST" if body else "GET", url, data="".join(body), timeout=60,
                          headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"})
answer.raise_for_status()
print(json.dumps(answer.json()))' "$1" "$TENANTRY_URL$2" ${3+"$3"}
}
platform=$(printf '%s' "$platform" | field platformKey)
powerless=$(ask "$TENANTRY_KEY" /api/api-keys '{"name": "Powerless", "scopes": ["usage:read"]}' | field secret)
other=$(ask "$platform" /api/admin/tenants '{"name": "Other", "country": "DE"}' | field apiKey)
# The owner's own key is an example in the document, so it gets revoked. This one may do the same.
scopes=$(sed -n '/^    ScopeChoice:/,/^    [A-Z]/s/^ *- \([a-z]*:[a-z]*\)$/"\1"/p' openapi.yaml | paste -s -d , -)
owner=$(ask "$TENANTRY_KEY" /api/api-keys "{\"name\": \"Owner\", \"scopes\": [$scopes]}" | field secret)

# The id of $key. A platform key has none, but an answer.
own_id() {
    if [ "$key" = "$platform" ]; then
        ask "$key" '/api/admin/tenants?q=no+such+tenant'
    else
        ask "$key" /api/me | sed 's/.*"apiKey": {"id": "\([^"]*\)".*/\1/'
    fi
}

failed=
# fuzz NAME KEY PERCENT ARGUMENT...: the percentage is of the time of a full run.
fuzz() {
    name=$1 key=$2 percent=$3
    shift 3
    if [ "$mode" = full ]; then set -- --max-time $((minutes * 60 * percent / 100)) "$@"; fi
    FUZZ_OWN_KEY=$(own_id)
    export FUZZ_OWN_KEY
    # shellcheck disable=SC2086 # several words
    if $tools/python/bin/st --config-file $config/schemathesis.toml run openapi.yaml --url "$TENANTRY_URL" \
        --header "Authorization: Bearer $key" $more "$@" >"$tools/$name.log" 2>&1; then
        say "$name: $(sed -n 's/^ *\([0-9]* generated.*\)/\1/p' "$tools/$name.log")"
    else
        say "with the key of $name:"
        cat "$tools/$name.log"
        failed=1
    fi
    # A key that no longer works gets 401 for everything, which is documented and checks nothing.
    if [ -z "$FUZZ_OWN_KEY" ] || [ "$(own_id)" != "$FUZZ_OWN_KEY" ]; then
        say "$name: at the end the key did not work any more"
        failed=1
    fi
}
fuzz nobody-allowed "$powerless" 15 --exclude-path-regex '^/api/admin'
fuzz another-tenant "$other" 20 --exclude-path-regex '^/api/admin'
# After them, because it deletes what they ask for.
fuzz the-owner "$owner" 55 --exclude-path-regex '^/api/admin'
# Last, because it deletes the tenants.
fuzz the-platform "$platform" 10 --include-path-regex '^/api/admin'
if [ -n "$failed" ]; then
    say "the last warnings of the service:"
    tail -n 20 "$scratch/log" >&2
    exit 1
fi
say 'every answer was as documented'
