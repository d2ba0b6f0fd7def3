"""Named readers: each gets every event once, and its place moves in the transaction that handles the events."""

from collections.abc import Collection
from dataclasses import dataclass

from gateway.events.log import Event, event_of, queries
from gateway.store import Connection

NOTIFY = "notify"
"""The reader that turns events into notices."""
UNREAD_MAX = 10_000
"""The highest number of unread, or unplaced, events that is counted."""


def read_next(tx: Connection, reader: str, limit: int, kinds: Collection[str]) -> tuple[list[Event], int]:
    """Returns those of these kinds among the next events of a named reader, and how many there were of any kind.

    All of them count as read when `tx` commits. Call `place_events` before the transaction: inside it, no event gets a
    place.
    """
    tx.execute(queries.register_reader, {"name": reader})
    row = tx.execute(queries.lock_reader, {"name": reader}).fetchone()
    assert row is not None  # noqa: S101 - registered one line above
    place = {"place": row["place"]}
    next_places = tx.execute(queries.next_places, place | {"limit": limit}).fetchone()
    if next_places is None or not next_places["events"]:
        return [], 0
    wanted = place | {"last": next_places["last"], "kinds": list(kinds)}
    events = [event_of(row) for row in tx.execute(queries.read_kinds, wanted)]
    tx.execute(queries.advance_reader, {"name": reader, "place": next_places["last"]})
    return events, next_places["events"]


@dataclass(frozen=True, slots=True)
class UnreadEvents:
    """The number of events that a named reader has not read, and for how many seconds the first could be read."""

    count: int
    age_s: float


def unread_events(connection: Connection, reader: str) -> UnreadEvents:
    """Returns how far a reader is behind."""
    row = connection.execute(queries.unread, {"name": reader, "limit": UNREAD_MAX}).fetchone()
    return UnreadEvents(row["events"], row["age_s"]) if row else UnreadEvents(0, 0.0)


@dataclass(frozen=True, slots=True)
class UnplacedEvents:
    """The number of committed events that have no place yet, and the lowest number among them."""

    count: int
    first: int | None


def unplaced_events(connection: Connection) -> UnplacedEvents:
    """Returns the events that the next `place_events` would place."""
    row = connection.execute(queries.waiting, {"limit": UNREAD_MAX}).fetchone()
    return UnplacedEvents(row["events"], row["first"]) if row else UnplacedEvents(0, None)
