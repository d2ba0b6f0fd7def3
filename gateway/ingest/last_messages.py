"""Chooses the messages that are kept as the last ones of their units: a bounded number a second.

Where more arrive, refused messages are kept first, then those of units whose last one was kept longest ago.
"""

from collections.abc import Sequence
from itertools import islice

from gateway.m2m.message import Heard

OF_BATCH = 3
"""Messages of one unit that are kept of a batch; nobody watches a faster unit message by message."""
UNITS_MAX = 100_000
"""Units whose time of the last kept message is remembered, some 100 bytes each; the longest ago is forgotten first."""


class LastMessages:
    """Counts the messages kept lately, and remembers when one was kept of which unit."""

    def __init__(self, per_second: int, units_max: int = UNITS_MAX) -> None:
        self._per_second = per_second
        self._units_max = units_max
        self._left = float(per_second)
        self._at = 0.0
        self._kept: dict[int, float] = {}

    def choose(self, heard: Sequence[Heard], now: float) -> list[Heard]:
        """Returns the messages to keep of a batch, in arrival order; `now` in seconds of a monotonic clock."""
        self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        newest: dict[int, list[Heard]] = {}
        for each in reversed(heard):
            newest_of_unit = newest.setdefault(each.unit_id, [])
            if len(newest_of_unit) < OF_BATCH:
                newest_of_unit.append(each)
        chosen = [each for messages in newest.values() for each in reversed(messages)]
        if len(chosen) > self._left:
            chosen.sort(key=lambda each: (each.rejected is None, self._kept.get(each.unit_id, 0.0)))
            chosen = chosen[: int(self._left)]
        self._left -= len(chosen)
        for each in chosen:
            self._kept.pop(each.unit_id, None)  # put at the end: the first one was kept longest ago
            self._kept[each.unit_id] = now
        for unit_id in list(islice(self._kept, max(0, len(self._kept) - self._units_max))):
            del self._kept[unit_id]
        return chosen
