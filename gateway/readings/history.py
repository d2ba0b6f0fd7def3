"""A metric of a unit over any time: as readings where those are few, else by hour, else by day.

What is not rolled up yet is counted from readings, so that the line goes on to its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from gateway.readings.charts import chart_arguments, chart_points
from gateway.readings.repository import queries
from gateway.readings.rollups import DAY, HOUR, day_of, hour_of
from gateway.store import SQL, Connection

RAW_READS = 20_000
"""Up to so many readings a chart is made of them: a day of one every 4 s."""
_RAW_SPAN = timedelta(hours=50)
"""A shorter time is always shown as readings: a day and what clocks may be ahead."""
_HOURS_SPAN = timedelta(days=33)
"""A longer time is never shown by hour: a month and what clocks may be ahead."""

Step = Literal["reading", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Source:
    """The queries that a history is read with: of all units, or of a person's."""

    rolled_to: SQL
    readings: SQL
    hours: SQL
    days: SQL
    recent_hours: SQL


ALL_UNITS = Source(queries.rolled_to, queries.readings, queries.hours, queries.days, queries.recent_hours)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The readings of an hour or a day."""

    begins: datetime
    low: float
    high: float
    total: float
    readings: int

    @property
    def mean(self) -> float:
        """The mean of its readings."""
        return self.total / self.readings


@dataclass(frozen=True, slots=True)
class History:
    """Points of a chart, the oldest first; `bands` has the lowest and highest of each, and is empty for readings."""

    step: Step
    points: Sequence[tuple[datetime, float]]
    bands: Sequence[tuple[float, float]] = ()


def history(
    connection: Connection,
    source: Source,
    unit_id: int,
    metric_id: int,
    since: datetime,
    until: datetime,
    limit: int,
) -> History:
    """A metric of a unit between two times, in `limit` points at most; of more, the newest buckets."""
    asked = _Asked(connection, source, unit_id, metric_id, limit)
    row = connection.execute(source.rolled_to).fetchone()
    rolled_to = row["rolled_to"] if row else None
    if rolled_to is None or until - since <= _RAW_SPAN:
        return asked.readings(since, until)
    days = asked.buckets(source.days, day_of(since), min(day_of(rolled_to), until))
    if sum(day.readings for day in days) <= RAW_READS:
        points = asked.readings(since, until)
        if _is_whole(points, days):
            return points
    begins = max(since, days[0].begins - DAY) if days else since
    if until - begins <= min(_HOURS_SPAN, limit * HOUR):
        hours = asked.buckets(source.hours, hour_of(since), min(rolled_to, until))
        if hours or not days:
            return _of("hour", hours + asked.recent(max(since, rolled_to), until), limit)
    today = asked.buckets(source.hours, max(day_of(rolled_to), day_of(since)), min(rolled_to, until))
    return _of("day", days + by_day(today + asked.recent(max(since, rolled_to), until)), limit)


def _is_whole(history: History, days: Sequence[Bucket]) -> bool:
    """Whether readings go back as far as the days do: they may be kept shorter."""
    return not days or (bool(history.points) and history.points[0][0] < days[0].begins + DAY)


def by_day(hours: Sequence[Bucket]) -> list[Bucket]:
    """The days of hours that are in order."""
    return [_joined(day, list(group)) for day, group in groupby(hours, lambda hour: day_of(hour.begins))]


def _joined(begins: datetime, parts: Sequence[Bucket]) -> Bucket:
    return Bucket(
        begins,
        min(part.low for part in parts),
        max(part.high for part in parts),
        sum(part.total for part in parts),
        sum(part.readings for part in parts),
    )


def _of(step: Step, buckets: Sequence[Bucket], limit: int) -> History:
    shown = buckets[-limit:]
    points = [(bucket.begins, bucket.mean) for bucket in shown]
    return History(step, points, [(bucket.low, bucket.high) for bucket in shown])


@dataclass(frozen=True, slots=True)
class _Asked:
    """The metric of a unit that is asked for."""

    connection: Connection
    source: Source
    unit_id: int
    metric_id: int
    limit: int

    def arguments(self, since: datetime, until: datetime) -> dict[str, Any]:
        return chart_arguments(self.unit_id, self.metric_id, since, until, self.limit)

    def readings(self, since: datetime, until: datetime) -> History:
        return History("reading", chart_points(self.connection, self.source.readings, self.arguments(since, until)))

    def buckets(self, query: SQL, since: datetime, until: datetime) -> list[Bucket]:
        # Not prepared: only a plan for these times leaves out the partitions of others.
        rows = self.connection.execute(query, self.arguments(since, until), prepare=False)
        return [Bucket(**row) for row in rows]

    def recent(self, since: datetime, until: datetime) -> list[Bucket]:
        return self.buckets(self.source.recent_hours, since, until)
