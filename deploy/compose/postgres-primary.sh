#!/bin/sh
# Run once by the image when the database is made: who may copy it, and the extension of vectors.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
CREATE EXTENSION IF NOT EXISTS vector;
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
