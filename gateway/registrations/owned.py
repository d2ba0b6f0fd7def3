"""A person's units and notices, read as the role gateway_owner, which sees the my_* views and nothing else."""

from dataclasses import dataclass
from datetime import datetime

from gateway.readings.charts import chart_arguments, chart_points
from gateway.readings.history import History, Source
from gateway.readings.history import history as history_of
from gateway.registrations.repository import queries
from gateway.store import Connection, Row

_FIRST_ROW = 0
_MINE = Source(queries.my_rolled_to, queries.my_readings, queries.my_hours, queries.my_days, queries.my_recent_hours)


def units(mine: Connection, after: int, limit: int) -> list[Row]:
    """Returns the person's units with row numbers above `after`."""
    return mine.execute(queries.my_units, {"after": after, "unit": None, "limit": limit}).fetchall()


def unit(mine: Connection, unit_id: str) -> Row | None:
    """Returns one of the person's units; None for any other."""
    return mine.execute(queries.my_units, {"after": _FIRST_ROW, "unit": unit_id, "limit": 1}).fetchone()


def unit_facts(mine: Connection, unit_id: str, alarms: int) -> Row | None:
    """Returns more of one of the person's units: support, recalls, rules, and its newest alarms up to a number."""
    return mine.execute(queries.my_unit_facts, {"unit": unit_id, "alarms": alarms}).fetchone()


def measure(mine: Connection, unit_id: str, metric: str) -> str | None:
    """Returns the unit of measurement of a metric of the person's unit; None without such a metric."""
    row = mine.execute(queries.my_measure, {"unit": unit_id, "metric": metric}).fetchone()
    return row["measure"] if row else None


def readings(
    mine: Connection, unit_id: str, metric: str, since: datetime, until: datetime, limit: int
) -> list[tuple[datetime, float]]:
    """Returns one metric of the person's unit, oldest first, thinned to `limit` points for a chart."""
    numbers = mine.execute(queries.my_metric, {"unit": unit_id, "metric": metric}).fetchone()
    if numbers is None:
        return []
    return chart_points(mine, queries.my_readings, chart_arguments(**numbers, since=since, until=until, limit=limit))


def history(mine: Connection, unit_id: str, metric: str, since: datetime, until: datetime, limit: int) -> History:
    """Returns one metric of the person's unit over any time: readings, hours or days."""
    numbers = mine.execute(queries.my_metric, {"unit": unit_id, "metric": metric}).fetchone()
    if numbers is None:
        return History("reading", [])
    return history_of(mine, _MINE, numbers["unit_id"], numbers["metric_id"], since, until, limit)


def messages(mine: Connection, unit_id: str) -> list[Row]:
    """The last messages of the person's unit, the newest first."""
    return mine.execute(queries.my_messages, {"unit": unit_id}).fetchall()


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the person's notices, the newest first.

    `pinned` are the open recalls that they have not acknowledged, the oldest first, which are in no page; `unread`
    counts all notices that they have not read.
    """

    pinned: list[Row]
    notices: list[Row]
    unread: int


def feed(mine: Connection, before: int, limit: int) -> FeedPage:
    """Returns the person's notices below a number."""
    rows = mine.execute(queries.my_feed, {"before": before, "limit": limit})
    unread = mine.execute(queries.my_unread).fetchone()
    notices = rows.fetchall()
    pinned = [row for row in reversed(notices) if row["is_pinned"]]
    return FeedPage(pinned, [row for row in notices if not row["is_pinned"]], unread["unread"] if unread else 0)


def notice(mine: Connection, notice_id: str) -> Row | None:
    """Returns one of the person's notices; None for any other."""
    return mine.execute(queries.my_one, {"notice": notice_id}).fetchone()
