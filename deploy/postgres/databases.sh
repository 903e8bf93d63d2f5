#!/bin/sh
# A role and a database of its own for each service. Run once by the image, when its folder is empty.
set -eu
for service in account product order payment purchase orchestrator warehouse compliance; do
    name="$(printf '%s' "$service" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD"
    eval "password=\${$name:?}"
    psql --set=ON_ERROR_STOP=1 --set=service="$service" --set=password="$password" --username "$POSTGRES_USER" <<'SQL'
create role :"service" login password :'password';
create database :"service" owner :"service";
revoke all on database :"service" from public;
SQL
done
