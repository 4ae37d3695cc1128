#!/bin/sh
# A streaming replica: copies the primary the first time, follows it from then on. One that fell further behind than the
# primary keeps of its log (wal_keep_size) says so in its log: remove its volume and start it again.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # A copy that broke off would be in the way of the next.
  rm -rf "${PGDATA:?}"/*
  pg_basebackup -D "$PGDATA" -R -X stream -c fast \
    -d "host=$PRIMARY_HOST port=$PRIMARY_PORT user=replicator password=$REPLICATION_PASSWORD application_name=replica"
  chmod 0700 "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@"
