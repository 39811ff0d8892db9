#!/bin/sh
# In target/clients/python: generates the package tenantry_client from openapi.yaml.
set -eu
if ! cmp -s requirements.txt venv/installed.txt; then
    python3 -m venv --clear venv
    venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt || {
        echo "pip could not install what requirements.txt lists. It needs PyPI, or a mirror of it." >&2
        exit 1
    }
    cp requirements.txt venv/installed.txt
fi
PATH="$PWD/venv/bin:$PATH"
openapi-python-client generate --path openapi.yaml --config config.yaml --meta none --output-path tenantry_client \
    --overwrite --fail-on-warning >generate.log 2>&1 || {
    cat generate.log >&2
    exit 1
}
