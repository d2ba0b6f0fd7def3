"""Limits on tries, in one table: a try is stored before it is made, and refused beyond a limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.errors import TooManyAttempts
from gateway.store.database import Connection
from gateway.store.locks import Lock, hold_key
from gateway.store.queries import queries


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of a kind with one key (an address, a network, a unit) within the window."""

    kind: str
    key: str
    most: int
    window: timedelta


def spend(tx: Connection, limits: Sequence[Limit], shared: Sequence[Limit] = (), spared: Limit | None = None) -> None:
    """Count one try on every limit. Raises TooManyAttempts; roll `tx` back then, so that the try is not counted.

    `shared` limits, on which others count too, refuse nothing while the limit `spared` is free. Tries at the same time
    wait for each other until `tx` ends: keep it short.
    """
    for limit in sorted([*limits, *shared], key=lambda each: (each.kind, each.key)):
        _hold(tx, limit.kind, limit.key)
    free_times = [moment for limit in limits if (moment := free_at(tx, limit))]
    shared_free_times = [moment for limit in shared if (moment := free_at(tx, limit))]
    if not spared or free_at(tx, spared):
        free_times += shared_free_times
    if free_times:
        raise TooManyAttempts(max(free_times) - _now(tx))
    for limit in [*limits, *shared]:
        note(tx, limit.kind, limit.key)


def spend_either(tx: Connection, limits: Sequence[Limit]) -> timedelta | None:
    """Count one try on every limit if at least one of them is free; else returns the time until one is."""
    for limit in sorted(limits, key=lambda each: (each.kind, each.key)):
        _hold(tx, limit.kind, limit.key)
    free_times = [free_at(tx, limit) for limit in limits]
    waits = [moment for moment in free_times if moment]
    if len(waits) == len(limits):
        return min(waits) - _now(tx)
    for limit in limits:
        note(tx, limit.kind, limit.key)
    return None


def free_at(tx: Connection, limit: Limit) -> datetime | None:
    """Returns when the next try is allowed; None when it is allowed now."""
    row = tx.execute(
        queries.nth_newest_try,
        {"kind": limit.kind, "key": limit.key, "window": limit.window, "newer": limit.most - 1},
    ).fetchone()
    return row["at"] + limit.window if row else None


def tally(tx: Connection, kind: str, key: str, window: timedelta) -> int:
    """Count a try without a limit. Returns the number within the window. Other tries wait until `tx` ends."""
    _hold(tx, kind, key)
    note(tx, kind, key)
    return count_recent(tx, kind, key, window)


def count_recent(tx: Connection, kind: str, key: str, window: timedelta) -> int:
    """Returns the number of tries within the window before now."""
    row = tx.execute(queries.count_tries, {"kind": kind, "key": key, "window": window}).fetchone()
    return int(row["tries"]) if row else 0


def note(tx: Connection, kind: str, key: str) -> None:
    """Store a try."""
    tx.execute(queries.note_try, {"kind": kind, "key": key})


def take_back(tx: Connection, kind: str, key: str) -> None:
    """Delete the last try, which succeeded."""
    tx.execute(queries.take_back_try, {"kind": kind, "key": key})


def clear(tx: Connection, kind: str, key: str) -> None:
    """Delete every try with a key: the person was authenticated in another way."""
    tx.execute(queries.clear_tries, {"kind": kind, "key": key})


def forget_attempts(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the oldest tries from before a time. Returns the number."""
    return connection.execute(queries.forget_tries, {"before": before, "limit": limit}).rowcount


def _now(tx: Connection) -> datetime:
    row = tx.execute(queries.transaction_time).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
    now: datetime = row["now"]
    return now


def _hold(tx: Connection, kind: str, key: str) -> None:
    hold_key(tx, Lock.ATTEMPT, f"{kind} {key}")
