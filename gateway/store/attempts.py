"""Limits on tries, in one table: what is tried is noted before it is tried, and too many wait."""

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
    """Note one try with every limit; raises TooManyAttempts, and then nothing is noted once `tx` is rolled back.

    `shared` limits, which others spend too, stop nobody whose own limit `spared` is free. Tries that come together wait
    for each other until `tx` ends: keep it short.
    """
    for limit in sorted([*limits, *shared], key=lambda each: (each.kind, each.key)):
        _hold(tx, limit.kind, limit.key)
    free = [moment for limit in limits if (moment := free_at(tx, limit))]
    free_shared = [moment for limit in shared if (moment := free_at(tx, limit))]
    if not spared or free_at(tx, spared):
        free += free_shared
    if free:
        raise TooManyAttempts(max(free) - _now(tx))
    for limit in [*limits, *shared]:
        note(tx, limit.kind, limit.key)


def spend_either(tx: Connection, limits: Sequence[Limit]) -> timedelta | None:
    """Note one try with every limit when at least one of them is free; else returns the wait until one is."""
    for limit in sorted(limits, key=lambda each: (each.kind, each.key)):
        _hold(tx, limit.kind, limit.key)
    moments = [free_at(tx, limit) for limit in limits]
    busy = [moment for moment in moments if moment]
    if len(busy) == len(limits):
        return min(busy) - _now(tx)
    for limit in limits:
        note(tx, limit.kind, limit.key)
    return None


def free_at(tx: Connection, limit: Limit) -> datetime | None:
    """When the next try is free; None when it is free now."""
    row = tx.execute(
        queries.nth_newest_try,
        {"kind": limit.kind, "key": limit.key, "window": limit.window, "newer": limit.most - 1},
    ).fetchone()
    return row["at"] + limit.window if row else None


def tally(tx: Connection, kind: str, key: str, window: timedelta) -> int:
    """Note a try that nothing stops; returns how many there were within the window. Others wait until `tx` ends."""
    _hold(tx, kind, key)
    note(tx, kind, key)
    return count_recent(tx, kind, key, window)


def count_recent(tx: Connection, kind: str, key: str, window: timedelta) -> int:
    """How often something was tried within the window before now."""
    row = tx.execute(queries.count_tries, {"kind": kind, "key": key, "window": window}).fetchone()
    return int(row["tries"]) if row else 0


def note(tx: Connection, kind: str, key: str) -> None:
    """Note a try."""
    tx.execute(queries.note_try, {"kind": kind, "key": key})


def take_back(tx: Connection, kind: str, key: str) -> None:
    """Forget the last try: it was not a wrong one."""
    tx.execute(queries.take_back_try, {"kind": kind, "key": key})


def clear(tx: Connection, kind: str, key: str) -> None:
    """Forget every try with a key: who it is has been proved in another way."""
    tx.execute(queries.clear_tries, {"kind": kind, "key": key})


def forget_attempts(connection: Connection, before: datetime, limit: int) -> int:
    """Forget the oldest tries from before a moment, at most so many; returns how many."""
    return connection.execute(queries.forget_tries, {"before": before, "limit": limit}).rowcount


def _now(tx: Connection) -> datetime:
    row = tx.execute(queries.transaction_time).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
    now: datetime = row["now"]
    return now


def _hold(tx: Connection, kind: str, key: str) -> None:
    hold_key(tx, Lock.ATTEMPT, f"{kind} {key}")
