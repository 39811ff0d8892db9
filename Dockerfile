# syntax=docker/dockerfile:1

ARG RUST_VERSION=1.95.0
ARG DEBIAN=trixie
# `@sha256:…`, so that a build uses exactly these images. `make pin-images` looks them up. Without them, a tag means what it means today.
ARG RUST_DIGEST=
ARG DEBIAN_DIGEST=

FROM rust:${RUST_VERSION}-slim-${DEBIAN}${RUST_DIGEST} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches speed up the next build. They are not part of a layer, so the program is copied out of them here.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked -p tenantry-server \
    && cp target/release/tenantry /usr/local/bin/tenantry

FROM debian:${DEBIAN}-slim${DEBIAN_DIGEST}
RUN apt-get update \
    # pg_dump, pg_restore and psql, for `tenantry backup` and `restore`.
    && apt-get install -y --no-install-recommends ca-certificates libpq5 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    # A numeric user, so that an orchestrator can see that it is not root.
    && useradd --system --uid 10001 --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin tenantry \
    # A new volume mounted here belongs to the same user.
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/tenantry /var/backups/tenantry
COPY --from=build /usr/local/bin/tenantry /usr/local/bin/tenantry
USER 10001:10001
# The service writes no files, so the file system can be read-only. The image contains no PostgreSQL server: set DATABASE_URL,
# and set TENANTRY_MASTER_KEY_FILE to a file with a master key.
ENV TENANTRY_BIND=0.0.0.0:8080 \
    TENANTRY_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["tenantry", "healthcheck"]
ENTRYPOINT ["tenantry"]
CMD ["serve"]
