"""The evaluator's state of one product's units: takes Deltas, and dumps each partition as bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gateway.core.documents import DocumentKind
from gateway.core.readings import Floats, Index, Ints, Parts

Phases = npt.NDArray[np.int8]

SNAPSHOT = DocumentKind("rule snapshot")
"""The bytes of `dump`; a change of its arrays or their meaning needs the next number and an upgrade of the bytes."""

NEVER = -(2**62)  # "no reading yet": before any event time, and differences to it do not overflow

CLEAR, PENDING, ACTIVE, CALMING = range(4)


@dataclass(frozen=True, slots=True)
class Timers:
    """The progress of each rule on each unit; all values are zero while the phase is CLEAR."""

    phase: Phases
    onset: Ints  # time of the first hot reading
    calm_since: Ints  # while CALMING, time of the first cool reading after the last hot one
    onset_value: Floats
    extreme: Floats  # the value farthest beyond its limit since the onset

    @classmethod
    def zeros(cls, shape: int | tuple[int, int]) -> Self:
        """Timers that are all clear; the kernel backs them with memory only where something is written."""
        return cls(
            np.zeros(shape, np.int8),
            np.zeros(shape, np.int64),
            np.zeros(shape, np.int64),
            np.zeros(shape, np.float64),
            np.zeros(shape, np.float64),
        )

    def __getitem__(self, index: Index) -> "Timers":
        return Timers(
            self.phase[index],
            self.onset[index],
            self.calm_since[index],
            self.onset_value[index],
            self.extreme[index],
        )

    def tidied(self) -> "Timers":
        """The timers with zeros in fields that their phase does not use, so that equal states have equal bytes."""
        in_use, calming = self.phase != CLEAR, self.phase == CALMING
        return Timers(
            self.phase,
            np.where(in_use, self.onset, 0),
            np.where(calming, self.calm_since, 0),
            np.where(in_use, self.onset_value, 0.0),
            np.where(in_use, self.extreme, 0.0),
        )

    def put(self, index: Index, timers: "Timers") -> None:
        """Write `timers` at `index`."""
        self.phase[index] = timers.phase
        self.onset[index] = timers.onset
        self.calm_since[index] = timers.calm_since
        self.onset_value[index] = timers.onset_value
        self.extreme[index] = timers.extreme


@dataclass(frozen=True, slots=True)
class Delta:
    """The change of the state by a verdict: the times of the newest readings, and the timers that moved."""

    revision: int
    new_units: Ints  # they get the next free slots
    new_partitions: Parts  # of the new units
    partition: Parts
    slot: Ints
    column: Ints
    newest: Ints
    timer_slot: Ints
    timer_rule: Ints
    timers: Timers

    def partitions(self) -> set[int]:
        """The partitions that must be dumped again once this is applied."""
        return set(np.unique(self.partition).tolist())


@dataclass(frozen=True, slots=True)
class Part:
    """The state of some units without the zeros: for a dump, and for a move to another state."""

    metrics: Ints
    unit: Ints
    partition: Parts
    newest: Ints
    row: Ints  # the index in `unit` of each timer that is not clear
    version: Ints
    timers: Timers


@dataclass(slots=True)
class State:
    """One product's units, one slot each: the newest judged reading's time by metric, the timers by rule version."""

    # The row after the last unit is always empty: it is read for units that are new in a batch.
    versions: Ints  # the columns of `timers`
    metrics: Ints  # the columns of `newest`
    slots: dict[int, int]
    unit: Ints
    partition: Parts
    newest: Ints
    timers: Timers
    revision: int = 0

    @classmethod
    def empty(cls, versions: Ints, metrics: Ints, capacity: int = 0) -> Self:
        """A state without units; `versions` and `metrics` are those of the RuleTable."""
        rows = capacity + 1
        newest = np.full((rows, len(metrics)), NEVER, np.int64)
        timers = Timers.zeros((rows, len(versions)))
        return cls(versions, metrics, {}, np.zeros(rows, np.int64), np.zeros(rows, np.int16), newest, timers)

    def __len__(self) -> int:
        return len(self.slots)

    def apply(self, delta: Delta) -> None:
        """Apply a verdict after the caller's commit. Raises ValueError when it was judged on another state."""
        if delta.revision != self.revision:
            raise ValueError("the delta was judged on another state; judge the batch again")
        self._add(delta.new_units, delta.new_partitions)
        self.newest[delta.slot, delta.column] = delta.newest
        self.timers.put((delta.timer_slot, delta.timer_rule), delta.timers)
        self.revision += 1

    def for_rules(self, versions: Ints, metrics: Ints) -> "State":
        """The state for other rules and metrics; those that remain keep their values."""
        state = assembled(versions, metrics, [self.part(np.arange(len(self)))])
        state.revision = self.revision + 1
        return state

    def part(self, slots: Ints) -> Part:
        """The state of the units in these slots."""
        # Not the clear timers: copying their zeros would make the kernel back all of them with memory.
        by_version = np.argsort(self.versions)
        row, nth = np.nonzero(self.timers.phase[slots][:, by_version])
        rule = by_version[nth]
        timers = self.timers[slots[row], rule]
        return Part(
            self.metrics,
            self.unit[slots],
            self.partition[slots],
            self.newest[slots],
            row,
            self.versions[rule],
            timers,
        )

    def place(self, part: Part) -> None:
        """Add new units with their values in the columns of this state."""
        first_new = len(self)
        self._add(part.unit, part.partition)
        _, part_columns, own_columns = np.intersect1d(part.metrics, self.metrics, return_indices=True)
        self.newest[first_new : len(self), own_columns] = part.newest[:, part_columns]
        by_version = np.argsort(self.versions)
        kept_timers = np.flatnonzero(np.isin(part.version, self.versions))
        rule = by_version[np.searchsorted(self.versions, part.version[kept_timers], sorter=by_version)]
        self.timers.put((first_new + part.row[kept_timers], rule), part.timers[kept_timers])

    def _add(self, units: Ints, partitions: Parts) -> None:
        first_new = len(self)
        total = first_new + len(units)
        if total >= len(self.unit):
            larger = State.empty(self.versions, self.metrics, 2 * total)
            larger.place(self.part(np.arange(first_new)))
            self.unit, self.partition = larger.unit, larger.partition
            self.newest, self.timers = larger.newest, larger.timers
        self.unit[first_new:total] = units
        self.partition[first_new:total] = partitions
        self.slots.update(zip(units.tolist(), range(first_new, total), strict=True))


def dump(state: State, partition: int) -> bytes:
    """The state of one partition's units as bytes; equal states have equal bytes."""
    slots = np.flatnonzero(state.partition[: len(state)] == partition)
    part = state.part(slots[np.argsort(state.unit[slots])])
    buffer = io.BytesIO()
    np.savez(
        buffer,
        metrics=part.metrics,
        unit=part.unit,
        newest=part.newest,
        row=part.row,
        version=part.version,
        phase=part.timers.phase,
        onset=part.timers.onset,
        calm_since=part.timers.calm_since,
        onset_value=part.timers.onset_value,
        extreme=part.timers.extreme,
    )
    return buffer.getvalue()


def read_dump(dumped: bytes, partition: npt.ArrayLike) -> Part:
    """Read a dump of a partition. Raises different exceptions for damaged bytes."""
    with np.load(io.BytesIO(dumped), allow_pickle=False) as saved:
        timers = Timers(*(saved[name] for name in ("phase", "onset", "calm_since", "onset_value", "extreme")))
        unit = saved["unit"]
        partitions = np.broadcast_to(np.asarray(partition, np.int16), np.shape(unit))
        return Part(saved["metrics"], unit, partitions, saved["newest"], saved["row"], saved["version"], timers)


def assembled(versions: Ints, metrics: Ints, parts: Sequence[Part]) -> State:
    """The state that consists of these parts, without rules and metrics that no longer exist."""
    state = State.empty(versions, metrics, sum(len(part.unit) for part in parts))
    for part in parts:
        state.place(part)
    return state
