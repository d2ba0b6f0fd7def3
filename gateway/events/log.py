"""Append to the event log and read it from any point.

A sequence alone is not in commit order (a slow transaction commits a lower number later). So each event keeps its
transaction's id, the order is (transaction id, number), and only what lies below every running transaction is read:
nothing can appear behind a reader's place any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from gateway.core.errors import BadInput
from gateway.store import Connection, Jsonb, Row, load_queries
from gateway.store.wakeup import wait

queries = load_queries("gateway.events")

GATEWAY = "gateway"
"""The actor of what the gateway does by itself."""

_HELD = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log: everything up to and with this event has been read."""

    xid: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.xid}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """A position as `str()` writes it; raises BadInput for anything else."""
        xid, dot, number = text.partition(".")
        if not (dot and xid.isdecimal() and number.isdecimal() and max(len(xid), len(number)) < 19):
            raise BadInput(f"{text!r} is not a place in the event log; use the cursor of an event, like 812.44")
        return cls(int(xid), int(number))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `unit` and `person` are public ids, `data` depends on the kind."""

    position: Position
    at: datetime
    kind: str
    actor: str
    unit_id: int | None
    person_id: int | None
    unit: str | None
    person: str | None
    data: dict[str, Any]


def append(
    tx: Connection,
    kind: str,
    data: dict[str, Any],
    *,
    actor: str = GATEWAY,
    unit_id: int | None = None,
    person_id: int | None = None,
) -> None:
    """Write one event in the caller's transaction: it exists if, and only if, what it tells of was committed."""
    tx.execute(
        queries.append,
        {"kind": kind, "actor": actor, "unit_id": unit_id, "person_id": person_id, "data": Jsonb(data)},
    )


def append_all(tx: Connection, kind: str, rows: Iterable[tuple[int, dict[str, Any]]], *, actor: str) -> None:
    """Write one event of `kind` for each (unit id, data), in the caller's transaction."""
    with tx.cursor() as cursor:
        cursor.executemany(
            queries.append,
            [
                {"kind": kind, "actor": actor, "unit_id": unit_id, "person_id": None, "data": Jsonb(data)}
                for unit_id, data in rows
            ],
        )


def append_each(tx: Connection, kind: str, rows: Iterable[tuple[int, int, dict[str, Any]]]) -> None:
    """Write one event of `kind` for each (unit id, person id, data), by the gateway, in the caller's transaction."""
    with tx.cursor() as cursor:
        cursor.executemany(
            queries.append,
            [
                {"kind": kind, "actor": GATEWAY, "unit_id": unit_id, "person_id": person_id, "data": Jsonb(data)}
                for unit_id, person_id, data in rows
            ],
        )


def read(connection: Connection, after: Position, limit: int) -> list[Event]:
    """The next events behind `after`, oldest first."""
    rows = connection.execute(queries.read, {"xid": after.xid, "id": after.id, "limit": limit})
    return [_event(row) for row in rows]


def wait_for_next(connection: Connection, after: Position, at_most: timedelta) -> None:
    """Wait for a wake-up after nothing could be read; a moment only, while an older transaction holds events back.

    Its end wakes nobody: most of ingest's transactions write no event.
    """
    is_held = connection.execute(queries.behind, {"xid": after.xid, "id": after.id}).rowcount > 0
    wait(connection, min(at_most, _HELD) if is_held else at_most)


def end(connection: Connection) -> Position:
    """The place of the newest readable event: a reader that starts here hears only what is new."""
    row = connection.execute(queries.end).fetchone()
    return Position(row["xid"], row["id"]) if row else Position()


def read_next(tx: Connection, reader: str, limit: int) -> list[Event]:
    """The events a named reader has not had; they count as had when `tx` commits, with whatever it did about them."""
    tx.execute(queries.register_reader, {"name": reader})
    place = tx.execute(queries.lock_reader, {"name": reader}).fetchone()
    assert place is not None  # noqa: S101 - registered one line above
    events = read(tx, Position(place["xid"], place["id"]), limit)
    if events:
        last = events[-1].position
        tx.execute(queries.advance_reader, {"name": reader, "xid": last.xid, "id": last.id})
    return events


UNREAD_MAX = 10_000
"""Further ones are not counted."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What a named reader has before it: how many events, and the age of the oldest in seconds."""

    events: int
    age_s: float


def unread(connection: Connection, reader: str) -> Unread:
    """How far a reader is behind."""
    row = connection.execute(queries.unread, {"name": reader, "limit": UNREAD_MAX}).fetchone()
    return Unread(**row) if row else Unread(0, 0.0)


def _event(row: Row) -> Event:
    position = Position(row.pop("xid"), row.pop("id"))
    return Event(position=position, **row)
