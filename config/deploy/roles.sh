#!/bin/sh
# Run once by the container of PostgreSQL, when its data folder is made.
set -eu
TIENDO_OWNER_PASSWORD=$(cat /run/secrets/owner)
TIENDO_APP_PASSWORD=$(cat /run/secrets/app)
export TIENDO_OWNER_PASSWORD TIENDO_APP_PASSWORD
exec psql -X -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -f /opt/roles.sql
