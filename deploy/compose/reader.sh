#!/bin/bash
# Run once by the image, when the database is made: whom Grafana is, and that it only reads.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set=password="$GRAFANA_TIMELINE_PASSWORD" <<'SQL'
CREATE ROLE grafana LOGIN PASSWORD :'password';
-- The tables are yet to come: the first worker makes them.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
SQL
