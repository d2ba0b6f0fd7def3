"""What the evaluator knows of one product's units: a Delta goes in, each partition goes out as bytes."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Phases = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Index = Any  # what numpy takes between brackets

PARTITIONS = 16
NEVER = -(2**62)  # "no reading yet": older than any event time, and far enough from overflow to subtract from

CLEAR, PENDING, ACTIVE, CALMING = range(4)

_READING = np.dtype([("unit", "<i8"), ("metric", "<i2"), ("time", "<i8"), ("value", "<f8")])


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of equal length, in the order of arrival; `time` is the event time in microseconds since 1970."""

    unit: Ints
    metric: npt.NDArray[np.int16]
    time: Ints
    value: Floats

    def __post_init__(self) -> None:
        if not len(self.unit) == len(self.metric) == len(self.time) == len(self.value):
            raise ValueError("the columns of readings differ in length")

    def __len__(self) -> int:
        return len(self.unit)

    @classmethod
    def of(cls, unit: npt.ArrayLike, metric: npt.ArrayLike, time: npt.ArrayLike, value: npt.ArrayLike) -> Self:
        """Readings from anything that numpy reads as columns."""
        return cls(
            np.asarray(unit, np.int64),
            np.asarray(metric, np.int16),
            np.asarray(time, np.int64),
            np.asarray(value, float),
        )

    def to_bytes(self) -> bytes:
        """For the journal: 26 bytes a reading, little-endian."""
        rows = np.empty(len(self), _READING)
        for name in _READING.fields or ():
            rows[name] = getattr(self, name)
        return rows.tobytes()

    @classmethod
    def from_bytes(cls, journaled: bytes) -> Self:
        """What `to_bytes` wrote; raises ValueError when bytes are missing."""
        rows = np.frombuffer(journaled, _READING)
        return cls.of(rows["unit"], rows["metric"], rows["time"], rows["value"])


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
    unit: Ints
    slot: Ints
    column: Ints
    newest: Ints
    timer_slot: Ints
    timer_rule: Ints
    timers: Timers

    def partitions(self) -> set[int]:
        """The partitions whose dump is out of date once this is applied."""
        return set(np.unique(self.unit % PARTITIONS).tolist())


@dataclass(slots=True)
class State:
    """One product's units in slots: the newest judged reading by metric, the timers by rule version."""

    # There is always a row to spare after the last unit: a unit not yet known reads from it that it has nothing.
    versions: Ints  # the columns of `timers`
    metrics: Ints  # the columns of `newest`
    slots: dict[int, int]
    unit: Ints
    newest: Ints
    timers: Timers
    revision: int = 0

    @classmethod
    def empty(cls, versions: Ints, metrics: Ints, room: int = 0) -> Self:
        """No units yet; `versions` and `metrics` are those of the RuleTable that will judge."""
        rows = room + 1
        newest = np.full((rows, len(metrics)), NEVER, np.int64)
        return cls(versions, metrics, {}, np.zeros(rows, np.int64), newest, Timers.zeros((rows, len(versions))))

    def __len__(self) -> int:
        return len(self.slots)

    def apply(self, delta: Delta) -> None:
        """Take a verdict over, once the caller's commit has succeeded; only the state it was judged on takes it."""
        if delta.revision != self.revision:
            raise ValueError("the delta was judged on another state; judge the batch again")
        self._add(delta.new_units)
        self.newest[delta.slot, delta.column] = delta.newest
        self.timers.put((delta.timer_slot, delta.timer_rule), delta.timers)
        self.revision += 1

    def for_rules(self, versions: Ints, metrics: Ints) -> "State":
        """A state for other rules and metrics; what is known of those that remain is kept."""
        state = State.empty(versions, metrics, len(self))
        state._place(self, np.arange(len(self)))  # noqa: SLF001 - its own kind
        state.revision = self.revision + 1
        return state

    def _add(self, units: Ints) -> None:
        known = len(self)
        total = known + len(units)
        if total >= len(self.unit):
            larger = State.empty(self.versions, self.metrics, 2 * total)
            larger._place(self, np.arange(known))  # noqa: SLF001 - its own kind
            self.unit, self.newest, self.timers = larger.unit, larger.newest, larger.timers
        self.unit[known:total] = units
        self.slots.update(zip(units.tolist(), range(known, total), strict=True))

    def _place(self, other: "State", rows: Ints) -> None:
        """Add the units in those slots of `other`, with what they have in the columns that both have."""
        known = len(self)
        self._add(other.unit[rows])
        _, there, here = np.intersect1d(other.metrics, self.metrics, return_indices=True)
        self.newest[known : len(self), here] = other.newest[rows][:, there]
        _, there, here = np.intersect1d(other.versions, self.versions, return_indices=True)
        # Open timers only: copying all the zeros would make the kernel back them with memory.
        row, nth = np.nonzero(other.timers.phase[rows][:, there])
        self.timers.put((known + row, here[nth]), other.timers[rows[row], there[nth]])


def dump(state: State, partition: int) -> bytes:
    """All that is known of one partition's units; equal knowledge gives equal bytes."""
    slots = np.flatnonzero(state.unit[: len(state)] % PARTITIONS == partition)
    slots = slots[np.argsort(state.unit[slots])]
    rules = np.argsort(state.versions)
    metrics = np.argsort(state.metrics)
    row, nth = np.nonzero(state.timers.phase[slots][:, rules])
    open_timers = state.timers[slots[row], rules[nth]]
    out = io.BytesIO()
    np.savez(
        out,
        metrics=state.metrics[metrics],
        unit=state.unit[slots],
        newest=state.newest[slots][:, metrics],
        row=row,
        version=state.versions[rules[nth]],
        phase=open_timers.phase,
        onset=open_timers.onset,
        calm_since=open_timers.calm_since,
        onset_value=open_timers.onset_value,
        extreme=open_timers.extreme,
    )
    return out.getvalue()


def load(versions: Ints, metrics: Ints, dumps: Iterable[bytes]) -> State:
    """The state of the dumped partitions; rules and metrics that are gone since are left out."""
    state = State.empty(versions, metrics)
    for dumped in dumps:
        with np.load(io.BytesIO(dumped), allow_pickle=False) as saved:
            part = State.empty(np.unique(saved["version"]), saved["metrics"], len(saved["unit"]))
            part._add(saved["unit"])  # noqa: SLF001 - the other half of dump
            part.newest[: len(part)] = saved["newest"]
            timers = Timers(saved["phase"], saved["onset"], saved["calm_since"], saved["onset_value"], saved["extreme"])
            part.timers.put((saved["row"], np.searchsorted(part.versions, saved["version"])), timers)
        state._place(part, np.arange(len(part)))  # noqa: SLF001 - the other half of dump
    return state
