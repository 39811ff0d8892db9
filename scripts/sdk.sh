#!/bin/sh
# Packs the generated clients as packages that can be installed: for TypeScript and JavaScript an npm tarball, for Python a wheel. Both
# have the version of the product. They go to target/sdk.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "sdk: $*" >&2; }
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ -n "$version" ] || { say "Cargo.toml has no version" && exit 1; }
out=$PWD/target/sdk
rm -rf "$out"

# $1: language. Generates the client where its flow is tested, and copies what surrounds it to target/sdk/LANGUAGE.
prepare() {
    generated=target/clients/$1
    mkdir -p "$generated" "$out/$1"
    cp -R "tests/clients/$1/." "$generated"
    cp openapi.yaml "$generated"
    (cd "$generated" && ./generate.sh)
    cp "sdk/$1"/* LICENSE-MIT LICENSE-APACHE "$out/$1"
}

prepare typescript
cp target/clients/typescript/tenantry.d.ts "$out/typescript/schema.d.ts"
(
    cd "$out/typescript"
    npm version --no-git-tag-version --allow-same-version "$version" >/dev/null
    npm pack --silent --pack-destination "$out" >/dev/null
)

prepare python
cp -R target/clients/python/tenantry_client "$out/python/tenantry_client"
find "$out/python" -name __pycache__ -exec rm -rf {} +
# By this file, type checkers know that the package has types.
: >"$out/python/tenantry_client/py.typed"
sed "s/^version = .*/version = \"$version\"/" sdk/python/pyproject.toml >"$out/python/pyproject.toml"
# With the build backend of requirements.txt, and not with the newest one.
target/clients/python/venv/bin/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --wheel-dir "$out" "$out/python"

for package in "$out"/*.tgz "$out"/*.whl; do
    say "$package, $(($(wc -c <"$package") / 1000)) kB"
done
