#!/bin/bash
# Creates the three roles. The PostgreSQL image runs this once, on an empty volume, as the superuser. The owner migrates. The
# service's role owns nothing, so row security binds it and keeps tenants apart. The role of backups reads all rows and changes none.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$TENANTRY_OWNER_PASSWORD" \
    --set service_password="$TENANTRY_SERVICE_PASSWORD" \
    --set backup_password="$TENANTRY_BACKUP_PASSWORD" <<'SQL'
CREATE ROLE tenantry_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE tenantry_service LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'service_password';
CREATE ROLE tenantry_backup LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'backup_password';
GRANT pg_read_all_data TO tenantry_backup;
ALTER DATABASE :"DBNAME" OWNER TO tenantry_owner;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO tenantry_service, tenantry_backup;
SQL
