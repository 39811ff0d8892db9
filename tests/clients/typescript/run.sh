#!/bin/sh
# In target/clients/typescript: generates types from openapi.yaml, checks the flow against them, and runs it.
set -eu
if ! cmp -s package-lock.json node_modules/installed.json; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/installed.json
fi
# A property with a default can be left out of a request.
npx --no-install openapi-typescript openapi.yaml --default-non-nullable=false --output tenantry.d.ts >/dev/null
npx --no-install tsc
node out/flow.js
