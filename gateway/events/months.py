"""The monthly partitions of the event log: made ahead, and dropped when they are old and every reader is past them."""

from datetime import date, datetime, timedelta

from gateway.events.log import queries
from gateway.store import Connection

_AHEAD = 3
"""The number of months made ahead: that long the log can grow although no worker runs."""
_PLACES_PER_STATEMENT = 10_000


def ensure_months(connection: Connection) -> None:
    """Make the partitions of this month and of the next ones."""
    connection.execute(queries.make_months, {"ahead": _AHEAD})


def room_until(connection: Connection) -> date:
    """Returns the first day that has no partition."""
    row = connection.execute(queries.last_month).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    last: date = row["day"]
    return (last + timedelta(days=31)).replace(day=1)


def drop_before(connection: Connection, day: date) -> int:
    """Drop the months that end by `day`, but none that a reader has not read. Returns the number of months dropped.

    Raises OperationalError where a transaction that reads the log goes on for too long: then try again later.
    """
    row = connection.execute(queries.drop_before, {"day": day}).fetchone()
    months = int(row["months"]) if row else 0
    if months:
        _drop_places(connection)
    return months


def _drop_places(connection: Connection) -> None:
    """Drop the places of dropped events, from the lowest on, in short statements."""
    row = connection.execute(queries.oldest_month).fetchone()
    first: date | None = row["day"] if row else None
    after, dropped = 0, 1
    while first and dropped:
        parameters = {"after": after, "limit": _PLACES_PER_STATEMENT, "before": _begin(first)}
        page = connection.execute(queries.drop_places, parameters).fetchone()
        assert page is not None  # noqa: S101 - a SELECT without FROM returns a row
        after, dropped = page["last"] or after, page["deleted"]


def _begin(day: date) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00Z")
