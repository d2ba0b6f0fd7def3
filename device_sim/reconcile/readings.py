"""Compares the readings of one unit, sent and stored, with copies, conflicts and late readings."""

# A device's messages arrive in the order of sending, unless some are sent again. Of two values for one time, the first
# to arrive is stored; if a message was sent twice, each value may be the first.

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
    """Late readings that this run does not explain, and the number of readings from before the run."""

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
    """Compare the readings of one unit, and note every difference."""
    sent_readings = _readings_by_cell(messages)
    newest = _Newest(messages)
    check.expected += sum(
        1 for readings in sent_readings.values() if any(message.must_be_stored for message, _ in readings)
    )
    stored_values: dict[Cell, float] = {}
    late: list[Stored] = []
    before_count = 0
    for row in stored:
        metric, at, value, received, is_late = row
        if received < began_us:
            before_count += 1
            continue
        check.found += 1
        readings = sent_readings.get((metric, at))
        if readings is None:
            check.differs(unit, clock(at), "nothing: nobody sent this reading", f"{metric} {value}")
            continue
        stored_values[metric, at] = value
        _value(check, unit, row, readings)
        if is_late:
            check.facts["late"] += 1
            if not newest.before(readings, at):
                late.append(row)
    for cell, readings in sent_readings.items():
        if cell not in stored_values and any(message.must_be_stored for message, _ in readings):
            check.differs(
                unit, clock(cell[1]), f"{cell[0]} {readings[0][1]} (message {readings[0][0].number})", "nothing"
            )
    _conflicts(check, unit, sent_readings, stored_values, [row for row in conflicts if row[3] >= began_us])
    check.facts["copies of readings that were there"] += sum(
        len(message.sent) - 1 for readings in sent_readings.values() for message, _ in readings
    ) + sum(len(readings) - len({value for _, value in readings}) for readings in sent_readings.values())
    return Leftover(late, before_count)


def clock(us: int) -> str:
    """Returns a device's time as text."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _readings_by_cell(messages: Sequence[Message]) -> dict[Cell, list[tuple[Message, float]]]:
    """Returns the values sent for each metric and time, with their messages, in the order of sending."""
    sent_readings: dict[Cell, list[tuple[Message, float]]] = defaultdict(list)
    for message in messages:
        for metric, value in message.values.items():
            sent_readings[metric, message.ts_us].append((message, float(value)))
    return sent_readings


def _value(check: Check, unit: str, row: Stored, readings: list[tuple[Message, float]]) -> None:
    metric, at, value, _, _ = row
    is_certain = all(message.is_sent_once for message, _ in readings)
    allowed = {readings[0][1]} if is_certain else {sent_value for _, sent_value in readings}
    if value not in allowed:
        expected = " or ".join(f"{metric} {allowed_value}" for allowed_value in sorted(allowed))
        check.differs(unit, clock(at), expected, f"{metric} {value}")
    elif value != readings[0][1]:
        check.facts["another value than the first, sent again after a broken connection"] += 1


def _conflicts(
    check: Check,
    unit: str,
    sent_readings: dict[Cell, list[tuple[Message, float]]],
    stored_values: dict[Cell, float],
    conflicts: Sequence[Conflict],
) -> None:
    """Note conflicting values that were sent but not kept beside the stored one, or kept but not sent."""
    kept_conflicts = {(metric, at, value) for metric, at, value, _ in conflicts}
    check.facts["contradicting values kept beside the first"] += len(kept_conflicts)
    possible = {(metric, at, value) for (metric, at), readings in sent_readings.items() for _, value in readings}
    expected_conflicts = {
        (metric, at, value)
        for (metric, at), stored_value in stored_values.items()
        if (metric, at, stored_value) in possible  # else this difference is noted already
        for message, value in sent_readings[metric, at]
        if message.must_be_stored and value != stored_value
    }
    for metric, at, value in sorted(expected_conflicts - kept_conflicts):
        check.differs(unit, clock(at), f"{metric} {value} kept as contradicting", "nothing")
    for metric, at, value in sorted(kept_conflicts - possible):
        check.differs(unit, clock(at), "no contradiction: nobody sent this", f"{metric} {value} kept as contradicting")


class _Newest:
    """The newest times of the messages sent so far, which may explain a late reading."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._sent = [message.sent[0] for message in messages]
        self._newest = list(accumulate((message.ts_us for message in messages), max))

    def before(self, readings: list[tuple[Message, float]], at: int) -> bool:
        """Whether a reading with a later time was sent before the last sending of these messages."""
        latest = max(message.sent[-1] for message, _ in readings)
        count = bisect_right(self._sent, latest)
        return count > 0 and self._newest[count - 1] > at
