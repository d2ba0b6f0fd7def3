"""Sent = stored, for one unit: each reading's value and time; copies, contradictions and lateness explained."""

# What can be told from outside: a device's messages arrive in the order they were sent, unless they were sent again.
# Of two values for one time the first to arrive stands; where a message went out twice, any of them may be the first.

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from device_sim.reconcile.model import Check
from device_sim.reconcile.sent import Message

Stored = tuple[str, int, float, int, bool]
Conflict = tuple[str, int, float, int]
Cell = tuple[str, int]
"""A metric at a time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leftover:
    """What needs another look: late readings that nothing of this run explains, and how many were there before it."""

    late: list[Stored]
    before: int


def compare_readings(
    check: Check,
    unit: str,
    messages: Sequence[Message],
    stored: Sequence[Stored],
    conflicts: Sequence[Conflict],
    began_us: int,
) -> Leftover:
    """Note every difference of one unit."""
    given = _given(messages)
    newest = _Newest(messages)
    check.expected += sum(1 for said in given.values() if any(message.promised for message, _ in said))
    standing: dict[Cell, float] = {}
    late: list[Stored] = []
    before = 0
    for row in stored:
        metric, at, value, received, is_late = row
        if received < began_us:
            before += 1
            continue
        check.found += 1
        said = given.get((metric, at))
        if said is None:
            check.differs(unit, clock(at), "nothing: nobody sent this reading", f"{metric} {value}")
            continue
        standing[metric, at] = value
        _value(check, unit, row, said)
        if is_late:
            check.facts["late"] += 1
            if not newest.before(said, at):
                late.append(row)
    for cell, said in given.items():
        if cell not in standing and any(message.promised for message, _ in said):
            check.differs(unit, clock(cell[1]), f"{cell[0]} {said[0][1]} (message {said[0][0].number})", "nothing")
    _conflicts(check, unit, given, standing, [row for row in conflicts if row[3] >= began_us])
    check.facts["copies of readings that were there"] += sum(
        len(message.sent) - 1 for said in given.values() for message, _ in said
    ) + sum(len(said) - len({value for _, value in said}) for said in given.values())
    return Leftover(late, before)


def clock(us: int) -> str:
    """A device's time for people."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _given(messages: Sequence[Message]) -> dict[Cell, list[tuple[Message, float]]]:
    """What was said of each metric at each time, in the order it was first sent."""
    given: dict[Cell, list[tuple[Message, float]]] = defaultdict(list)
    for message in messages:
        for metric, value in message.values.items():
            given[metric, message.ts_us].append((message, float(value)))
    return given


def _value(check: Check, unit: str, row: Stored, said: list[tuple[Message, float]]) -> None:
    metric, at, value, _, _ = row
    certain = all(message.once for message, _ in said)
    allowed = {said[0][1]} if certain else {each for _, each in said}
    if value not in allowed:
        expected = " or ".join(f"{metric} {each}" for each in sorted(allowed))
        check.differs(unit, clock(at), expected, f"{metric} {value}")
    elif value != said[0][1]:
        check.facts["another value than the first, sent again after a broken connection"] += 1


def _conflicts(
    check: Check,
    unit: str,
    given: dict[Cell, list[tuple[Message, float]]],
    standing: dict[Cell, float],
    conflicts: Sequence[Conflict],
) -> None:
    """Of values that contradict each other, all but the one that stands have to be kept beside it."""
    kept = {(metric, at, value) for metric, at, value, _ in conflicts}
    check.facts["contradicting values kept beside the first"] += len(kept)
    possible = {(metric, at, value) for (metric, at), said in given.items() for _, value in said}
    wanted = {
        (metric, at, value)
        for (metric, at), stands in standing.items()
        if (metric, at, stands) in possible  # else that is the difference, and named already
        for message, value in given[metric, at]
        if message.promised and value != stands
    }
    for metric, at, value in sorted(wanted - kept):
        check.differs(unit, clock(at), f"{metric} {value} kept as contradicting", "nothing")
    for metric, at, value in sorted(kept - possible):
        check.differs(unit, clock(at), "no contradiction: nobody sent this", f"{metric} {value} kept as contradicting")


class _Newest:
    """Whether something newer may have arrived before a message did."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._sent = [message.sent[0] for message in messages]
        self._newest = list(accumulate((message.ts_us for message in messages), max))

    def before(self, said: list[tuple[Message, float]], at: int) -> bool:
        """For any message that said it: a reading with a later time was sent before the message last was."""
        latest = max(message.sent[-1] for message, _ in said)
        place = bisect_right(self._sent, latest)
        return place > 0 and self._newest[place - 1] > at
