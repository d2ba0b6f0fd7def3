"""Checks the database: version, schema, rights, durability, clock."""

from datetime import date, timedelta

from psycopg import DatabaseError
from psycopg.errors import LockNotAvailable

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.finding import Finding, ok, problem, warning
from gateway.store.database import Connection, OperationalError, Row, connect
from gateway.store.grants import missing_rights
from gateway.store.migrate import missing_migrations
from gateway.store.queries import queries
from gateway.store.timeseries import TimeSeries

_OLDEST = 150_000
"""PostgreSQL 15, in the form of server_version_num."""
_CLOCK_WARNING = timedelta(seconds=1)
_CLOCK_PROBLEM = timedelta(minutes=1)
_GRANT = "as the user who migrates, run `gateway migrate --grant USER` with the user in GATEWAY_DATABASE_URL"


def probe(url: str, clock: Clock) -> list[Finding]:
    """Run every check of the database; what it writes is rolled back."""
    try:
        with connect(url, "gateway-check") as connection:
            server = connection.execute(queries.about_server).fetchone()
            assert server is not None  # noqa: S101 - a SELECT without FROM returns a row
            findings = [_server(server), _durability(server), _clock(connection, server, clock)]
            try:
                missing = missing_migrations(connection)
            except Unavailable as error:
                return [*findings, problem("rights", str(error), _GRANT)]
            if missing:
                return [*findings, problem("schema", f"it lacks {', '.join(missing)}", "run `gateway migrate`")]
            findings += [
                ok("schema", "as this version needs it"),
                _series(connection, server),
                rights := _rights(connection),
            ]
            return findings if rights.state == "problem" else [*findings, _maintenance(connection, server)]
    except OperationalError as error:
        return [problem("database", f"it does not let us in: {_first_line(error)}", "GATEWAY_DATABASE_URL")]


def _server(server: Row) -> Finding:
    version = f"PostgreSQL {server['version']}, as {server['me']}"
    if server["number"] < _OLDEST:
        return problem("database", version, "update the server to PostgreSQL 15 or newer")
    if server["superuser"]:
        change = "name a user of the gateway's own in GATEWAY_DATABASE_URL (deploy/postgres/users.sql makes one)"
        return warning("database", f"{version}, a superuser: a mistake could reach everything on the server", change)
    return ok("database", version)


def _durability(server: Row) -> Finding:
    """Whether committed readings are on disk, since we acknowledge them to the broker."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    unsafe = [name for name in names if server[name] == "off"]
    if unsafe:
        change = f"in postgresql.conf: {', '.join(f'{name} = on' for name in unsafe)}"
        return problem("durability", f"{', '.join(unsafe)} off: a power cut loses what we acknowledged", change)
    return ok("durability", ", ".join(f"{name} {server[name]}" for name in names))


def _clock(connection: Connection, server: Row, clock: Clock) -> Finding:
    """Compare with our clock before and after the query: exact to half the time of the query."""
    before = clock()
    row = connection.execute(queries.clock_time).fetchone()
    after = clock()
    assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
    ahead = row["now"] - (before + (after - before) / 2)
    offset = f"{ahead.total_seconds():+.3f} s from ours (±{(after - before).total_seconds() / 2:.3f} s)"
    offset += f", zone {server['zone']}"
    if server["zone"] != "UTC":
        change = "connect directly: something between us and the server drops the option timezone=UTC"
        return problem("database clock", offset, change)
    if abs(ahead) < _CLOCK_WARNING:
        return ok("database clock", offset)
    change = "set both machines' clocks by NTP: rules, limits and codes mix times of both"
    return (problem if abs(ahead) >= _CLOCK_PROBLEM else warning)("database clock", offset, change)


def _series(connection: Connection, server: Row) -> Finding:
    if TimeSeries(connection).is_hypertable:
        rows = connection.execute(queries.count_chunks).fetchone() or {}
        counts = f"{rows['chunks']} chunks, {rows['in_columnstore']} of them in the columnstore"
        return ok("telemetry", f"a hypertable of TimescaleDB {server['timescale']}, {counts}")
    presence = "TimescaleDB is there, but the table was made without it" if server["timescale"] else "no TimescaleDB"
    return ok("telemetry", f"partitions by day ({presence})")


def _maintenance(connection: Connection, server: Row) -> Finding:
    """Whether days can be made and dropped: tried with days of long ago, and rolled back."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL lock_timeout = '2s'")
            if not TimeSeries(connection).is_hypertable:
                connection.execute(queries.make_day, {"day": date(101, 1, 1)})
            connection.execute(queries.drop_days_before, {"day": date(100, 1, 1)})
    except LockNotAvailable:
        return warning("maintenance", "not tried: the telemetry table was locked for 2 s", "run it again")
    except DatabaseError as error:
        refusal = f"old days cannot be dropped, or new ones made: {_first_line(error)}"
        return problem(
            "maintenance", refusal, "report it; readings are kept for longer than GATEWAY_HISTORY_MAX meanwhile"
        )
    failed = connection.execute(queries.failed_timescale_jobs).fetchall() if server["timescale"] else []
    if failed:
        names = ", ".join(f"{row['job_id']} ({row['proc_name']})" for row in failed)
        change = "see timescaledb_information.job_errors; the gateway needs none of TimescaleDB's jobs"
        return warning("maintenance", f"jobs of TimescaleDB failed: {names}", change)
    return ok("maintenance", "days can be made and dropped")


def _rights(connection: Connection) -> Finding:
    missing = missing_rights(connection)
    if missing:
        return problem("rights", f"we may not: {', '.join(missing)}", _GRANT)
    return ok("rights", "rows, days of readings, and what owners see")


def _first_line(error: DatabaseError) -> str:
    return next(iter(str(error).strip().splitlines()), "no reason given")
