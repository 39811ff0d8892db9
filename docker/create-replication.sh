#!/bin/bash
# Creates the role by which a standby follows, and lets it in. The PostgreSQL image runs this once, on an empty volume, as the superuser.
# On a volume that is older than this file, run it yourself:
#   docker compose exec postgres bash /docker-entrypoint-initdb.d/20-create-replication.sh
set -euo pipefail

say() {
    psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" "$@"
}

# A second run changes the password and nothing else.
say --set password="$TENANTRY_REPLICATION_PASSWORD" <<'SQL'
SELECT 'CREATE ROLE tenantry_replication LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_replication') \gexec
ALTER ROLE tenantry_replication PASSWORD :'password';
SQL
rule='host replication tenantry_replication all scram-sha-256'
rules=$(say --command 'SHOW hba_file')
grep -qxF "$rule" "$rules" || printf '%s\n' "$rule" >>"$rules"
say --command 'SELECT pg_reload_conf()' >/dev/null
