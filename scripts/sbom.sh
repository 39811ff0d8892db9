#!/bin/sh
# Writes what the program is made of: a software bill of materials (CycloneDX 1.5, JSON) in target/sbom/tenantry.cdx.json.
set -eu
cd "$(dirname "$0")/.."
. scripts/env.sh

# One file for each program, beside its manifest. The others are those of the tests.
cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --manifest-path crates/server/Cargo.toml
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/sbom"
mv crates/server/tenantry_bin.cdx.json "$target/sbom/tenantry.cdx.json"
find crates tests -name '*.cdx.json' -exec rm {} +
echo "wrote $target/sbom/tenantry.cdx.json"
