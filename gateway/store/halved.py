"""Work on a set in one savepoint; where it fails, on its halves, until what breaks is alone."""

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from gateway.store.database import Connection
from gateway.store.trouble import holds_up_all

log = logging.getLogger(__name__)

T = TypeVar("T")


def in_halves(
    tx: Connection,
    items: Sequence[T],
    act: Callable[[Sequence[T]], None],
    failed: Callable[[T, Exception], None],
    group: Callable[[T], Hashable] | None = None,
) -> None:
    """Call `act` with all items, in a savepoint; `failed` gets each that fails also alone, and holds up no other.

    Neighbours of the same `group` stay together, but for those of a group that fails by itself. Raises what is the
    database's trouble with everything.
    """
    if not items:
        return
    try:
        with tx.transaction():
            act(items)
    except Exception as error:
        if holds_up_all(error):
            raise
        if len(items) == 1:
            failed(items[0], error)
            return
        log.info("A set of %d failed (%s); it is halved.", len(items), type(error).__name__)
    else:
        return
    middle = _middle([group(item) for item in items] if group else range(len(items)))
    in_halves(tx, items[:middle], act, failed, group)
    in_halves(tx, items[middle:], act, failed, group)


def _middle(groups: Sequence[Hashable]) -> int:
    """Returns the place to halve at: the one nearest to the middle that parts no group, else the middle."""
    middle = len(groups) // 2
    borders = [place for place in range(1, len(groups)) if groups[place - 1] != groups[place]]
    return min(borders, key=lambda place: abs(place - middle), default=middle)
