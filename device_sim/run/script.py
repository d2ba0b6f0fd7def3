"""The messages and connection changes of a run, in order, computed from scenario, units, seed and start."""

# Pure, without broker and clock. All times but `ts` are milliseconds of scenario time since the run began.

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from device_sim.dice import Dice
from device_sim.errors import SimError
from device_sim.faults import Fault, FaultBook, Plan, fault_of
from device_sim.fleet import build
from device_sim.run.clocks import Clock
from device_sim.run.poison import KINDS
from device_sim.run.scenario import (
    Conflict,
    Duplicate,
    HalfOpen,
    Jump,
    Late,
    LostClock,
    Offline,
    Poison,
    Scenario,
    Skew,
    Storm,
    moment,
    span,
    span_range,
)
from device_sim.run.sending import Sending
from device_sim.run.series import HeldSeries, LiveSeries, Series
from device_sim.units import Unit

Do = Literal["up", "down", "vanish", "deaf", "mute"]


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """A change of a device's connection."""

    at: int
    device: int
    do: Do


@dataclass(frozen=True, slots=True)
class ExpectedFault:
    """The ground truth of one fault; `begin` and `end` are the device's time, milliseconds since 1970."""

    unit: Unit
    fault: Fault
    begin: int
    end: int
    starts: int
    ends: int
    """The end, like `starts` in scenario time: milliseconds since the run began."""
    expect: Literal["alarm", "nothing"]


@dataclass(frozen=True, slots=True)
class _MessageTrouble:
    """A trouble of single messages, for one device."""

    trouble: Late | Duplicate | Conflict | Poison
    dice: Dice
    share: float

    def hits(self, number: int) -> bool:
        return self.dice.at(number) < self.share

    def after(self, text: str, number: int) -> int:
        low, high = span_range(text)
        return round(self.dice.named("after").between(low, high, number))


class Script:
    """The plan of one run."""

    def __init__(self, scenario: Scenario, units: Sequence[Unit], seed: int, start: int, duration: int) -> None:
        """`start` is milliseconds since 1970, `duration` milliseconds of scenario time."""
        self.scenario = scenario
        self.units = _limit_units(units, scenario.limit)
        self.start = start
        self.duration = duration
        self._dice = Dice(seed).named("scenario")
        self._every = span(scenario.every)
        self._devices = build(self.units, seed)
        self._topics = [unit.topic for unit in self.units]
        self._troubles = [(trouble, self._dice.named(f"trouble {n}")) for n, trouble in enumerate(scenario.troubles)]
        self._indexes = [self._select(trouble.units, dice) for trouble, dice in self._troubles]
        self._members = [frozenset(indexes) for indexes in self._indexes]
        self.clocks = [self._clock(index) for index in range(len(self.units))]
        self._message_troubles = [self._troubles_of(index) for index in range(len(self.units))]
        self.expected = self._plan()
        self._book = FaultBook(start, lambda *_: None)
        for item in self.expected:
            self._book.plan(Plan(item.unit, item.fault, item.starts, item.ends - item.starts))
        self._faulty_units = frozenset(item.unit for item in self.expected)
        is_held = scenario.values == "held"
        self._series: list[Series] = [
            HeldSeries(device, start) if is_held else LiveSeries(device, start) for device in self._devices
        ]
        self._last_seqs = [0] * len(self.units) if scenario.receipts else []

    # -- What happens to the connections ------------------------------------------------------------------------

    def acts(self) -> list[Act]:
        """Returns all changes of connections, in order; every device connects first, unless it begins offline."""
        acts: list[Act] = []
        offline: set[int] = set()
        for (trouble, dice), indexes in zip(self._troubles, self._indexes, strict=True):
            for index in indexes:
                if isinstance(trouble, Offline):
                    begin = self._moment(trouble.at)
                    offline |= {index} if begin == 0 else set()
                    acts += [Act(begin, index, "down"), Act(begin + self._moment(trouble.lasts), index, "up")]
                elif isinstance(trouble, HalfOpen):
                    begin = self._moment(trouble.at)
                    acts += [Act(begin, index, trouble.how), Act(begin + self._moment(trouble.lasts), index, "up")]
                elif isinstance(trouble, Storm):
                    acts += self._storm(trouble, dice.named("within").named(str(self.units[index])), index)
        starts = [Act(0, index, "up") for index in range(len(self.units)) if index not in offline]
        return starts + sorted(act for act in acts if act.at < self.duration)

    def _storm(self, storm: Storm, dice: Dice, index: int) -> Iterator[Act]:
        for number in range(storm.times):
            begin = self._moment(storm.at) + number * self._moment(storm.pause)
            # The network breaks before the device notices: its last messages arrive, their PUBACKs do not.
            yield Act(max(begin - self._every, 0), index, "deaf")
            reconnect_at = begin + self._moment(storm.lasts) + round(dice.between(0, span(storm.within), number))
            yield Act(begin, index, "vanish")
            yield Act(reconnect_at, index, "up")

    # -- What is sent -------------------------------------------------------------------------------------------

    def sendings(self) -> Iterator[Sending]:
        """Yields all messages in the order of due times, numbered from 1, with receipts also from 1 for each device."""
        number = 0
        late_sendings: list[tuple[int, int, Sending]] = []  # a heap of messages that are sent later than measured
        order = 0
        for due, new_messages in self._measurements():
            while late_sendings and late_sendings[0][0] <= due:
                number += 1
                sending = heapq.heappop(late_sendings)[2]
                sending.number = number
                yield sending
            for sending in new_messages:
                if sending.due > due:
                    order += 1
                    heapq.heappush(late_sendings, (sending.due, order, sending))
                else:
                    number += 1
                    sending.number = number
                    yield sending
        while late_sendings:
            number += 1
            sending = heapq.heappop(late_sendings)[2]
            sending.number = number
            yield sending

    def _measurements(self) -> Iterator[tuple[int, list[Sending]]]:
        """Yields each time of measuring with its messages, also those that are due later."""
        for index, at in self._backlog():
            yield 0, self._messages(index, at, "backlog")
        # In the order of the devices' places in the round, so that units do not all publish at once.
        order = sorted((int(device.place * self._every), index) for index, device in enumerate(self._devices))
        for begin in range(0, self.duration, self._every):
            for offset, index in order:
                if begin + offset < self.duration:
                    yield begin + offset, self._messages(index, begin + offset, "reading")

    def _backlog(self) -> Iterator[tuple[int, int]]:
        """Yields device and time of each measurement while units were offline before the run, unit by unit."""
        for (trouble, _), indexes in zip(self._troubles, self._indexes, strict=True):
            if isinstance(trouble, Offline) and (before_ms := span(trouble.before)):
                step = span(trouble.every)
                for index in indexes:
                    yield from ((index, at) for at in range(-before_ms, 0, step))

    def _messages(self, index: int, at: int, kind: str) -> list[Sending]:
        unit = self.units[index]
        values = self._series[index].values(at, self._book.pulls(unit, at) if unit in self._faulty_units else ())
        if values is None:
            return []
        ts, lost = self.clocks[index].read(self.start, at)
        payload = b'{"ts":%d,"values":%b}' % (ts, values)
        base = Sending(max(at, 0), index, self._topics[index], payload, ts, values, kind)
        if self._last_seqs:
            base.seq = self._seq(index)
        if lost:
            base.kind, base.refused, base.values = "lost-clock", "too_old", b""
        messages = [base]
        number = at // self._every
        for item in self._message_troubles[index]:
            if at >= 0 and not lost and item.hits(number):
                messages += self._trouble(item, base, unit, number)
        return messages

    def _seq(self, index: int) -> int:
        """Returns the seq of the device's next message, in the order of measuring."""
        self._last_seqs[index] += 1
        return self._last_seqs[index]

    def _trouble(self, item: _MessageTrouble, base: Sending, unit: Unit, number: int) -> list[Sending]:
        """Returns the messages that a trouble adds to `base`; Late only changes it."""
        trouble = item.trouble
        if isinstance(trouble, Late):
            base.due += item.after(trouble.by, number)
            base.kind = "late"
            return []
        if isinstance(trouble, Duplicate):
            after = item.after(trouble.after, number)
            return [
                replace(base, due=base.due + after * (copy + 1), kind="duplicate", sent=[])
                for copy in range(trouble.copies)
            ]
        series = self._series[base.device]
        if isinstance(trouble, Conflict):
            values = series.other(base.values)
            payload = b'{"ts":%d,"values":%b}' % (base.ts or 0, values)
            due = base.due + item.after(trouble.after, number)
            seq = self._seq(base.device) if self._last_seqs else 0
            return [replace(base, due=due, payload=payload, values=values, kind="conflict", seq=seq, sent=[])]
        kind = trouble.kinds[(base.device + number) % len(trouble.kinds)]
        dose = KINDS[kind](unit, base.ts or 0, series.numbers(base.values))
        return [
            Sending(
                base.due, base.device, dose.topic, dose.payload, None, b"", kind, dose.reason, dose.reason is not None
            )
        ]

    # -- Who has which trouble ----------------------------------------------------------------------------------

    def _select(self, units: str | int | list[str], dice: Dice, candidates: Sequence[int] | None = None) -> list[int]:
        """Returns the indexes of the units that have a trouble."""
        pool = range(len(self.units)) if candidates is None else candidates
        if isinstance(units, list):
            for pattern in units:
                if not any(fnmatchcase(str(unit), pattern) for unit in self.units):
                    raise SimError(f"scenario {self.scenario.name}: no unit of this fleet is named {pattern!r}")
            return [i for i in pool if any(fnmatchcase(str(self.units[i]), pattern) for pattern in units)]
        count = (
            units if isinstance(units, int) else max(round(float(units[:-1]) / 100 * len(pool)), float(units[:-1]) > 0)
        )
        shuffled = sorted(pool, key=lambda index: (dice.named(str(self.units[index])).at(), index))
        return sorted(shuffled[:count])

    def _troubles_of(self, index: int) -> list[_MessageTrouble]:
        """The troubles of single messages that a device has."""
        troubles = []
        for (trouble, dice), indexes in zip(self._troubles, self._members, strict=True):
            if isinstance(trouble, (Late, Duplicate, Conflict, Poison)) and index in indexes:
                unit_dice = dice.named(str(self.units[index]))
                troubles.append(_MessageTrouble(trouble, unit_dice.named("hit"), float(trouble.share[:-1]) / 100))
        return troubles

    def _clock(self, index: int) -> Clock:
        clock = Clock()
        for (trouble, dice), indexes in zip(self._troubles, self._members, strict=True):
            if index not in indexes:
                continue
            unit_dice = dice.named(str(self.units[index])).named("clock")
            if isinstance(trouble, Skew):
                clock = clock.with_skew(_draw(trouble.by, unit_dice), _draw(trouble.drift, unit_dice.named("drift")))
            elif isinstance(trouble, Jump):
                clock = clock.with_set(self._moment(trouble.at), _draw(trouble.by, unit_dice))
            elif isinstance(trouble, LostClock):
                begin = self._moment(trouble.at)
                clock = clock.with_loss(begin, begin + self._moment(trouble.lasts))
        return clock

    def _plan(self) -> list[ExpectedFault]:
        """Returns the faults of the run, on units of their product whose clock is not set or lost in it."""
        expected: list[ExpectedFault] = []
        used_indexes: set[int] = set()
        for number, planned in enumerate(self.scenario.faults):
            begin, lasts = self._moment(planned.at), self._moment(planned.lasts)
            fitting = [index for index, unit in enumerate(self.units) if self._fits(index, unit, planned.fault, begin)]
            dice = self._dice.named(f"fault {number}")
            indexes = self._select(planned.units, dice, [index for index in fitting if index not in used_indexes])
            if not indexes:
                raise SimError(
                    f"scenario {self.scenario.name}: no unit of this fleet can have fault {number + 1} "
                    f"({planned.fault} at {planned.at}); take more units, or other ones"
                )
            used_indexes |= set(indexes)
            for index in indexes:
                unit, end = self.units[index], min(begin + lasts, self.duration)
                fault = fault_of(unit.product, planned.fault)
                clock = self.clocks[index]
                since, until = clock.read(self.start, begin)[0], clock.read(self.start, end)[0]
                expected.append(ExpectedFault(unit, fault, since, until, begin, end, planned.expect))
        return expected

    def _fits(self, index: int, unit: Unit, fault: str, begin: int) -> bool:
        try:
            fault_of(unit.product, fault)
        except SimError:
            return False
        backlogs = [
            span(trouble.before)
            for (trouble, _), indexes in zip(self._troubles, self._members, strict=True)
            if isinstance(trouble, Offline) and index in indexes
        ]
        is_measured = begin >= 0 or max(backlogs, default=0) >= -begin
        return is_measured and not self.clocks[index].is_set

    def _moment(self, text: str) -> int:
        return moment(text, self.duration)


def _draw(text: str, dice: Dice) -> int:
    low, high = span_range(text)
    return round(dice.between(low, high))


def _limit_units(units: Sequence[Unit], limit: int | None) -> list[Unit]:
    """At most `limit` units, in turn from each product, in the order of the file."""
    if limit is None or limit >= len(units):
        return list(units)
    products = list(dict.fromkeys(unit.product for unit in units))
    columns = [[unit for unit in units if unit.product == product] for product in products]
    longest = max(len(column) for column in columns)
    in_turn = [column[row] for row in range(longest) for column in columns if row < len(column)]
    return in_turn[:limit]
