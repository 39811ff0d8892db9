#!/bin/sh
# In target/clients/python: generates the package tenantry_client from openapi.yaml, checks the flow against it, and runs it.
set -eu
./generate.sh
PATH="$PWD/venv/bin:$PATH"
mypy --strict flow.py
python flow.py
