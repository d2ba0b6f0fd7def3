"""A fleet of simulated devices: which device publishes when, and what. Pure: no broker, no clock."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, Protocol

from device_sim.climate import Climate
from device_sim.compressor import Compressor
from device_sim.dice import Dice
from device_sim.errors import SimError
from device_sim.faults import SILENCE, Fault, FaultBook
from device_sim.heat_pump import HeatPump
from device_sim.mower import Mower
from device_sim.units import Unit


class Model(Protocol):
    """The physics of one product: healthy values at a time, and how many decimals a metric is sent with."""

    decimals: ClassVar[dict[str, int]]

    def values(self, t: int) -> dict[str, float]:
        """Every metric at model time `t`, milliseconds since 1970."""
        ...


_MODELS: dict[str, type[HeatPump] | type[Mower] | type[Compressor]] = {
    "hp-90": HeatPump,
    "rm-500": Mower,
    "ac-24": Compressor,
}


@dataclass(frozen=True, slots=True)
class Device:
    """A unit with its physics and its place in the round, from 0 to 1, so that units do not publish all at once."""

    unit: Unit
    model: Model
    dice: Dice
    place: float

    def values(self, t: int, pulls: Sequence[tuple[Fault, float]] = ()) -> dict[str, float] | None:
        """What the unit measures at model time `t` under those faults; None when it is silent."""
        values = self.model.values(t)
        for fault, pull in pulls:
            if fault.name == SILENCE:
                return None
            level = fault.level * (1 + 0.01 * self.dice.named(fault.name).drift(t, 3_000))
            values[fault.metric] += pull * (level - values[fault.metric])
        return {name: round(value, self.model.decimals[name]) for name, value in values.items()}


def build(units: Sequence[Unit], seed: int) -> list[Device]:
    """The devices of those units. Each depends on the seed and its own name only, and all share the weather."""
    weather = Dice(seed).named("weather")
    devices = []
    for unit in units:
        if unit.product not in _MODELS:
            raise SimError(f"{unit}: no model for product {unit.product!r}; there are: {', '.join(_MODELS)}")
        dice = Dice(seed).named(str(unit))
        model = _MODELS[unit.product](dice, Climate(weather, dice))
        devices.append(Device(unit, model, dice, dice.named("place in the round").at()))
    return devices


def rounds(devices: Sequence[Device], every: int) -> Iterator[tuple[int, Device]]:
    """Yields without end, in order of time: milliseconds from the start, and the device that publishes then."""
    order = sorted(
        ((int(device.place * every), device) for device in devices), key=lambda item: (item[0], item[1].unit)
    )
    for start in count(0, every):
        for offset, device in order:
            yield start + offset, device


def payload(values: Mapping[str, float], ts: int | str | None) -> bytes:
    """The message the gateway reads; without `ts` the gateway takes the time it arrives."""
    message = {"values": values} if ts is None else {"ts": ts, "values": values}
    return json.dumps(message, separators=(",", ":")).encode()


def status(state: str, firmware: str | None = None) -> bytes:
    """Returns the retained status message of a unit: its state, and its firmware if that is known."""
    message = {"state": state} if firmware is None else {"state": state, "firmware": firmware}
    return json.dumps(message, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a run: a reading of each unit every `every` ms, model time from `start`, `speed` times as fast."""

    start: int
    every: int
    speed: float = 1.0
    duration: int | None = None
    with_ts: bool = True

    def model_time(self, elapsed: int) -> int:
        """Model time so many milliseconds into the run."""
        return self.start + round(elapsed * self.speed)


def dump(devices: Sequence[Device], pace: Pace, book: FaultBook) -> Iterator[bytes]:
    """The lines "topic payload" of a whole run, as fast as they can be computed; `ts` counts from the start."""
    for elapsed, device in rounds(devices, pace.every):
        if pace.duration is not None and elapsed >= pace.duration:
            return
        book.advance(elapsed)
        values = device.values(pace.model_time(elapsed), book.pulls(device.unit, elapsed))
        if values is not None:
            ts = pace.start + elapsed if pace.with_ts else None
            yield device.unit.topic.encode() + b" " + payload(values, ts) + b"\n"
