"""A unit's values as JSON for its messages: computed for each reading, or a few fixed ones, which is fast."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import orjson

from device_sim.faults import Fault
from device_sim.fleet import Device
from device_sim.times import MINUTE

_STEPS = 4  # the number of fixed readings, which are used in turn

Pulls = Sequence[tuple[Fault, float]]


class Series(Protocol):
    """Values as compact JSON."""

    def values(self, at: int, pulls: Pulls) -> bytes | None:
        """Returns the values at a time with these faults; None when the unit is silent."""
        ...

    def other(self, values: bytes) -> bytes:
        """Returns the same metrics with other values, for a conflicting message of the same time."""
        ...

    def numbers(self, values: bytes) -> dict[str, float]:
        """Returns the values of the JSON."""
        ...


class LiveSeries:
    """Values by the unit's physics at each reading."""

    def __init__(self, device: Device, start: int) -> None:
        self._device = device
        self._start = start

    def values(self, at: int, pulls: Pulls) -> bytes | None:
        """See Series."""
        numbers = self._device.values(self._start + at, pulls)
        return None if numbers is None else _json(numbers)

    def other(self, values: bytes) -> bytes:
        """See Series: the last digit of each value changes, and the value stays in its range."""
        decimals = self._device.model.decimals
        return _json(
            {
                name: round(
                    value + (10.0 ** -decimals[name] if value < 1 else -(10.0 ** -decimals[name])), decimals[name]
                )
                for name, value in self.numbers(values).items()
            }
        )

    def numbers(self, values: bytes) -> dict[str, float]:
        """See Series."""
        return dict(orjson.loads(values))


class HeldSeries(LiveSeries):
    """A few readings of the unit's first minute, in turn: for a load for which the physics takes too much CPU."""

    def __init__(self, device: Device, start: int) -> None:
        super().__init__(device, start)
        readings = (device.values(start + step * MINUTE // _STEPS) for step in range(_STEPS))
        self._ready = [_json(values) for values in readings if values is not None]
        self._turn = 0

    def values(self, at: int, pulls: Pulls) -> bytes | None:
        """See Series."""
        if pulls:
            return super().values(at, pulls)
        self._turn = (self._turn + 1) % _STEPS
        return self._ready[self._turn]


def _json(values: Mapping[str, float]) -> bytes:
    return orjson.dumps(values)
