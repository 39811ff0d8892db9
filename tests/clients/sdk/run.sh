#!/bin/sh
# In target/clients/sdk: packs the clients, installs each in an empty project, and runs a flow there.
set -eu
root=$(cd ../../.. && pwd)
"$root/scripts/sdk.sh"

# TypeScript is what the other flow is checked with.
rm -rf npm && mkdir npm
(
    cd npm
    cp ../flow.ts .
    printf '{ "private": true, "type": "module" }\n' >package.json
    npm install --no-audit --no-fund --loglevel=error "$root"/target/sdk/*.tgz
    types=$root/target/clients/typescript/node_modules
    "$types/.bin/tsc" --strict --noUncheckedIndexedAccess --target es2022 --module nodenext --types node --typeRoots "$types/@types" flow.ts
    node flow.js
    for file in README.md LICENSE-MIT LICENSE-APACHE index.d.ts schema.d.ts; do
        [ -s "node_modules/tenantry-client/$file" ] || { echo "the npm package has no $file" >&2 && exit 1; }
    done
)

# The flow of the generated package runs with the packed one.
rm -rf wheel && mkdir wheel
(
    cd wheel
    cp ../../python/flow.py .
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check "$root"/target/sdk/*.whl
    # Brands and workspaces of the other flow are in the same tenant, which must not have them twice.
    sed 's/Nordics, Python/Nordics, wheel/' flow.py >packed.py && rm flow.py
    venv/bin/python packed.py
    venv/bin/python - <<'END'
from importlib.metadata import files, metadata

about = metadata("tenantry-client")
assert about["License-Expression"] == "MIT OR Apache-2.0", about["License-Expression"]
assert "workspaces_show" in about.get_payload(), "the wheel has no README"
names = [file.name for file in files("tenantry-client") or []]
assert "py.typed" in names and "LICENSE-MIT" in names, names
END
)

# Both say which version of the product they are for.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
for package in "tenantry-client-$version.tgz" "tenantry_client-$version-py3-none-any.whl"; do
    [ -e "$root/target/sdk/$package" ] || { echo "target/sdk has no $package" >&2 && exit 1; }
done
