#!/bin/bash
# Creates the two roles. The PostgreSQL image runs this once, on an empty volume, as the superuser. The owner migrates. The
# service's role owns nothing, so row security binds it and keeps tenants apart.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$TENANTRY_OWNER_PASSWORD" \
    --set service_password="$TENANTRY_SERVICE_PASSWORD" <<'SQL'
CREATE ROLE tenantry_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE tenantry_service LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'service_password';
ALTER DATABASE :"DBNAME" OWNER TO tenantry_owner;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO tenantry_service;
SQL
