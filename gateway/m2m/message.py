"""A message from the broker, what it contains, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.m2m.counted import Number

Reading = tuple[int, int, float]
"""Metric id, microseconds since 1970, value."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received. `connection` is the number of our connection, `resumed` whether it resumed the session."""

    topic: str
    payload: bytes
    packet_id: int
    connection: int
    resumed: bool
    received_us: int
    quarantined: int = 0
    """Its number in the quarantine when it is tried again, else 0."""
    retained: bool = False
    """Whether the broker sent a retained message because we subscribed; it may have been published long ago."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a message or a part of it is refused: a reason to count by, and a detail that says what to change."""

    reason: str
    detail: str


class Decoded(NamedTuple):
    """The content of a message, and why a part of it is refused."""

    # Decoded and Heard are made for every message, and a tuple is made much faster than a dataclass.

    readings: Sequence[Reading] = ()
    numbers: Sequence[Number] = ()
    """The numbers that the device gave the message, also when it is refused."""
    rejected: Rejected | None = None
    ignored: Sequence[str] = ()
    """Names of unknown fields, up to `names.NAMES_KEPT`."""
    firmware: str | None = None


class Heard(NamedTuple):
    """A message of a known unit, and why it or a part of it was refused."""

    unit_id: int
    message: Message
    rejected: Rejected | None
    ignored: Sequence[str] = ()
    """Names of unknown fields, up to `names.NAMES_KEPT`."""
