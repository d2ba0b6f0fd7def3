"""Judges readings by rules, purely and in numpy: takes state, rule table and batch; returns a Delta and changes."""

# All times are event times. The kind of a condition decides which readings are hot and which are cool (rules/kinds/).
# A reading that is neither keeps an active alarm, and ends a pending one.

from dataclasses import dataclass
from itertools import pairwise, product, repeat
from typing import Literal

import numpy as np

from gateway.core.readings import Flags, Floats, Ints, Parts, Readings
from gateway.rules.state import ACTIVE, CALMING, CLEAR, PENDING, Delta, State, Timers
from gateway.rules.table import RuleTable


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that is raised or cleared; (version, unit, onset) is its identity, also when it is judged again."""

    kind: Literal["raised", "cleared"]
    version_id: int
    unit_id: int
    onset: int
    at: int  # event time of the reading that raised or cleared it
    value: float  # the value of that reading
    onset_value: float
    extreme: float  # the value farthest beyond its condition, from the onset up to `at`


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for a batch; `late` and `repeat` mark the readings, in arrival order, that were not judged."""

    delta: Delta
    late: Flags
    repeat: Flags
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class _NewReadings:
    """The readings to judge, in time order within cells. A cell is a metric of a unit; cells are sorted by metric."""

    time: Ints
    value: Floats
    silence: Ints  # time since the previous reading
    start: Ints  # the first index of each cell, then the end of the last cell
    unit: Ints  # one for each cell, as are partition, slot and column
    partition: Parts
    slot: Ints
    column: Ints


@dataclass(frozen=True, slots=True)
class _Steps:
    """A row for each pair of rule and cell and each reading of the cell: all first readings, then all second ones, …"""

    rounds: Ints  # the first index of each round, then the end of the last round
    pair: Ints
    time: Ints
    value: Floats
    beyond: Floats
    hot: Flags
    cool: Flags
    broken: Flags  # whether a silence longer than the rule's gap came before it
    for_us: Ints
    keep_us: Ints


def judge(state: State, table: RuleTable, readings: Readings) -> Verdict:
    """Judge a batch. The state does not change until the caller applies the verdict's delta."""
    if not (np.array_equal(state.versions, table.versions) and np.array_equal(state.metrics, table.metrics)):
        raise ValueError("the state is of other rules; take state.for_rules(table.versions, table.metrics)")
    slot, new_units, new_partitions = _slots(state, readings)
    new_readings, late, repeat = _new_readings(state, readings, slot)
    rule, cell = _affected(state, table, new_readings)
    timers = state.timers[np.minimum(new_readings.slot[cell], len(state)), rule]
    steps = _steps(table, new_readings, rule, cell)
    phase_before, after = _walk(steps, timers, worst=table.beyond(rule, timers.extreme))
    changes = _changes(steps, phase_before, after, table.versions[rule], new_readings.unit[cell])
    delta = Delta(
        revision=state.revision,
        new_units=new_units,
        new_partitions=new_partitions,
        partition=new_readings.partition,
        slot=new_readings.slot,
        column=new_readings.column,
        newest=new_readings.time[new_readings.start[1:] - 1],
        timer_slot=new_readings.slot[cell],
        timer_rule=rule,
        timers=timers.tidied(),
    )
    return Verdict(delta, late, repeat, changes)


def _slots(state: State, readings: Readings) -> tuple[Ints, Ints, Parts]:
    """Returns the slot of each reading's unit, the new units, and their partitions."""
    unit = readings.unit
    head = ~_same_as_previous(unit)  # the readings of a message follow each other and need one look-up
    slot = np.fromiter(map(state.slots.get, unit[head].tolist(), repeat(-1)), np.int64)
    new_units, first, nth = np.unique(unit[head][slot < 0], return_index=True, return_inverse=True)
    new_partitions = readings.partition[head][slot < 0][first]
    slot[slot < 0] = len(state) + nth
    return slot[np.cumsum(head) - 1], new_units, new_partitions


def _new_readings(state: State, readings: Readings, slot: Ints) -> tuple[_NewReadings, Flags, Flags]:
    """Mark late and repeated readings, and sort the others."""
    column = np.searchsorted(state.metrics, readings.metric)
    if not np.array_equal(np.append(state.metrics, -1)[column], readings.metric):
        raise ValueError("a reading is of a metric that the rule table does not hold")
    newest_before = state.newest[np.minimum(slot, len(state)), column]
    late = readings.time <= newest_before
    order = _order(column * (int(slot.max(initial=0)) + 1) + slot, readings.time)
    order = order[~late[order]]
    same_cell = _same_as_previous(slot[order]) & _same_as_previous(column[order])
    is_repeat = same_cell & _same_as_previous(readings.time[order])
    repeat = np.zeros(len(readings), np.bool_)
    repeat[order[is_repeat]] = True
    order, same_cell = order[~is_repeat], same_cell[~is_repeat]
    time = readings.time[order]
    start = np.flatnonzero(~same_cell)
    head = order[start]
    silence = np.diff(time, prepend=0)
    silence[start] = time[start] - newest_before[head]
    new_readings = _NewReadings(
        time=time,
        value=readings.value[order],
        silence=silence,
        start=np.append(start, len(time)),
        unit=readings.unit[head],
        partition=readings.partition[head],
        slot=slot[head],
        column=column[head],
    )
    return new_readings, late, repeat


def _order(cell: Ints, time: Ints) -> Ints:
    """The order by cell, then time, then arrival."""
    # numpy sorts integers many times faster than it ranks them, so the key contains the arrival.
    order = np.sort(cell * len(cell) + np.arange(len(cell))) % max(len(cell), 1)
    earlier = np.diff(time[order], prepend=0) < 0
    if np.any(earlier & _same_as_previous(cell[order])):
        return np.lexsort((time, cell))
    return order


def _same_as_previous(column: Ints) -> Flags:
    is_same = np.zeros(len(column), np.bool_)
    is_same[1:] = column[1:] == column[:-1]
    return is_same


def _affected(state: State, table: RuleTable, new_readings: _NewReadings) -> tuple[Ints, Ints]:
    """The pairs of rule and cell that the batch can change: not clear now, or perhaps hot from lowest to highest."""
    # Nearly all pairs are clear and stay so; only these few are judged reading by reading.
    rules, cells = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    starts = new_readings.start[:-1]
    highest = np.maximum.reduceat(new_readings.value, starts) if len(starts) else new_readings.value
    lowest = np.minimum.reduceat(new_readings.value, starts) if len(starts) else new_readings.value
    row = np.minimum(new_readings.slot, len(state))
    begins = np.searchsorted(new_readings.column, np.arange(len(table.metrics) + 1))
    for kind, (column, (begin, end)) in product(table.kinds, enumerate(pairwise(begins.tolist()))):
        of_metric = kind.of_metric(column)
        affected = state.timers.phase[:, of_metric][row[begin:end]] != CLEAR
        affected |= kind.may_be_hot(of_metric, lowest[begin:end, None], highest[begin:end, None])
        cell, rule = divmod(np.flatnonzero(affected), max(affected.shape[1], 1))
        rules.append(rule + of_metric.start)
        cells.append(cell + begin)
    return np.concatenate(rules), np.concatenate(cells)


def _steps(table: RuleTable, new_readings: _NewReadings, rule: Ints, cell: Ints) -> _Steps:
    count = new_readings.start[cell + 1] - new_readings.start[cell]
    pair = np.repeat(np.arange(len(rule)), count)
    nth = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    by_round = np.argsort(nth, kind="stable")
    pair = pair[by_round]
    reading = new_readings.start[cell[pair]] + nth[by_round]
    rule, value = rule[pair], new_readings.value[reading]
    beyond = table.beyond(rule, value)
    return _Steps(
        rounds=np.append(0, np.cumsum(np.bincount(nth))),
        pair=pair,
        time=new_readings.time[reading],
        value=value,
        beyond=beyond,
        hot=beyond > 0,
        cool=table.cool(rule, value),
        broken=new_readings.silence[reading] > table.gap_us[rule],
        for_us=table.for_us[rule],
        keep_us=table.keep_us[rule],
    )


def _walk(steps: _Steps, timers: Timers, worst: Floats) -> tuple[Ints, Timers]:
    """Advance the timers through the rounds, in place. Returns the phase before each step, and the timers after it."""
    phase_before = np.zeros(len(steps.pair), np.int64)
    trail = Timers.zeros(len(steps.pair))
    for begin, end in pairwise(steps.rounds.tolist()):
        rows = slice(begin, end)
        pair, time, value, beyond = steps.pair[rows], steps.time[rows], steps.value[rows], steps.beyond[rows]
        hot, cool, broken = steps.hot[rows], steps.cool[rows], steps.broken[rows]
        before = timers[pair]
        waiting = before.phase <= PENDING

        begins = hot & waiting & (broken | (before.phase == CLEAR))
        onset = np.where(begins, time, before.onset)
        raised = hot & waiting & (time - onset >= steps.for_us[rows])

        calms = cool & ((before.phase == ACTIVE) | (broken & (before.phase == CALMING)))
        calm_since = np.where(calms, time, before.calm_since)
        cleared = cool & ~waiting & (time - calm_since >= steps.keep_us[rows])

        worse = begins | (beyond > worst[pair])
        worst[pair] = np.where(worse, beyond, worst[pair])
        while_waiting = np.where(raised, ACTIVE, np.where(hot, PENDING, CLEAR))
        while_raised = np.where(cleared, CLEAR, np.where(cool, CALMING, ACTIVE))
        after = Timers(
            phase=np.where(waiting, while_waiting, while_raised).astype(np.int8),
            onset=onset,
            calm_since=calm_since,
            onset_value=np.where(begins, value, before.onset_value),
            extreme=np.where(worse, value, before.extreme),
        )
        timers.put(pair, after)
        trail.put(rows, after)
        phase_before[rows] = before.phase
    return phase_before, trail


def _changes(steps: _Steps, phase_before: Ints, after: Timers, version: Ints, unit: Ints) -> list[Change]:
    """An alarm is raised or cleared where a step crosses between pending and active. Sorted by time, version, unit."""
    crossed = np.flatnonzero((phase_before <= PENDING) != (after.phase <= PENDING))
    pair = steps.pair[crossed]
    order = np.lexsort((unit[pair], version[pair], steps.time[crossed]))
    crossed, pair = crossed[order], pair[order]
    return [
        Change("raised" if phase == ACTIVE else "cleared", *numbers)
        for phase, *numbers in zip(
            after.phase[crossed].tolist(),
            version[pair].tolist(),
            unit[pair].tolist(),
            after.onset[crossed].tolist(),
            steps.time[crossed].tolist(),
            steps.value[crossed].tolist(),
            after.onset_value[crossed].tolist(),
            after.extreme[crossed].tolist(),
            strict=True,
        )
    ]
