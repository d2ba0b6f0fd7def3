"""The telemetry table: a TimescaleDB hypertable where the server has it, else partitions by day.

Schema and queries are the same for both; only this class handles the difference, in DDL and maintenance.
TimescaleDB's functions are those of its API reference, version 2.20 (create_hypertable, by_range, drop_chunks).
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta
from functools import cached_property

from psycopg.errors import FeatureNotSupported
from psycopg.sql import Identifier

from gateway.store.database import Connection
from gateway.store.queries import queries

_TABLE = """
CREATE TABLE telemetry (                        -- raw readings: written once, never updated
  time        timestamptz NOT NULL,             -- the device's
  unit_id     bigint      NOT NULL,
  metric_id   smallint    NOT NULL,
  value       float8      NOT NULL,
  received_at timestamptz NOT NULL,
  late        boolean     NOT NULL              -- older than what was judged: raised nothing
)
"""
_KEY = "CREATE UNIQUE INDEX telemetry_key ON telemetry (unit_id, metric_id, time DESC)"


class TimeSeries:
    """DDL and maintenance of the telemetry table, over a connection in autocommit or in a transaction."""

    # Functions of migration 0007 make and drop days: the roles' user may call them and need not own the table.

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._days: set[date] = set()

    def create(self) -> None:
        """Create the table unless it exists. Its kind never changes afterwards."""
        if self._kind() is not None:
            return
        if self.has_timescale():
            self._connection.execute(_TABLE)
            schema = Identifier(self._timescale_schema())
            self._connection.execute(queries.make_hypertable.format(schema=schema))
        else:
            self._connection.execute(_TABLE + " PARTITION BY RANGE (time)")
        self._connection.execute(_KEY)

    def has_timescale(self) -> bool:
        """Whether the extension is installed in this database; installs it if possible."""
        available = self._connection.execute(queries.timescale_here).fetchone()
        if available and available["installed_version"] is None:
            self._connection.execute("CREATE EXTENSION timescaledb")
        return available is not None

    def _timescale_schema(self) -> str:
        """The schema of the installed extension, which may be outside the search path."""
        row = self._connection.execute(queries.timescale_schema).fetchone()
        assert row is not None  # noqa: S101 - `has_timescale` installed it
        return str(row["name"])

    def _kind(self) -> str | None:
        row = self._connection.execute(queries.telemetry_kind).fetchone()
        return None if row is None else row["kind"]

    @cached_property
    def is_hypertable(self) -> bool:
        """True for a hypertable, False for plain partitions; the table must exist."""
        return self._kind() != "p"

    def ensure_days(self, days: Iterable[date]) -> None:
        """Make the partitions of these UTC days. They are attached, which does not block reading statements."""
        missing = set(days) - self._days
        if not missing or self.is_hypertable:
            return
        for day in sorted(missing - self.existing_days()):
            self._connection.execute(queries.make_day, {"day": day})
        self._days |= missing

    def make_few(self, days: Iterable[date], at_most: int) -> frozenset[date]:
        """Make partitions for at most `at_most` of these UTC days, the newest first. Returns the days without one.

        On a hypertable the insert of a reading makes the chunk of its day, so here it is only counted.
        """
        missing = set(days) - self._days
        if not missing:
            return frozenset()
        existing = self._chunk_days() if self.is_hypertable else self.existing_days()
        self._days |= missing & existing
        newest_first = sorted(missing - existing, reverse=True)
        self.ensure_days(newest_first[:at_most])
        self._days |= set(newest_first[:at_most])
        return frozenset(newest_first[at_most:])

    def existing_days(self) -> set[date]:
        """The days that have a partition."""
        rows = self._connection.execute(queries.telemetry_partitions)
        return {date.fromisoformat(row["name"].removeprefix("telemetry_")) for row in rows}

    def first_day(self) -> date | None:
        """The first day that there is room for."""
        return min(self._chunk_days() if self.is_hypertable else self.existing_days(), default=None)

    def _chunk_days(self) -> set[date]:
        chunks = self._connection.execute(queries.chunk_spans)
        spans = [(row["range_start"].date(), row["range_end"].date()) for row in chunks]
        return {begin + timedelta(days=n) for begin, end in spans for n in range((end - begin).days)}

    def to_columnstore(self, day: date) -> int:
        """Put TimescaleDB's chunks of days before `day` into its columnstore. Returns the number put there.

        Each is a transaction of its own, in which who writes into that day waits. An edition without a columnstore
        keeps rows.
        """
        converted = 0
        with suppress(FeatureNotSupported):
            while (row := self._connection.execute(queries.to_columnstore, {"day": day}).fetchone()) and row["done"]:
                converted += 1
        return converted

    def drop_before(self, day: date) -> int:
        """Drop raw readings of the days before `day`. Returns the number of days (or chunks) dropped."""
        if self.is_hypertable:
            return self._drop_before(day)
        old_days = sorted(existing_day for existing_day in self.existing_days() if existing_day < day)
        self._days -= set(old_days)
        # One day at a time: reading statements wait while a partition is dropped.
        return sum(self._drop_before(existing_day + timedelta(days=1)) for existing_day in old_days)

    def _drop_before(self, day: date) -> int:
        row = self._connection.execute(queries.drop_days_before, {"day": day}).fetchone()
        return int(row["dropped"]) if row else 0
