"""Counts a device's numbered messages: which ones were taken, and up to which number none is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

Number = tuple[int, int, int]
"""Boot, seq, and the lowest seq that the device still holds (1 when the message does not say)."""

UnitNumber = tuple[int, str, Number]
"""Unit id, topic of the message, number."""

Span = tuple[int, int]
"""First number, and the number after the last one, as in a PostgreSQL range."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The numbers of one boot that were taken, or given up by the device."""

    boot: int
    spans: tuple[Span, ...]
    """In ascending order; there is a gap between two spans."""

    @property
    def upto(self) -> int:
        """The number up to which none is missing; 0 while number 1 is missing."""
        return self.spans[0][1] - 1 if self.spans[0][0] == 1 else 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """The counted numbers of a unit, and the topic where its device reads the receipt."""

    topic: str
    counted: Counted


def count(counted: Counted | None, numbers: Sequence[Number], spans_max: int) -> Counted:
    """Add numbers (one at least) to the counted ones. A higher boot starts the count anew, a lower one is ignored.

    Beyond `spans_max` spans the highest are dropped, as if their messages had not arrived.
    """
    boot = max(number[0] for number in numbers)
    if counted and counted.boot > boot:
        return counted
    spans = list(counted.spans) if counted and counted.boot == boot else []
    for number_boot, seq, lowest in numbers:
        if number_boot == boot:
            spans.append((seq, seq + 1))
            if lowest > 1:
                spans.append((1, lowest))
    return Counted(boot, _merged(spans)[:spans_max])


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """The same numbers in as few spans as possible."""
    spans.sort()
    merged = [spans[0]]
    for begin, end in spans:
        last_begin, last_end = merged[-1]
        if begin > last_end:
            merged.append((begin, end))
        elif end > last_end:
            merged[-1] = (last_begin, end)
    return tuple(merged)
