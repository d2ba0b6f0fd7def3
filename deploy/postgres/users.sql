-- The database's users, made by its superuser: by the image when it makes the database, elsewhere with
--   MIGRATE_PASSWORD=… ROLES_PASSWORD=… psql -d gateway -f deploy/postgres/users.sql
-- gateway_migrate owns what is in the database; gateway_roles runs the roles and may not make or drop a table;
-- gateway_owner is what the roles step down to when they serve an owner. None of them may make users.
-- Users that are there already stay, and get these passwords. So it can be run again, and for a second database.

\set ON_ERROR_STOP on
\getenv migrate_password MIGRATE_PASSWORD
\getenv roles_password ROLES_PASSWORD

SELECT format('CREATE ROLE %I', name) FROM unnest('{gateway_owner,gateway_migrate,gateway_roles}'::text[]) AS n (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE gateway_owner NOLOGIN;
ALTER ROLE gateway_migrate LOGIN PASSWORD :'migrate_password';
ALTER ROLE gateway_roles LOGIN PASSWORD :'roles_password';
GRANT gateway_owner TO gateway_migrate, gateway_roles;

ALTER DATABASE :"DBNAME" OWNER TO gateway_migrate;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO gateway_roles;
