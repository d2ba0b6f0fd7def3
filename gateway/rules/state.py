"""What the evaluator knows of one product's units: a Delta goes in, each partition goes out as bytes."""

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
"""What `dump` writes; a change of its arrays or their meaning needs the next number and an upgrade of the bytes."""

NEVER = -(2**62)  # "no reading yet": older than any event time, and far enough from overflow to subtract from

CLEAR, PENDING, ACTIVE, CALMING = range(4)


@dataclass(frozen=True, slots=True)
class Timers:
    """How far each rule is on each unit; zero everywhere where the phase is CLEAR."""

    phase: Phases
    onset: Ints  # first hot reading
    calm_since: Ints  # first cool reading of the latest calm, while CALMING
    onset_value: Floats
    extreme: Floats  # the value farthest beyond its limit since the onset

    @classmethod
    def zeros(cls, shape: int | tuple[int, int]) -> Self:
        """Timers that are all clear; large ones take memory only where something is written."""
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
        """With zeros for what its phase has no use for, so that equal knowledge is equal to the last bit."""
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
    """What a verdict changes in the state it was made from: the newest readings, and the timers that moved."""

    revision: int
    new_units: Ints  # they take the slots after the known ones
    new_partitions: Parts  # of these
    partition: Parts
    slot: Ints
    column: Ints
    newest: Ints
    timer_slot: Ints
    timer_rule: Ints
    timers: Timers

    def partitions(self) -> set[int]:
        """The partitions whose dump is out of date once this is applied."""
        return set(np.unique(self.partition).tolist())


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of some units, without the zeros: as it is dumped, and as it moves to another state."""

    metrics: Ints
    unit: Ints
    partition: Parts
    newest: Ints
    row: Ints  # of each open timer, in `unit`
    version: Ints
    timers: Timers


@dataclass(slots=True)
class State:
    """One product's units in slots: the newest judged reading by metric, the timers by rule version."""

    # There is always a row to spare after the last unit: a unit not yet known reads from it that it has nothing.
    versions: Ints  # the columns of `timers`
    metrics: Ints  # the columns of `newest`
    slots: dict[int, int]
    unit: Ints
    partition: Parts
    newest: Ints
    timers: Timers
    revision: int = 0

    @classmethod
    def empty(cls, versions: Ints, metrics: Ints, room: int = 0) -> Self:
        """No units yet; `versions` and `metrics` are those of the RuleTable that will judge."""
        rows = room + 1
        newest = np.full((rows, len(metrics)), NEVER, np.int64)
        timers = Timers.zeros((rows, len(versions)))
        return cls(versions, metrics, {}, np.zeros(rows, np.int64), np.zeros(rows, np.int16), newest, timers)

    def __len__(self) -> int:
        return len(self.slots)

    def apply(self, delta: Delta) -> None:
        """Take a verdict over, once the caller's commit has succeeded; only the state it was judged on takes it."""
        if delta.revision != self.revision:
            raise ValueError("the delta was judged on another state; judge the batch again")
        self._add(delta.new_units, delta.new_partitions)
        self.newest[delta.slot, delta.column] = delta.newest
        self.timers.put((delta.timer_slot, delta.timer_rule), delta.timers)
        self.revision += 1

    def for_rules(self, versions: Ints, metrics: Ints) -> "State":
        """A state for other rules and metrics; what is known of those that remain is kept."""
        state = assembled(versions, metrics, [self.part(np.arange(len(self)))])
        state.revision = self.revision + 1
        return state

    def part(self, slots: Ints) -> Part:
        """What is known of the units in these slots."""
        # Open timers only: copying the zeros too would make the kernel back them all with memory.
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
        """Take in units that are not yet known, with what they have in the columns that are here."""
        known = len(self)
        self._add(part.unit, part.partition)
        _, there, here = np.intersect1d(part.metrics, self.metrics, return_indices=True)
        self.newest[known : len(self), here] = part.newest[:, there]
        by_version = np.argsort(self.versions)
        kept = np.flatnonzero(np.isin(part.version, self.versions))
        rule = by_version[np.searchsorted(self.versions, part.version[kept], sorter=by_version)]
        self.timers.put((known + part.row[kept], rule), part.timers[kept])

    def _add(self, units: Ints, partitions: Parts) -> None:
        known = len(self)
        total = known + len(units)
        if total >= len(self.unit):
            larger = State.empty(self.versions, self.metrics, 2 * total)
            larger.place(self.part(np.arange(known)))
            self.unit, self.partition = larger.unit, larger.partition
            self.newest, self.timers = larger.newest, larger.timers
        self.unit[known:total] = units
        self.partition[known:total] = partitions
        self.slots.update(zip(units.tolist(), range(known, total), strict=True))


def dump(state: State, partition: int) -> bytes:
    """All that is known of one partition's units; equal knowledge gives equal bytes."""
    slots = np.flatnonzero(state.partition[: len(state)] == partition)
    part = state.part(slots[np.argsort(state.unit[slots])])
    out = io.BytesIO()
    np.savez(
        out,
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
    return out.getvalue()


def read_dump(dumped: bytes, partition: npt.ArrayLike) -> Part:
    """What was dumped of a partition; raises whatever is wrong with the bytes."""
    with np.load(io.BytesIO(dumped), allow_pickle=False) as saved:
        timers = Timers(*(saved[name] for name in ("phase", "onset", "calm_since", "onset_value", "extreme")))
        unit = saved["unit"]
        partitions = np.broadcast_to(np.asarray(partition, np.int16), np.shape(unit))
        return Part(saved["metrics"], unit, partitions, saved["newest"], saved["row"], saved["version"], timers)


def assembled(versions: Ints, metrics: Ints, parts: Sequence[Part]) -> State:
    """The state of these parts; rules and metrics that are gone since are left out."""
    state = State.empty(versions, metrics, sum(len(part.unit) for part in parts))
    for part in parts:
        state.place(part)
    return state
