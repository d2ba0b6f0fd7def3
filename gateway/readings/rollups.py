"""Readings by hour and by day: closed hours are rolled up, and counted again where late readings were written into.

Every step is a short transaction that counts whole hours from their readings, so it may be done again after a crash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from gateway.core.clock import EPOCH
from gateway.readings.repository import queries
from gateway.store import Connection, Row
from gateway.store.timeseries import TimeSeries

GRACE = timedelta(minutes=15)
"""An hour is closed so long after its end; what comes later is counted again."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where rolling stands: all before `rolled_to`, and of the span up to `rolling_to` all up to a metric of a unit."""

    closed_to: datetime | None
    rolled_to: datetime | None
    rolling_to: datetime | None
    after_unit: int = 0
    after_metric: int = 0


def mark(connection: Connection) -> Mark | None:
    """Where rolling stands; None while nobody notes late readings."""
    row = connection.execute(queries.rollup_mark).fetchone()
    return Mark(**row) if row else None


def count_touched(connection: Connection) -> int:
    """The number of closed hours that wait to be counted again, up to 10,000."""
    row = connection.execute(queries.count_touched, {"limit": 10_000}).fetchone()
    return row["hours"] if row else 0


def closing(now: datetime) -> datetime:
    """The moment before which hours can be closed."""
    return hour_of(now - GRACE)


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment - (moment - EPOCH) % HOUR


def day_of(moment: datetime) -> datetime:
    """The beginning of its UTC day."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def close_hours(connection: Connection, to: datetime) -> frozenset[str]:
    """Close the hours before a time. Returns the transactions that may still write into them without noting it."""
    connection.execute(queries.close_hours, {"to": to})
    return writers(connection)


def writers(connection: Connection) -> frozenset[str]:
    """The open transactions that have written readings."""
    return frozenset(row["writer"] for row in connection.execute(queries.writers))


def begin_span(connection: Connection, mark: Mark) -> Mark:
    """Begin to roll up what follows, up to the end of its day or of what is closed; the mark stays where nothing is."""
    if mark.rolling_to is not None or mark.closed_to is None:
        return mark
    rolled_to = mark.rolled_to or _first_day(connection, mark.closed_to)
    if rolled_to >= mark.closed_to:
        return mark
    begun = Mark(mark.closed_to, rolled_to, min(day_of(rolled_to) + DAY, mark.closed_to))
    connection.execute(queries.make_rollup_room, {"day": rolled_to.date()})
    _set(connection, begun)
    return begun


def _first_day(connection: Connection, closed_to: datetime) -> datetime:
    first = TimeSeries(connection).first_day()
    return min(datetime.combine(first, time(), UTC), closed_to) if first else closed_to


def roll(connection: Connection, mark: Mark, limit: int) -> Mark:
    """Roll up the span for the next metrics of units, `limit` at most, in one transaction. Returns the new mark."""
    if mark.rolled_to is None or mark.rolling_to is None:
        return mark
    day = day_of(mark.rolled_to)
    with connection.transaction():
        after = {"after_unit": mark.after_unit, "after_metric": mark.after_metric, "limit": limit}
        # Not prepared, here and below: only a plan for these times leaves out the partitions of other days.
        rows = connection.execute(queries.next_series, _within(day) | after, prepare=False).fetchall()
        if rows:
            _recount_hours(connection, day, rows, [mark.rolled_to] * len(rows), [mark.rolling_to] * len(rows))
            if mark.rolling_to == day + DAY:
                _recount_days(connection, day, rows)
        if len(rows) == limit:
            last = rows[-1]
            moved = Mark(mark.closed_to, mark.rolled_to, mark.rolling_to, last["unit_id"], last["metric_id"])
        else:
            moved = Mark(mark.closed_to, mark.rolling_to, None)
        _set(connection, moved)
    return moved


def next_touched(connection: Connection, since: datetime) -> datetime | None:
    """The first day from a time on of which closed hours were written into."""
    row = connection.execute(queries.next_touched, {"since": since}).fetchone()
    return day_of(row["begins"]) if row and row["begins"] else None


def recount_touched(connection: Connection, day: datetime, limit: int) -> int:
    """Count closed hours of a day anew that were written into, and the day, in one transaction. Returns the number.

    Hours that will be rolled up yet, and those whose raw readings were deleted, stay as they are.
    """
    connection.execute(queries.make_rollup_room, {"day": day.date()})
    with connection.transaction():
        rows = connection.execute(queries.take_touched, _within(day) | {"limit": limit}).fetchall()
        if rows:
            begins = [row["begins"] for row in rows]
            _recount_hours(connection, day, rows, begins, [begin + HOUR for begin in begins])
            _recount_days(connection, day, rows)
    return len(rows)


def _recount_hours(
    tx: Connection, day: datetime, rows: Sequence[Row], sinces: Sequence[datetime], untils: Sequence[datetime]
) -> None:
    spans = {"sinces": list(sinces), "untils": list(untils)}
    tx.execute(queries.recount_hours, _within(day) | _series(rows) | spans, prepare=False)


def _recount_days(tx: Connection, day: datetime, rows: Sequence[Row]) -> None:
    unique = {(row["unit_id"], row["metric_id"]): row for row in rows}
    tx.execute(queries.recount_days, _within(day) | _series(list(unique.values())), prepare=False)


def _within(day: datetime) -> Row:
    return {"begin": day, "end": day + DAY}


def _series(rows: Sequence[Row]) -> Row:
    return {"units": [row["unit_id"] for row in rows], "metrics": [row["metric_id"] for row in rows]}


def _set(connection: Connection, mark: Mark) -> None:
    parameters = {
        "rolled_to": mark.rolled_to,
        "rolling_to": mark.rolling_to,
        "after_unit": mark.after_unit,
        "after_metric": mark.after_metric,
    }
    connection.execute(queries.set_rolled, parameters)
