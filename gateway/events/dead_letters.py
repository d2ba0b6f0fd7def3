"""Dead letters: events that a named reader could not handle. They are tried again, ever more seldom, and listed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.errors import NotFound
from gateway.events.log import Event, append, queries
from gateway.store import Connection, Row

KEPT_MAX = 10_000
"""Dead letters of one reader; of more than these the oldest are given up, which the log says."""
OWN_KINDS = "event."
"""What the kinds of events about events begin with."""
NEWEST = 2**62
"""A place above all others: where a list begins."""
_FIRST, _LAST = timedelta(minutes=1), timedelta(hours=1)
_ERROR_MAX = 300


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that is to be tried again."""

    place: int
    attempts: int


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: a minute, then twice as long each time, an hour at most."""
    doublings = min(attempts - 1, 16)
    return min(_FIRST * (1 << doublings), _LAST)


def keep(tx: Connection, reader: str, event: Event, attempts: int, error: Exception, now: datetime) -> None:
    """Note that the event could not be handled after so many attempts; the first time the log says so, too."""
    tx.execute(
        queries.keep_dead_letter,
        {
            "reader": reader,
            "place": event.position.place,
            "at": event.at,
            "attempts": attempts,
            "error": _words(error),
            "now": now,
            "next_try_at": now + pause_after(attempts),
        },
    )
    given_up = tx.execute(queries.give_up_dead_letters, {"reader": reader, "keep": KEPT_MAX}).fetchall()
    if event.kind.startswith(OWN_KINDS):
        return  # an event about a failure that fails, too, must not bring forth another one
    for row in given_up:
        append(tx, "event.given_up", {"event": str(row["place"]), "attempts": row["attempts"]})
    if attempts == 1:
        data = {"event": str(event.position), "of": event.kind, "error": type(error).__name__}
        append(tx, "event.unhandled", data, unit_id=event.unit_id, person_id=event.person_id)


def due(tx: Connection, reader: str, now: datetime, limit: int) -> list[DeadLetter]:
    """Those whose next try is due, the oldest event first; held against another process until `tx` ends."""
    rows = tx.execute(queries.due_dead_letters, {"reader": reader, "now": now, "limit": limit})
    return [DeadLetter(**row) for row in rows]


def settle(tx: Connection, reader: str, place: int) -> None:
    """The event was handled, or is kept no longer."""
    tx.execute(queries.settle_dead_letter, {"reader": reader, "place": place})


def page(connection: Connection, before: int, limit: int) -> list[Row]:
    """Dead letters with their events, the newest event first."""
    return connection.execute(queries.dead_letters, {"before": before, "limit": limit}).fetchall()


def count(connection: Connection) -> int:
    """How many there are."""
    row = connection.execute(queries.count_dead_letters).fetchone()
    return int(row["letters"]) if row else 0


def ask_retry(tx: Connection, places: list[int] | None, now: datetime, *, actor: str) -> int:
    """Have these, or all, tried again at once; returns how many. Raises NotFound where none is there."""
    asked = tx.execute(queries.retry_dead_letters, {"places": places, "now": now}).rowcount
    if not asked:
        raise NotFound("There is no such failed event; list those that there are.")
    append(tx, "event.retry_asked", {"events": asked}, actor=actor)
    return asked


def _words(error: Exception) -> str:
    """Kind and first line only: what a database says below that may carry names and addresses."""
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}"[:_ERROR_MAX]
