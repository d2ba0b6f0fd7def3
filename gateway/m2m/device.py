"""A device as its decoders see it, and how much it may send."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceMetric:
    """A metric a device may send: its number and what is physically possible."""

    id: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Device:
    """The MQTT side of a unit."""

    unit_id: int
    product_id: int
    metrics: Mapping[str, DeviceMetric]
    receipts: bool = False
    """Whether its numbers are read."""
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much: bytes, readings, microseconds ahead of and behind the gateway's clock, UTC days."""

    payload_bytes: int
    readings: int
    ahead_us: int
    behind_us: int
    days: int = 31
    """Of one message."""
    batch_readings: int = 50_000
    """A batch is closed by the message that brings it to so many."""
