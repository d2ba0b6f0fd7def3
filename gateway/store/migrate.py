"""Migrations: numbered SQL files, each applied once in its own transaction, and never edited afterwards."""

import hashlib
from importlib.resources import files

from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from gateway.core.errors import Unavailable
from gateway.store.database import Connection, connect
from gateway.store.locks import Lock, lock_session
from gateway.store.queries import queries
from gateway.store.timeseries import TimeSeries

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
  name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""


def migrate(url: str) -> list[str]:
    """Bring the database to this version's schema. Returns the applied names. Several processes may call it at once.

    Raises Unavailable when an applied migration was edited, and, before anything is applied, when the user lacks a
    right for the missing ones.
    """
    with connect(url, "gateway-migrate") as connection:
        lock_session(connection, Lock.MIGRATE)
        if not missing_migrations(connection):
            return _apply(connection)  # only checks that none was edited
        _require_rights(connection)
        connection.execute(_TABLE)
        return _apply(connection)


def _require_rights(connection: Connection) -> None:
    """Raise Unavailable with every command that a superuser has to run, in one line."""
    rights = connection.execute(queries.migration_rights).fetchone()
    assert rights is not None  # noqa: S101 - a SELECT without FROM returns a row
    user, database = (Identifier(rights[name]).as_string(connection) for name in ("me", "database"))
    if rights["schema"] is None:
        raise Unavailable(
            f"There is no schema to migrate into: let a superuser run: CREATE SCHEMA AUTHORIZATION {user}"
        )
    schema = Identifier(rights["schema"]).as_string(connection)
    commands = []
    if not rights["may_create"]:
        commands.append(f"GRANT CREATE ON SCHEMA {schema} TO {user}")
    if rights["lacks_extension"]:
        commands.append(f"GRANT CREATE ON DATABASE {database} TO {user}")
    if rights["lacks_role"]:
        commands.append("CREATE ROLE gateway_owner NOLOGIN")
    if rights["lacks_membership"]:
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
    """The names of migrations that were not applied here. Raises Unavailable when the user may not read our tables."""
    table = connection.execute(queries.has_migrations).fetchone()
    applied = set()
    if table and table["there"]:
        try:
            applied = {row["name"] for row in connection.execute(queries.applied_migrations)}
        except InsufficientPrivilege as error:
            raise Unavailable(
                "The database user may not read our tables. Who migrates can let it: `gateway migrate --grant USER`."
            ) from error
    return [name for name, _ in all_migrations() if name not in applied]


def all_migrations() -> list[tuple[str, str]]:
    """The name and text of every migration, in order."""
    migration_files = files("gateway.store.migrations").iterdir()
    return sorted((file.name, file.read_text("utf-8")) for file in migration_files if file.name.endswith(".sql"))


def _apply(connection: Connection) -> list[str]:
    digests = {row["name"]: row["digest"] for row in connection.execute(queries.applied_migrations)}
    applied = []
    for name, text in all_migrations():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digests.get(name) == digest:
            continue
        if name in digests:
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
        # It fails rather than wait long for a lock, behind which others would wait; try again when it is quieter.
        connection.execute("SET LOCAL lock_timeout = '4s'")
        connection.execute("SET LOCAL statement_timeout = '60s'")
        connection.execute(SQL(text))
        TimeSeries(connection).create()
        connection.execute(queries.note_migration, {"name": name, "digest": digest})
