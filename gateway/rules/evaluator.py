"""Judges readings by rules in numpy, purely: state, table and batch go in; a Delta, late marks and changes come out."""

# All times are event times. The kind of a rule's condition says which readings are hot and which cool (rules/kinds/).
# Between the two a reading keeps an alarm, and breaks a wait for one.

from dataclasses import dataclass
from itertools import pairwise, product, repeat
from typing import Literal

import numpy as np

from gateway.core.readings import Flags, Floats, Ints, Parts, Readings
from gateway.rules.state import ACTIVE, CALMING, CLEAR, PENDING, Delta, State, Timers
from gateway.rules.table import RuleTable


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm raised or cleared; (version, unit, onset) is its identity, however often it is found."""

    kind: Literal["raised", "cleared"]
    version_id: int
    unit_id: int
    onset: int
    at: int  # event time of the reading that decided
    value: float  # of that reading
    onset_value: float
    extreme: float  # the value farthest beyond its condition, from the onset up to `at`


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for a batch; `late` and `repeat` mark the readings, in arrival order, that were not judged."""

    delta: Delta
    late: Flags
    repeat: Flags
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class _Fresh:
    """The readings to judge, in time order within cells; a cell is one unit's metric, and cells go by metric."""

    time: Ints
    value: Floats
    silence: Ints  # since the reading before
    start: Ints  # of each cell, and the end of the last
    unit: Ints  # of each cell, as are partition, slot and column
    partition: Parts
    slot: Ints
    column: Ints


@dataclass(frozen=True, slots=True)
class _Steps:
    """Each pair of a rule and a cell at each reading of the cell: all first readings, then all second ones, …"""

    rounds: Ints  # where each round begins, and the end of the last
    pair: Ints
    time: Ints
    value: Floats
    beyond: Floats
    hot: Flags
    cool: Flags
    broken: Flags  # by a silence before it
    for_us: Ints
    keep_us: Ints


def judge(state: State, table: RuleTable, readings: Readings) -> Verdict:
    """What the batch means; the state stays as it is until the caller applies the verdict's delta."""
    if not (np.array_equal(state.versions, table.versions) and np.array_equal(state.metrics, table.metrics)):
        raise ValueError("the state is of other rules; take state.for_rules(table.versions, table.metrics)")
    slot, new_units, new_partitions = _slots(state, readings)
    fresh, late, repeat = _fresh(state, readings, slot)
    rule, cell = _stirred(state, table, fresh)
    timers = state.timers[np.minimum(fresh.slot[cell], len(state)), rule]
    steps = _steps(table, fresh, rule, cell)
    phase_before, after = _walk(steps, timers, worst=table.beyond(rule, timers.extreme))
    changes = _changes(steps, phase_before, after, table.versions[rule], fresh.unit[cell])
    delta = Delta(
        revision=state.revision,
        new_units=new_units,
        new_partitions=new_partitions,
        partition=fresh.partition,
        slot=fresh.slot,
        column=fresh.column,
        newest=fresh.time[fresh.start[1:] - 1],
        timer_slot=fresh.slot[cell],
        timer_rule=rule,
        timers=timers.tidied(),
    )
    return Verdict(delta, late, repeat, changes)


def _slots(state: State, readings: Readings) -> tuple[Ints, Ints, Parts]:
    """The slot of each reading's unit, the units that are new, and the partitions of these."""
    unit = readings.unit
    head = ~_same_as_before(unit)  # a message's readings follow each other: look up once for all of them
    slot = np.fromiter(map(state.slots.get, unit[head].tolist(), repeat(-1)), np.int64)
    new_units, first, nth = np.unique(unit[head][slot < 0], return_index=True, return_inverse=True)
    new_partitions = readings.partition[head][slot < 0][first]
    slot[slot < 0] = len(state) + nth
    return slot[np.cumsum(head) - 1], new_units, new_partitions


def _fresh(state: State, readings: Readings, slot: Ints) -> tuple[_Fresh, Flags, Flags]:
    """Mark what is late or a repeat, and put the rest in order."""
    column = np.searchsorted(state.metrics, readings.metric)
    if not np.array_equal(np.append(state.metrics, -1)[column], readings.metric):
        raise ValueError("a reading is of a metric that the rule table does not hold")
    before = state.newest[np.minimum(slot, len(state)), column]
    late = readings.time <= before
    order = _order(column * (int(slot.max(initial=0)) + 1) + slot, readings.time)
    order = order[~late[order]]
    same_cell = _same_as_before(slot[order]) & _same_as_before(column[order])
    again = same_cell & _same_as_before(readings.time[order])
    repeat = np.zeros(len(readings), np.bool_)
    repeat[order[again]] = True
    order, same_cell = order[~again], same_cell[~again]
    time = readings.time[order]
    start = np.flatnonzero(~same_cell)
    head = order[start]
    silence = np.diff(time, prepend=0)
    silence[start] = time[start] - before[head]
    fresh = _Fresh(
        time=time,
        value=readings.value[order],
        silence=silence,
        start=np.append(start, len(time)),
        unit=readings.unit[head],
        partition=readings.partition[head],
        slot=slot[head],
        column=column[head],
    )
    return fresh, late, repeat


def _order(cell: Ints, time: Ints) -> Ints:
    """By cell, then time, then arrival."""
    # numpy sorts plain integers many times faster than it ranks them, so the arrival travels in the key.
    order = np.sort(cell * len(cell) + np.arange(len(cell))) % max(len(cell), 1)
    earlier = np.diff(time[order], prepend=0) < 0
    if np.any(earlier & _same_as_before(cell[order])):
        return np.lexsort((time, cell))
    return order


def _same_as_before(column: Ints) -> Flags:
    same = np.zeros(len(column), np.bool_)
    same[1:] = column[1:] == column[:-1]
    return same


def _stirred(state: State, table: RuleTable, fresh: _Fresh) -> tuple[Ints, Ints]:
    """The pairs of rule and cell that the batch can move: not clear before, or maybe hot from lowest to highest."""
    # All others stay clear, and they are nearly all: only these few are walked through reading by reading.
    rules, cells = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    starts = fresh.start[:-1]
    highest = np.maximum.reduceat(fresh.value, starts) if len(starts) else fresh.value
    lowest = np.minimum.reduceat(fresh.value, starts) if len(starts) else fresh.value
    row = np.minimum(fresh.slot, len(state))
    begins = np.searchsorted(fresh.column, np.arange(len(table.metrics) + 1))
    for kind, (column, (begin, end)) in product(table.kinds, enumerate(pairwise(begins.tolist()))):
        of_metric = kind.of_metric(column)
        stirred = state.timers.phase[:, of_metric][row[begin:end]] != CLEAR
        stirred |= kind.may_be_hot(of_metric, lowest[begin:end, None], highest[begin:end, None])
        cell, rule = divmod(np.flatnonzero(stirred), max(stirred.shape[1], 1))
        rules.append(rule + of_metric.start)
        cells.append(cell + begin)
    return np.concatenate(rules), np.concatenate(cells)


def _steps(table: RuleTable, fresh: _Fresh, rule: Ints, cell: Ints) -> _Steps:
    count = fresh.start[cell + 1] - fresh.start[cell]
    pair = np.repeat(np.arange(len(rule)), count)
    nth = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    by_round = np.argsort(nth, kind="stable")
    pair = pair[by_round]
    reading = fresh.start[cell[pair]] + nth[by_round]
    rule, value = rule[pair], fresh.value[reading]
    beyond = table.beyond(rule, value)
    return _Steps(
        rounds=np.append(0, np.cumsum(np.bincount(nth))),
        pair=pair,
        time=fresh.time[reading],
        value=value,
        beyond=beyond,
        hot=beyond > 0,
        cool=table.cool(rule, value),
        broken=fresh.silence[reading] > table.gap_us[rule],
        for_us=table.for_us[rule],
        keep_us=table.keep_us[rule],
    )


def _walk(steps: _Steps, timers: Timers, worst: Floats) -> tuple[Ints, Timers]:
    """Move the timers through the rounds, in place; returns the phase before each step, and all timers after it."""
    phase_before = np.zeros(len(steps.pair), np.int64)
    trail = Timers.zeros(len(steps.pair))
    for begin, end in pairwise(steps.rounds.tolist()):
        now = slice(begin, end)
        pair, time, value, beyond = steps.pair[now], steps.time[now], steps.value[now], steps.beyond[now]
        hot, cool, broken = steps.hot[now], steps.cool[now], steps.broken[now]
        before = timers[pair]
        waiting = before.phase <= PENDING

        begins = hot & waiting & (broken | (before.phase == CLEAR))
        onset = np.where(begins, time, before.onset)
        raised = hot & waiting & (time - onset >= steps.for_us[now])

        calms = cool & ((before.phase == ACTIVE) | (broken & (before.phase == CALMING)))
        calm_since = np.where(calms, time, before.calm_since)
        cleared = cool & ~waiting & (time - calm_since >= steps.keep_us[now])

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
        trail.put(now, after)
        phase_before[now] = before.phase
    return phase_before, trail


def _changes(steps: _Steps, phase_before: Ints, after: Timers, version: Ints, unit: Ints) -> list[Change]:
    """Alarms begin and end where a step passes between waiting and raised; by time, version, unit."""
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
