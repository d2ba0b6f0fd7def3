"""The event log by months: made ahead, and dropped when the operator says so and nobody needs them."""

from datetime import date, datetime, timedelta

from gateway.events.log import queries
from gateway.store import Connection

_AHEAD = 3
"""Months that are made ahead of now: for so long nobody needs to come by."""
_AT_ONCE = 10_000
"""Places that go in one statement."""


def ensure_months(connection: Connection) -> None:
    """Make room for the events of this month and of the next ones."""
    connection.execute(queries.make_months, {"ahead": _AHEAD})


def room_until(connection: Connection) -> date:
    """The first day that there is no room for."""
    row = connection.execute(queries.last_month).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    last: date = row["day"]
    return (last + timedelta(days=31)).replace(day=1)


def drop_before(connection: Connection, day: date) -> int:
    """Drop the months that end by `day`, but none that a reader has not read; returns how many went.

    Raises OperationalError where a transaction that reads the log goes on for too long: then try again later.
    """
    row = connection.execute(queries.drop_before, {"day": day}).fetchone()
    months = int(row["months"]) if row else 0
    if months:
        _drop_places(connection)
    return months


def _drop_places(connection: Connection) -> None:
    """From the lowest on, in short statements, up to the first page without any that is too old."""
    row = connection.execute(queries.oldest_month).fetchone()
    first: date | None = row["day"] if row else None
    after, gone = 0, 1
    while first and gone:
        parameters = {"after": after, "limit": _AT_ONCE, "before": _begin(first)}
        page = connection.execute(queries.drop_places, parameters).fetchone()
        assert page is not None  # noqa: S101 - a SELECT without FROM returns a row
        after, gone = page["last"] or after, page["gone"]


def _begin(day: date) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00Z")
