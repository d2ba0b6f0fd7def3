"""Named readers: each has every event once, and its place moves in the transaction of what it did about them."""

from dataclasses import dataclass

from gateway.events.log import Event, Position, queries, read
from gateway.store import Connection

NOTIFY = "notify"
"""The reader that turns events into notices."""
UNREAD_MAX = 10_000
"""Further ones are not counted."""


def read_next(tx: Connection, reader: str, limit: int) -> list[Event]:
    """The events a named reader has not had; they count as had when `tx` commits, with whatever it did about them.

    Call `place_events` before the transaction: inside it, nothing gets a place.
    """
    tx.execute(queries.register_reader, {"name": reader})
    row = tx.execute(queries.lock_reader, {"name": reader}).fetchone()
    assert row is not None  # noqa: S101 - registered one line above
    events = read(tx, Position(row["place"]), limit)
    if events:
        tx.execute(queries.advance_reader, {"name": reader, "place": events[-1].position.place})
    return events


@dataclass(frozen=True, slots=True)
class Unread:
    """What a named reader has before it: how many events, and for how many seconds the first could be read."""

    events: int
    age_s: float


def unread(connection: Connection, reader: str) -> Unread:
    """How far a reader is behind."""
    row = connection.execute(queries.unread, {"name": reader, "limit": UNREAD_MAX}).fetchone()
    return Unread(**row) if row else Unread(0, 0.0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Committed events that have no place yet: how many, and the lowest number of them."""

    events: int
    first: int | None


def waiting(connection: Connection) -> Waiting:
    """What the next turn would place."""
    row = connection.execute(queries.waiting, {"limit": UNREAD_MAX}).fetchone()
    return Waiting(**row) if row else Waiting(0, None)
