"""Reads readings for charts and exports: of one metric between two times, or all as they are stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.readings.repository import queries
from gateway.store import SQL, Connection, Row

CHART_READS_MAX = 200_000
"""The most readings that are read for one chart, the newest first: 30 days of one every 13 s."""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of a unit, with the ids under which its readings are stored."""

    unit_id: int
    metric_id: int
    measure: str
    """The unit of measurement, as in the product file."""


def series(connection: Connection, unit: str, metric: str) -> Series | None:
    """The series of a metric of the unit with this public id; None when it does not exist."""
    row = connection.execute(queries.unit_metric, {"unit": unit, "metric": metric}).fetchone()
    return Series(**row) if row else None


def chart_arguments(unit_id: int, metric_id: int, since: datetime, until: datetime, limit: int) -> dict[str, Any]:
    """The parameters of the chart queries."""
    return {
        "unit_id": unit_id,
        "metric_id": metric_id,
        "since": since,
        "until": until,
        "limit": limit,
        "most": CHART_READS_MAX,
    }


def chart_points(connection: Connection, query: SQL, arguments: dict[str, Any]) -> list[tuple[datetime, float]]:
    """The readings of a query that returns the newest first, in the order of a chart."""
    # Not prepared: only a plan for these times leaves out the partitions of other days.
    rows = connection.execute(query, arguments, prepare=False).fetchall()
    return [(row["time"], row["value"]) for row in reversed(rows)]


def stored_readings(
    connection: Connection, unit_id: int, since: datetime, until: datetime, after: tuple[datetime, int], limit: int
) -> list[Row]:
    """A unit's readings as they are stored, after a time and metric id, the oldest first."""
    arguments = {"unit_id": unit_id, "since": since, "until": until, "limit": limit}
    arguments |= {"after_time": after[0], "after_metric": after[1]}
    return connection.execute(queries.stored_readings, arguments, prepare=False).fetchall()


def conflicting_readings(
    connection: Connection, unit_id: int, since: datetime, until: datetime, limit: int
) -> list[Row]:
    """A unit's readings that differ from the stored value of their time, the oldest first."""
    arguments = {"unit_id": unit_id, "since": since, "until": until, "limit": limit}
    return connection.execute(queries.conflicting_readings, arguments).fetchall()


def conflicts_ever(connection: Connection, unit_id: int) -> int:
    """The number of a unit's conflicting readings so far, kept or not."""
    row = connection.execute(queries.conflicts_ever, {"unit_id": unit_id}).fetchone()
    return row["readings"] if row else 0
