"""Readings as columns: their one form from the decoder to the rules, the journal and the table."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Parts = npt.NDArray[np.int16]
Metrics = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Index = Any  # any index that numpy takes

_JOURNALED = np.dtype([("unit", "<i8"), ("metric", "<i2"), ("time", "<i8"), ("value", "<f8")])

US_A_DAY = 86_400_000_000
US_AN_HOUR = 3_600_000_000
JOURNALED_BYTES = _JOURNALED.itemsize
"""The size of a reading in the journal."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of equal length, in the order of arrival; times in microseconds since 1970."""

    unit: Ints
    metric: Metrics
    time: Ints
    """The time of the event, as the device sent it."""
    value: Floats
    partition: Parts
    """The partition of the unit; any value will do where the state is not saved."""
    received: Ints
    """The time of arrival; any value will do where the readings are not stored."""

    def __post_init__(self) -> None:
        columns = (self.metric, self.time, self.value, self.partition, self.received)
        if any(len(column) != len(self.unit) for column in columns):
            raise ValueError("the columns of readings differ in length")

    def __len__(self) -> int:
        return len(self.unit)

    def __getitem__(self, index: Index) -> "Readings":
        return Readings(
            self.unit[index],
            self.metric[index],
            self.time[index],
            self.value[index],
            self.partition[index],
            self.received[index],
        )

    @classmethod
    def of(
        cls,
        unit: npt.ArrayLike,
        metric: npt.ArrayLike,
        time: npt.ArrayLike,
        value: npt.ArrayLike,
        partition: npt.ArrayLike = 0,
        received: npt.ArrayLike = 0,
    ) -> Self:
        """Readings from anything that numpy reads as columns."""
        return cls(
            np.asarray(unit, np.int64),
            np.asarray(metric, np.int16),
            np.asarray(time, np.int64),
            np.asarray(value, float),
            np.broadcast_to(np.asarray(partition, np.int16), np.shape(unit)),
            np.broadcast_to(np.asarray(received, np.int64), np.shape(unit)),
        )

    def days(self) -> list[date]:
        """The UTC days of the events."""
        return [datetime.fromtimestamp(day * 86_400, UTC).date() for day in np.unique(self.time // US_A_DAY).tolist()]

    def to_bytes(self) -> bytes:
        """The readings for the journal: `JOURNALED_BYTES` a reading, little-endian."""
        rows = np.empty(len(self), _JOURNALED)
        for name in _JOURNALED.fields or ():
            rows[name] = getattr(self, name)
        return rows.tobytes()

    @classmethod
    def from_bytes(cls, journaled: bytes) -> Self:
        """Read what `to_bytes` wrote; the partition is any. Raises ValueError when bytes are missing."""
        rows = np.frombuffer(journaled, _JOURNALED)
        return cls.of(rows["unit"], rows["metric"], rows["time"], rows["value"])


EMPTY = Readings.of([], [], [], [])
