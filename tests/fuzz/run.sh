#!/bin/sh
# Sends the service what a fuzzer makes of openapi.yaml, and holds every answer against the document: no 5xx but those that are
# documented, no other status, no other form.
#
#   tests/fuzz/run.sh quick    a fixed seed and few examples
#   tests/fuzz/run.sh full     many examples, and another seed each time; FUZZ_EXAMPLES sets how many for each operation
#
# It runs with the key of a tenant's owner, with a key that may do nothing, with the key of another tenant that asks for the ids of the
# first one, and with a platform key. Schemathesis is installed in target/fuzz, in the version that stands beside this file.
set -eu
cd "$(dirname "$0")/../.."
say() { printf '%s\n' "fuzz: $*" >&2; }
case ${1:-} in
    quick) examples=${FUZZ_EXAMPLES:-2} more='--seed 1 --phases examples,fuzzing' ;;
    full) examples=${FUZZ_EXAMPLES:-50} more='--phases examples,coverage,fuzzing,stateful' ;;
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
# Posts JSON with a key, and prints the answer on one line.
create() {
    $tools/python/bin/python -c 'import json, requests, sys
answer = requests.post(sys.argv[2], json=json.loads(sys.argv[3]), headers={"Authorization": "Bearer " + sys.argv[1]}, timeout=60)
answer.raise_for_status()
print(json.dumps(answer.json()))' "$1" "$TENANTRY_URL$2" "$3"
}
platform=$(printf '%s' "$platform" | field platformKey)
powerless=$(create "$TENANTRY_KEY" /api/api-keys '{"name": "Powerless", "scopes": ["usage:read"]}' | field secret)
other=$(create "$platform" /api/admin/tenants '{"name": "Other", "country": "DE"}' | field apiKey)

failed=
fuzz() {
    name=$1 key=$2
    shift 2
    # shellcheck disable=SC2086 # several words
    if ! $tools/python/bin/st --config-file $config/schemathesis.toml run openapi.yaml --url "$TENANTRY_URL" \
        --header "Authorization: Bearer $key" --max-examples "$examples" $more "$@" >"$tools/$name.log" 2>&1; then
        say "with the key of $name:"
        cat "$tools/$name.log"
        failed=1
    fi
}
fuzz nobody-allowed "$powerless" --exclude-path-regex '^/api/admin'
fuzz another-tenant "$other" --exclude-path-regex '^/api/admin'
fuzz the-platform "$platform" --include-path-regex '^/api/admin'
# Last, because it deletes things.
fuzz the-owner "$TENANTRY_KEY" --exclude-path-regex '^/api/admin'
if [ -n "$failed" ]; then
    say "the last warnings of the service:"
    tail -n 20 "$scratch/log" >&2
    exit 1
fi
say 'every answer was as documented'
