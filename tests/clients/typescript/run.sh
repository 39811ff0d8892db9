#!/bin/sh
# In target/clients/typescript: generates types from openapi.yaml, checks the flow against them, and runs it.
set -eu
./generate.sh
npx --no-install tsc
node out/flow.js
