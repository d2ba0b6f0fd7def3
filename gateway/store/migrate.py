"""Migrations: numbered SQL files, each applied once in a transaction of its own, never edited afterwards."""

import hashlib
from importlib.resources import files

from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL

from gateway.core.errors import Unavailable
from gateway.store.database import Connection, connect
from gateway.store.timeseries import TimeSeries

_LOCK = 7_402_201
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
  name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""


def migrate(url: str) -> list[str]:
    """Bring the database to this version's schema; answers the names applied. Safe to run from several places at once.

    Raises Unavailable when a migration that ran was edited since.
    """
    with connect(url, "gateway-migrate") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        connection.execute(_TABLE)
        return _apply(connection)


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
    return [name for name, _ in _migrations() if name not in done]


def _migrations() -> list[tuple[str, str]]:
    """Name and text of every migration, in order."""
    found = files("gateway.store.migrations").iterdir()
    return sorted((file.name, file.read_text("utf-8")) for file in found if file.name.endswith(".sql"))


def _apply(connection: Connection) -> list[str]:
    done = {row["name"]: row["digest"] for row in connection.execute("SELECT name, digest FROM schema_migration")}
    applied = []
    for name, text in _migrations():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if done.get(name) == digest:
            continue
        if name in done:
            raise Unavailable(f"Migration {name} was edited after it ran here; add a new one instead.")
        with connection.transaction():
            # Rather give up than lock a busy table: the next try finds a quieter moment.
            connection.execute("SET LOCAL lock_timeout = '4s'")
            connection.execute("SET LOCAL statement_timeout = '60s'")
            connection.execute(SQL(text))
            TimeSeries(connection).create()
            connection.execute("INSERT INTO schema_migration (name, digest) VALUES (%s, %s)", [name, digest])
        applied.append(name)
    return applied
