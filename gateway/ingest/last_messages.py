"""Which messages are kept as the last ones of their units: all while few come, a bounded number a second while many do.

Of more than that go first what was refused, then the messages of units that have waited longest.
"""

from collections.abc import Sequence
from itertools import islice

from gateway.m2m.message import Heard

OF_BATCH = 3
"""Messages of one unit that are kept of a batch; a unit that sends so fast is not watched message by message."""
UNITS_MAX = 100_000
"""Units of which it is known when their last message was kept, some 100 bytes each; the longest ago go first."""


class LastMessages:
    """Knows how much was kept lately, and when of which unit."""

    def __init__(self, per_second: int, units_max: int = UNITS_MAX) -> None:
        self._per_second = per_second
        self._units_max = units_max
        self._left = float(per_second)
        self._at = 0.0
        self._kept: dict[int, float] = {}

    def choose(self, heard: Sequence[Heard], now: float) -> list[Heard]:
        """Those to keep of a batch, in the order of their arrival; `now` in seconds of a clock that only goes on."""
        self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        newest: dict[int, list[Heard]] = {}
        for each in reversed(heard):
            own = newest.setdefault(each.unit_id, [])
            if len(own) < OF_BATCH:
                own.append(each)
        chosen = [each for own in newest.values() for each in reversed(own)]
        if len(chosen) > self._left:
            chosen.sort(key=lambda each: (each.rejected is None, self._kept.get(each.unit_id, 0.0)))
            chosen = chosen[: int(self._left)]
        self._left -= len(chosen)
        for each in chosen:
            self._kept.pop(each.unit_id, None)  # to the end: the first is the one kept longest ago
            self._kept[each.unit_id] = now
        for unit_id in list(islice(self._kept, max(0, len(self._kept) - self._units_max))):
            del self._kept[unit_id]
        return chosen
