#!/bin/bash
# Starts a PostgreSQL that follows the one in DATABASE_HOST: the first time with a copy of it. Arguments are for the server.
#
# A replica that was away for longer than the first one keeps its log (wal_keep_size) cannot follow any more, and says so in its log. Then
# remove its volume: it holds nothing of its own.
set -euo pipefail

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # What a copy left that did not end.
    find "$PGDATA" -mindepth 1 -delete
    chmod 0700 "$PGDATA"
    pg_basebackup --host "${DATABASE_HOST:-postgres}" --username tenantry_replication --pgdata "$PGDATA" \
        --write-recovery-conf --wal-method=stream --checkpoint=fast
fi
# With feedback, the first one keeps the rows that a long list still reads.
exec postgres -D "$PGDATA" -c hot_standby_feedback=on "$@"
