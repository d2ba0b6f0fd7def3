"""A device as the decoders see it, and the limits on its messages."""

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
    """Whether the device gets receipts, so that its message numbers are read."""
    partition: int = 0
    behind_us: int | None = None
    """The microseconds that its readings may be old, where its product says so."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on one message: bytes, readings, microseconds ahead of and behind the gateway's clock, UTC days."""

    payload_bytes: int
    readings: int
    ahead_us: int
    behind_us: int
    days: int = 31
    batch_readings: int = 50_000
    """The limit on a batch: the message that reaches it is the last one of the batch."""
