#!/bin/sh
# Looks up the digests of the images that the Dockerfile and docker-compose.yml are built from, and writes them into .env, which
# Compose reads. With them, the next build uses exactly these images, whatever the tags have come to mean. Needs Docker and a network.
set -eu
cd "$(dirname "$0")/.."

rust=$(sed -n 's/^ARG RUST_VERSION=//p' Dockerfile) debian=$(sed -n 's/^ARG DEBIAN=//p' Dockerfile)
touch .env
pin() {
    digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$2")
    sed "/^$1=/d" .env >.env.new
    echo "$1=@$digest" >>.env.new
    mv .env.new .env
    echo "$2 is $digest"
}
pin RUST_DIGEST "rust:$rust-slim-$debian"
pin DEBIAN_DIGEST "debian:$debian-slim"
pin POSTGRES_DIGEST postgres:17
pin MAILPIT_DIGEST axllent/mailpit:v1.31
