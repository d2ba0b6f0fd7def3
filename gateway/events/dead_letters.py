"""Dead letters: events that a named reader could not handle. They are tried again, ever more seldom, and listed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.errors import NotFound
from gateway.events.log import Event, append, queries
from gateway.store import Connection, Row

LETTERS_MAX = 10_000
"""The most dead letters of one reader. The oldest beyond that are given up, and the log says so."""
EVENT_PREFIX = "event."
"""The kinds of events about events begin with it."""
NEWEST = 2**62
"""A place above all others, from which a list of the newest begins."""
_FIRST, _LAST = timedelta(minutes=1), timedelta(hours=1)
_ERROR_MAX = 300


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that is to be tried again."""

    place: int
    attempts: int


def pause_after(attempts: int) -> timedelta:
    """How long to wait after a number of tries: a minute, then twice as long each time, at most an hour."""
    doublings = min(attempts - 1, 16)
    return min(_FIRST * (1 << doublings), _LAST)


def keep(tx: Connection, reader: str, event: Event, attempts: int, error: Exception, now: datetime) -> None:
    """Store an event that could not be handled, with its attempts; the first time, write an event about it."""
    tx.execute(
        queries.keep_dead_letter,
        {
            "reader": reader,
            "place": event.position.place,
            "at": event.at,
            "attempts": attempts,
            "error": _error_text(error),
            "now": now,
            "next_try_at": now + pause_after(attempts),
        },
    )
    given_up_rows = tx.execute(queries.give_up_dead_letters, {"reader": reader, "keep": LETTERS_MAX}).fetchall()
    if event.kind.startswith(EVENT_PREFIX):
        return  # an event about a failure must not cause another one when it fails, too
    for row in given_up_rows:
        append(tx, "event.given_up", {"event": str(row["place"]), "attempts": row["attempts"]})
    if attempts == 1:
        data = {"event": str(event.position), "of": event.kind, "error": type(error).__name__}
        append(tx, "event.unhandled", data, unit_id=event.unit_id, person_id=event.person_id)


def due(tx: Connection, reader: str, now: datetime, limit: int) -> list[DeadLetter]:
    """Returns the dead letters whose next try is due, the oldest event first, locked until `tx` ends."""
    rows = tx.execute(queries.due_dead_letters, {"reader": reader, "now": now, "limit": limit})
    return [DeadLetter(**row) for row in rows]


def settle(tx: Connection, reader: str, place: int) -> None:
    """Remove a dead letter: its event was handled, or is kept no longer."""
    tx.execute(queries.settle_dead_letter, {"reader": reader, "place": place})


def page(connection: Connection, before: int, limit: int) -> list[Row]:
    """Dead letters with their events, the newest event first."""
    return connection.execute(queries.dead_letters, {"before": before, "limit": limit}).fetchall()


def count(connection: Connection) -> int:
    """Returns the number of dead letters."""
    row = connection.execute(queries.count_dead_letters).fetchone()
    return int(row["letters"]) if row else 0


def ask_retry(tx: Connection, places: list[int] | None, now: datetime, *, actor: str) -> int:
    """Have these, or all, tried again at once. Returns the number of them. Raises NotFound when there are none."""
    number = tx.execute(queries.retry_dead_letters, {"places": places, "now": now}).rowcount
    if not number:
        raise NotFound("There is no such failed event; list those that there are.")
    append(tx, "event.retry_asked", {"events": number}, actor=actor)
    return number


def _error_text(error: Exception) -> str:
    """Returns the error's kind and first line only: the further lines of a database may hold names and addresses."""
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}"[:_ERROR_MAX]
