#!/bin/sh
# In target/clients/typescript: generates types from openapi.yaml.
set -eu
if ! cmp -s package-lock.json node_modules/installed.json; then
    npm ci --no-audit --no-fund --loglevel=error || {
        echo "npm could not install what package-lock.json lists. It needs the npm registry, or a mirror of it." >&2
        exit 1
    }
    cp package-lock.json node_modules/installed.json
fi
# A property with a default can be left out of a request.
npx --no-install openapi-typescript openapi.yaml --default-non-nullable=false --output tenantry.d.ts >generate.log 2>&1 || {
    cat generate.log >&2
    exit 1
}
