"""Migrations: numbered SQL files, each applied once in a transaction of its own, never edited afterwards."""

import hashlib
from importlib.resources import files

from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from gateway.core.errors import Unavailable
from gateway.store.database import Connection, connect
from gateway.store.locks import Lock, lock_session
from gateway.store.timeseries import TimeSeries

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
  name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""
_RIGHTS = """
SELECT current_user AS me, current_database() AS database, current_schema() AS schema,
       has_schema_privilege(current_schema(), 'CREATE') AS may_create,
       NOT has_database_privilege(current_database(), 'CREATE')
         AND (NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist')
              OR to_regclass('telemetry') IS NULL AND EXISTS (
                SELECT FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL
                  AND EXISTS (SELECT FROM pg_settings WHERE name LIKE 'timescaledb.%'))) AS lacks_extension,
       owner.oid IS NULL AND NOT (me.rolsuper OR me.rolcreaterole) AS lacks_role,
       CASE WHEN me.rolsuper THEN false
            WHEN owner.oid IS NULL THEN NOT me.rolcreaterole
            -- Before 16, who may make roles may also join them.
            WHEN current_setting('server_version_num')::int < 160000
            THEN NOT (me.rolcreaterole OR pg_has_role(owner.oid, 'MEMBER'))
            ELSE NOT (pg_has_role(owner.oid, 'SET') OR pg_has_role(owner.oid, 'MEMBER WITH ADMIN OPTION'))
       END AS lacks_membership
FROM pg_roles me LEFT JOIN pg_roles owner ON owner.rolname = 'gateway_owner'
WHERE me.rolname = current_user
"""


def migrate(url: str) -> list[str]:
    """Bring the database to this version's schema; returns the names applied. Safe to run from several places at once.

    Raises Unavailable when a migration that ran was edited since, and, before anything is applied, when the user lacks
    a right that the missing ones need.
    """
    with connect(url, "gateway-migrate") as connection:
        lock_session(connection, Lock.MIGRATE)
        if not missing_migrations(connection):
            return _apply(connection)  # only to see that none was edited
        _require_rights(connection)
        connection.execute(_TABLE)
        return _apply(connection)


def _require_rights(connection: Connection) -> None:
    """Raise Unavailable with everything that a superuser has to grant, in one line."""
    about = connection.execute(_RIGHTS).fetchone()
    assert about is not None  # noqa: S101 - a SELECT without FROM returns a row
    user, database = (Identifier(about[name]).as_string(connection) for name in ("me", "database"))
    if about["schema"] is None:
        raise Unavailable(
            f"There is no schema to migrate into: let a superuser run: CREATE SCHEMA AUTHORIZATION {user}"
        )
    schema = Identifier(about["schema"]).as_string(connection)
    commands = []
    if not about["may_create"]:
        commands.append(f"GRANT CREATE ON SCHEMA {schema} TO {user}")
    if about["lacks_extension"]:
        commands.append(f"GRANT CREATE ON DATABASE {database} TO {user}")
    if about["lacks_role"]:
        commands.append("CREATE ROLE gateway_owner NOLOGIN")
    if about["lacks_membership"]:
        commands.append(f"GRANT gateway_owner TO {user}")
    if commands:
        raise Unavailable(
            f"The database user {user} may not migrate; nothing was applied. Let a superuser run in this database: "
            + "; ".join(commands)
        )


def require_migrated(url: str) -> None:
    """Raise Unavailable unless the database has this version's schema."""
    with connect(url, "gateway-check") as connection:
        missing = missing_migrations(connection)
    if missing:
        raise Unavailable(f"The database lacks {', '.join(missing)}. Run `gateway migrate`, then start again.")


def missing_migrations(connection: Connection) -> list[str]:
    """The names of the migrations that did not run here. Raises Unavailable to a user who may not see them."""
    known = connection.execute("SELECT to_regclass('schema_migration') IS NOT NULL AS there").fetchone()
    done = set()
    if known and known["there"]:
        try:
            done = {row["name"] for row in connection.execute("SELECT name FROM schema_migration")}
        except InsufficientPrivilege as error:
            raise Unavailable(
                "The database user may not read our tables. Who migrates can let it: `gateway migrate --grant USER`."
            ) from error
    return [name for name, _ in all_migrations() if name not in done]


def all_migrations() -> list[tuple[str, str]]:
    """Name and text of every migration, in order."""
    found = files("gateway.store.migrations").iterdir()
    return sorted((file.name, file.read_text("utf-8")) for file in found if file.name.endswith(".sql"))


def _apply(connection: Connection) -> list[str]:
    done = {row["name"]: row["digest"] for row in connection.execute("SELECT name, digest FROM schema_migration")}
    applied = []
    for name, text in all_migrations():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if done.get(name) == digest:
            continue
        if name in done:
            raise Unavailable(f"Migration {name} was edited after it ran here; add a new one instead.")
        try:
            _apply_one(connection, name, text, digest)
        except InsufficientPrivilege as error:
            raise Unavailable(
                f"The database user may not apply {name} ({error.diag.message_primary}); nothing of it was applied."
                " Migrate as the user who owns the tables."
            ) from error
        applied.append(name)
    return applied


def _apply_one(connection: Connection, name: str, text: str, digest: str) -> None:
    with connection.transaction():
        # Rather give up than lock a busy table: the next try finds a quieter moment.
        connection.execute("SET LOCAL lock_timeout = '4s'")
        connection.execute("SET LOCAL statement_timeout = '60s'")
        connection.execute(SQL(text))
        TimeSeries(connection).create()
        connection.execute("INSERT INTO schema_migration (name, digest) VALUES (%s, %s)", [name, digest])
