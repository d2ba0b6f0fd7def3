-- The database's users, made once by its superuser: by the image when it makes the database, elsewhere with
--   MIGRATE_PASSWORD=… ROLES_PASSWORD=… psql -d gateway -f deploy/postgres/users.sql
-- gateway_migrate owns what is in the database; gateway_roles runs the roles and may not make or drop a table;
-- gateway_owner is what the roles step down to when they serve an owner. None of them may make users.

\set ON_ERROR_STOP on
\getenv migrate_password MIGRATE_PASSWORD
\getenv roles_password ROLES_PASSWORD

CREATE ROLE gateway_owner NOLOGIN;
CREATE ROLE gateway_migrate LOGIN PASSWORD :'migrate_password' IN ROLE gateway_owner;
CREATE ROLE gateway_roles LOGIN PASSWORD :'roles_password' IN ROLE gateway_owner;

ALTER DATABASE :"DBNAME" OWNER TO gateway_migrate;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO gateway_roles;
