#!/bin/sh
# Packs a program for a release: the program, completions, manual pages, the documents for operators, the files of deploy/ and the
# software bill of materials in one archive, and its checksum beside it. Packing the same input twice gives the same bytes.
#
#   scripts/dist.sh PROGRAM SBOM DIRECTORY
set -eu
[ $# -eq 3 ] || { echo 'usage: scripts/dist.sh PROGRAM SBOM DIRECTORY' >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
program=$1 sbom=$2 directory=$3

# The time of the commit, or of the caller's choice: https://reproducible-builds.org/specs/source-date-epoch/
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)}
# Works with GNU tar alone: the flags below are what makes an archive the same everywhere.
tar=tar
if ! $tar --version 2>/dev/null | grep -q 'GNU tar'; then tar=gtar; fi
command -v $tar >/dev/null || { echo 'dist: GNU tar is needed (on macOS: brew install gnu-tar)' >&2; exit 1; }
sum() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

version=$("$program" --version | cut -d' ' -f2)
platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
name=tenantry-$version-$platform
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/$name
mkdir -p "$root/bin" "$root/share/man/man1" "$root/docs"

install -m 0755 "$program" "$root/bin/tenantry"
"$program" man "$root/share/man/man1" >/dev/null
completions=$root/share/completions
mkdir "$completions"
for shell in bash zsh fish powershell; do
    case $shell in bash) file=tenantry ;; zsh) file=_tenantry ;; fish) file=tenantry.fish ;; powershell) file=tenantry.ps1 ;; esac
    mkdir "$completions/$shell"
    "$program" completions $shell >"$completions/$shell/$file"
done
"$program" openapi >"$root/openapi.yaml"
# Where they are in the repository, so that their links lead somewhere.
cp "$here/docs/operations.md" "$here/docs/upgrading.md" "$here/docs/identity-providers.md" "$root/docs/"
cp "$here/README.md" "$here/CHANGELOG.md" "$here/LICENSE-MIT" "$here/LICENSE-APACHE" "$root/"
cp -R "$here/deploy" "$root/deploy"
cp "$sbom" "$root/tenantry.cdx.json"
# Whoever unpacks it can check each file.
(cd "$root" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | sed 's|^\./||' | while read -r file; do sum "$file"; done >SHA256SUMS)

mkdir -p "$directory"
find "$root" -type d -exec chmod 0755 {} +
find "$root" -type f ! -path "$root/bin/*" -exec chmod 0644 {} +
$tar --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -C "$scratch" -cf "$scratch/$name.tar" "$name"
gzip -n -9 -c "$scratch/$name.tar" >"$directory/$name.tar.gz"
(cd "$directory" && sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "wrote $directory/$name.tar.gz"
