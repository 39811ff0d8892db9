#!/bin/sh
# Writes the URLs of the database, which contain passwords, into files. Each directory is a volume of its own, which only the containers
# see that need it. So no program of ours has a password in its environment, where `docker inspect` and dumps would show it.
set -eu
umask 022

# $1: file, $2: role, $3: password, $4: server. Nobody may write the file: the program refuses secrets that others can change.
write() {
    file="${SECRETS:-/secrets}/$1"
    printf 'postgres://%s:%s@%s/tenantry\n' "$2" "$3" "$4" >"$file.new"
    chmod 0444 "$file.new"
    mv -f "$file.new" "$file"
}
database=${DATABASE_HOST:-postgres:5432}
write service/database-url tenantry_service "$TENANTRY_SERVICE_PASSWORD" "$database"
write service/read-database-url tenantry_service "$TENANTRY_SERVICE_PASSWORD" replica:5432
write owner/database-url tenantry_owner "$TENANTRY_OWNER_PASSWORD" "$database"
write backup/database-url tenantry_backup "$TENANTRY_BACKUP_PASSWORD" "$database"
