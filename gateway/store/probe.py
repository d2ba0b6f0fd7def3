"""What the database is and lets us do: version, schema, rights, durability, clock."""

from datetime import timedelta

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.finding import Finding, ok, problem, warning
from gateway.store.database import Connection, OperationalError, Row, connect
from gateway.store.grants import missing_rights
from gateway.store.migrate import missing_migrations
from gateway.store.timeseries import TimeSeries

_OLDEST = 150_000
"""PostgreSQL 15, as the server writes it."""
_CLOCK_WARNING = timedelta(seconds=1)
_CLOCK_PROBLEM = timedelta(minutes=1)
_GRANT = "as the user who migrates, run `gateway migrate --grant USER` with the user in GATEWAY_DATABASE_URL"
_ABOUT = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       current_user AS me, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('TimeZone') AS zone,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale
"""


def probe(url: str, clock: Clock) -> list[Finding]:
    """Everything about the database; nothing is written."""
    try:
        with connect(url, "gateway-check") as connection:
            about = connection.execute(_ABOUT).fetchone()
            assert about is not None  # noqa: S101 - a SELECT without FROM answers a row
            found = [_server(about), _durability(about), _clock(connection, about, clock)]
            try:
                missing = missing_migrations(connection)
            except Unavailable as error:
                return [*found, problem("rights", str(error), _GRANT)]
            if missing:
                return [*found, problem("schema", f"it lacks {', '.join(missing)}", "run `gateway migrate`")]
            return [*found, ok("schema", "as this version needs it"), _series(connection, about), _rights(connection)]
    except OperationalError as error:
        return [problem("database", f"it does not let us in: {_first_line(error)}", "GATEWAY_DATABASE_URL")]


def _server(about: Row) -> Finding:
    said = f"PostgreSQL {about['version']}, as {about['me']}"
    if about["number"] < _OLDEST:
        return problem("database", said, "update the server to PostgreSQL 15 or newer")
    if about["superuser"]:
        change = "name a user of the gateway's own in GATEWAY_DATABASE_URL (deploy/postgres/users.sql makes one)"
        return warning("database", f"{said}, a superuser: a mistake could reach everything on the server", change)
    return ok("database", said)


def _durability(about: Row) -> Finding:
    """What is acknowledged to the broker must be on disk by then."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    off = [name for name in names if about[name] == "off"]
    if off:
        change = f"in postgresql.conf: {', '.join(f'{name} = on' for name in off)}"
        return problem("durability", f"{', '.join(off)} off: a power cut loses what we acknowledged", change)
    return ok("durability", ", ".join(f"{name} {about[name]}" for name in names))


def _clock(connection: Connection, about: Row, clock: Clock) -> Finding:
    """Measured between two looks at our own clock, so exact to half of what the question took."""
    before = clock()
    row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    after = clock()
    assert row is not None  # noqa: S101 - a SELECT without FROM answers a row
    ahead = row["now"] - (before + (after - before) / 2)
    said = f"{ahead.total_seconds():+.3f} s from ours (±{(after - before).total_seconds() / 2:.3f} s)"
    said += f", zone {about['zone']}"
    if about["zone"] != "UTC":
        change = "connect directly: something between us and the server drops the option timezone=UTC"
        return problem("database clock", said, change)
    if abs(ahead) < _CLOCK_WARNING:
        return ok("database clock", said)
    change = "set both machines' clocks by NTP: rules, limits and codes mix times of both"
    return (problem if abs(ahead) >= _CLOCK_PROBLEM else warning)("database clock", said, change)


def _series(connection: Connection, about: Row) -> Finding:
    if TimeSeries(connection).is_hypertable:
        return ok("telemetry", f"a hypertable of TimescaleDB {about['timescale']}")
    there = "TimescaleDB is there, but the table was made without it" if about["timescale"] else "no TimescaleDB"
    return ok("telemetry", f"partitions by day ({there})")


def _rights(connection: Connection) -> Finding:
    missing = missing_rights(connection)
    if missing:
        return problem("rights", f"we may not: {', '.join(missing)}", _GRANT)
    return ok("rights", "rows, days of readings, and what owners see")


def _first_line(error: OperationalError) -> str:
    return next(iter(str(error).strip().splitlines()), "no reason given")
