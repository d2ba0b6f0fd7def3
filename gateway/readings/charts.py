"""Readings as charts and exports read them: of one metric between two moments, or all as they are stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.readings.repository import queries
from gateway.store import SQL, Connection, Row

CHART_READS_MAX = 200_000
"""Readings that are read for one chart, the newest first: 30 days of one every 13 s."""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of a unit, by the numbers under which its readings are stored."""

    unit_id: int
    metric_id: int
    measure: str
    """What it is measured in, as in the product file."""


def series(connection: Connection, unit: str, metric: str) -> Series | None:
    """The series of this metric, if the unit with this public id has it."""
    row = connection.execute(queries.unit_metric, {"unit": unit, "metric": metric}).fetchone()
    return Series(**row) if row else None


def readings(
    connection: Connection, series: Series, since: datetime, until: datetime, limit: int
) -> list[tuple[datetime, float]]:
    """The readings of a series between two moments, oldest first.

    Of more than `limit` the lowest and the highest of each part of the time, and the newest; of more than
    `CHART_READS_MAX` the older ones are not looked at.
    """
    arguments = chart_arguments(series.unit_id, series.metric_id, since, until, limit)
    return chart_points(connection, queries.readings, arguments)


def chart_arguments(unit_id: int, metric_id: int, since: datetime, until: datetime, limit: int) -> dict[str, Any]:
    """What the queries of readings ask for."""
    return {
        "unit_id": unit_id,
        "metric_id": metric_id,
        "since": since,
        "until": until,
        "limit": limit,
        "most": CHART_READS_MAX,
    }


def chart_points(connection: Connection, query: SQL, arguments: dict[str, Any]) -> list[tuple[datetime, float]]:
    """The readings that a query returns newest first, oldest first."""
    # Not prepared: only a plan made for these moments leaves out the days beyond them.
    rows = connection.execute(query, arguments, prepare=False).fetchall()
    return [(row["time"], row["value"]) for row in reversed(rows)]


def stored_readings(
    connection: Connection, unit_id: int, since: datetime, until: datetime, after: tuple[datetime, int], limit: int
) -> list[Row]:
    """A unit's readings as they are stored, behind a time and a metric's number, oldest first."""
    place = {"after_time": after[0], "after_metric": after[1]}
    arguments = {"unit_id": unit_id, "since": since, "until": until, "limit": limit} | place
    return connection.execute(queries.stored_readings, arguments, prepare=False).fetchall()


def conflicting_readings(
    connection: Connection, unit_id: int, since: datetime, until: datetime, limit: int
) -> list[Row]:
    """A unit's readings that said otherwise than what stands for their time, oldest first."""
    arguments = {"unit_id": unit_id, "since": since, "until": until, "limit": limit}
    return connection.execute(queries.conflicting_readings, arguments).fetchall()


def conflicts_ever(connection: Connection, unit_id: int) -> int:
    """The number of readings of a unit that ever said otherwise than what stood, kept or not."""
    row = connection.execute(queries.conflicts_ever, {"unit_id": unit_id}).fetchone()
    return row["readings"] if row else 0
