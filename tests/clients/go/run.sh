#!/bin/sh
# In target/clients/go: generates the package tenantry from openapi.yaml, checks and compiles the flow with it, and runs it.
set -eu
rm -rf tenantry
../openapi-generator/generate.sh --generator-name go --output tenantry \
    --additional-properties packageName=tenantry,enumClassPrefix=true,withGoMod=false
go vet ./...
go run .
