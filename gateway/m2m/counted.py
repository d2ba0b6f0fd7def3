"""Which of a device's numbered messages were taken, and up to where none is missing: what its receipt says."""

from collections.abc import Sequence
from dataclasses import dataclass

Number = tuple[int, int, int]
"""Boot, seq, and the lowest seq that the device still holds: 1 where it does not say."""

UnitNumber = tuple[int, str, Number]
"""Unit, topic of the message, number."""

Span = tuple[int, int]
"""Numbers from the first up to the second, without it; as PostgreSQL writes a range."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The numbers of one boot that were taken, or given up by the device."""

    boot: int
    spans: tuple[Span, ...]
    """In order, with a gap before each but the first."""

    @property
    def upto(self) -> int:
        """The number up to which none is missing; 0 while the first one is."""
        return self.spans[0][1] - 1 if self.spans[0][0] == 1 else 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was counted of a unit, and where its device reads it."""

    topic: str
    counted: Counted


def count(before: Counted | None, numbers: Sequence[Number], spans_max: int) -> Counted:
    """What is taken when these numbers, one at least, came besides: those of the highest boot count, which starts anew.

    Of more than `spans_max` spans the highest are left out, as if their messages had not come.
    """
    boot = max(number[0] for number in numbers)
    if before and before.boot > boot:
        return before
    spans = list(before.spans) if before and before.boot == boot else []
    for own, seq, lowest in numbers:
        if own == boot:
            spans.append((seq, seq + 1))
            if lowest > 1:
                spans.append((1, lowest))
    return Counted(boot, _joined(spans)[:spans_max])


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """The same numbers in as few spans as can be."""
    spans.sort()
    joined = [spans[0]]
    for first, end in spans:
        begin, reached = joined[-1]
        if first > reached:
            joined.append((first, end))
        elif end > reached:
            joined[-1] = (begin, end)
    return tuple(joined)
