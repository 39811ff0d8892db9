#!/bin/sh
# Runs three linters over openapi.yaml, each as strict as it can be. They are installed in target/lint-openapi, in the versions that
# stand beside this file. Prints what a linter finds, and nothing else.
set -eu
cd "$(dirname "$0")/../.."
config=tests/lint-openapi
tools=target/lint-openapi
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true SCARF_ANALYTICS=false

mkdir -p $tools
if ! cmp -s $config/package.json $tools/installed.json; then
    cp $config/package.json $tools/package.json
    npm install --prefix $tools --silent --no-audit --no-fund --ignore-scripts --no-package-lock
    cp $config/package.json $tools/installed.json
fi
if ! cmp -s $config/requirements.txt $tools/requirements.txt; then
    python3 -m venv $tools/python
    $tools/python/bin/pip install --quiet --disable-pip-version-check --requirement $config/requirements.txt
    cp $config/requirements.txt $tools/requirements.txt
fi

failed=
quietly() {
    if ! "$@" >$tools/found 2>&1; then
        cat $tools/found
        failed=1
    fi
}
quietly $tools/node_modules/.bin/redocly lint --config $config/redocly.yaml openapi.yaml
quietly $tools/node_modules/.bin/spectral lint --ruleset $config/spectral.yaml --fail-severity hint openapi.yaml
quietly $tools/python/bin/openapi-spec-validator openapi.yaml
[ -z "$failed" ]
