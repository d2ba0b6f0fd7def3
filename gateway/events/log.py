"""Append to the event log and read it from any point.

The places of the events are their order. An event gets its place after its commit, from whoever reads the log next, in
a short transaction (migration 0012 has the function). So an event can be read as soon as it is committed, whatever else
runs, and none appears before a place that a reader has passed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from gateway.core.errors import BadInput
from gateway.store import Connection, Json, Jsonb, Row, is_idle, load_queries

queries = load_queries("gateway.events")

GATEWAY = "gateway"
"""The actor of what the gateway does by itself."""
TURN_MAX = 10_000
"""The most events that get their places in one transaction; it takes some 50 ms, and readers wait for it."""
_EVENTS_PER_STATEMENT = 5_000
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=]+@[^\s<>\"'(),;:=]+")
_PLACEHOLDER = "(an address)"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log: everything up to and with this event has been read."""

    place: int = 0

    def __str__(self) -> str:
        return str(self.place)

    @classmethod
    def parse(cls, text: str) -> Self:
        """A position as `str()` writes it; raises BadInput for anything else."""
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise BadInput(f"{text!r} is not a place in the event log; use the cursor of an event, like 812")
        return cls(int(text))


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
    """Write one event in the caller's transaction: it exists exactly if the change that it is about is committed.

    `data` carries ids, never names: the log is kept when a person is erased. Addresses, as in the words of a mail
    server, are taken out.
    """
    tx.execute(
        queries.append,
        {
            "kind": kind,
            "actor": actor,
            "unit_id": unit_id,
            "person_id": person_id,
            "data": Jsonb(without_addresses(data)),
        },
    )


def append_all(tx: Connection, kind: str, rows: Iterable[tuple[int, dict[str, Any]]], *, actor: str) -> None:
    """Write one event of `kind` for each (unit id, data), in the caller's transaction."""
    _append_rows(tx, actor, [(kind, unit_id, None, data) for unit_id, data in rows])


def append_each(tx: Connection, kind: str, rows: Iterable[tuple[int | None, int, dict[str, Any]]]) -> None:
    """Write one event of `kind` for each (unit id, person id, data), by the gateway, in the caller's transaction."""
    _append_rows(tx, GATEWAY, [(kind, *row) for row in rows])


def append_mixed(tx: Connection, rows: Iterable[tuple[str, int, dict[str, Any]]]) -> None:
    """Write one event for each (kind, unit id, data), by the gateway, in this order, in the caller's transaction."""
    _append_rows(tx, GATEWAY, [(kind, unit_id, None, data) for kind, unit_id, data in rows])


def _append_rows(tx: Connection, actor: str, rows: list[tuple[str, int | None, int | None, dict[str, Any]]]) -> None:
    for start in range(0, len(rows), _EVENTS_PER_STATEMENT):
        page = rows[start : start + _EVENTS_PER_STATEMENT]
        events = [
            {"kind": kind, "unit_id": unit_id, "person_id": person_id, "data": without_addresses(data)}
            for kind, unit_id, person_id, data in page
        ]
        tx.execute(queries.append_rows, {"actor": actor, "rows": Json(events)})


def without_addresses(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Returns the value with each mail address in its texts replaced."""
    if isinstance(value, str):
        return _ADDRESS.sub(_PLACEHOLDER, value) if "@" in value else value
    if isinstance(value, dict):
        return {name: without_addresses(item) for name, item in value.items()}
    return [without_addresses(item) for item in value] if isinstance(value, list | tuple) else value


def place_events(connection: Connection) -> int:
    """Give the events that are committed their places, in one short transaction. Returns the number of them.

    Inside a transaction nothing is done: its lock would be held for as long as the transaction.
    """
    if not is_idle(connection):
        return 0
    row = connection.execute(queries.place, {"limit": TURN_MAX}).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
    return int(row["placed"])


def read(connection: Connection, after: Position, limit: int) -> list[Event]:
    """Returns the next events behind `after`, oldest first. Events without a place get theirs before."""
    place_events(connection)
    return [event_of(row) for row in connection.execute(queries.read, {"place": after.place, "limit": limit})]


def read_one(connection: Connection, place: int) -> Event | None:
    """The event at a place, if it is still kept."""
    row = connection.execute(queries.read_one, {"place": place}).fetchone()
    return event_of(row) if row else None


def end(connection: Connection) -> Position:
    """The place of the newest event: a reader that starts there gets only newer ones."""
    while place_events(connection) == TURN_MAX:
        pass
    row = connection.execute(queries.end).fetchone()
    return Position(row["place"]) if row else Position()


def event_of(row: Row) -> Event:
    """An event as the queries return it."""
    return Event(position=Position(row.pop("place")), **row)
