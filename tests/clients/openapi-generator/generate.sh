#!/bin/sh
# Runs openapi-generator on the openapi.yaml of the current directory, with these options. Installs it first if it is missing.
set -eu
here=$(dirname "$0")
if ! cmp -s "$here/requirements.txt" "$here/venv/installed.txt"; then
    python3 -m venv --clear "$here/venv"
    "$here/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" || {
        echo "pip could not install what requirements.txt lists. It needs PyPI, or a mirror of it." >&2
        exit 1
    }
    cp "$here/requirements.txt" "$here/venv/installed.txt"
fi
"$here/venv/bin/openapi-generator-cli" generate --input-spec openapi.yaml \
    --global-property apiTests=false,modelTests=false,apiDocs=false,modelDocs=false "$@" >generate.log 2>&1 || {
    sed "/^\tat /d" generate.log >&2
    exit 1
}
