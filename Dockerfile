# Two stages: the second has the program, libpq, and nothing to build with.
FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libpq-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package tenantry-server

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tenantry
COPY --from=build /src/target/release/tenantry /usr/local/bin/tenantry
USER 10001
# No PostgreSQL server in the image: it needs a DATABASE_URL. It writes nothing, so that its file system may be read-only.
ENV TENANTRY_BIND=0.0.0.0:8080 TENANTRY_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["tenantry", "healthcheck"]
ENTRYPOINT ["tenantry"]
CMD ["serve"]
