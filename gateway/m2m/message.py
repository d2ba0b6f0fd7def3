"""What came from the broker, and what may be wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.m2m.counted import Number

Reading = tuple[int, int, float]
"""Metric id, microseconds since 1970, value."""


@dataclass(frozen=True, slots=True)
class Message:
    """A publish as received; `connection` counts our connections, `resumed` says whether the session went on."""

    topic: str
    payload: bytes
    packet_id: int
    connection: int
    resumed: bool
    received_us: int
    quarantined: int = 0
    """Its number in quarantine, when it is tried again."""
    retained: bool = False
    """Whether the broker repeats what it retains, because we subscribed; nobody publishes it now."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a message, or some of it, cannot be taken: a reason to count by, and a detail that says what to mend."""

    reason: str
    detail: str


class Decoded(NamedTuple):
    """What a message holds, and what is wrong with the rest of it."""

    # A tuple is made in a fraction of a dataclass's time, and this one for every message, as is Heard.

    readings: Sequence[Reading] = ()
    numbers: Sequence[Number] = ()
    """Those that the device gave it; of a refused message too."""
    rejected: Rejected | None = None
    ignored: Sequence[str] = ()
    """Names of fields that the gateway does not know; a few of them."""
    firmware: str | None = None


class Heard(NamedTuple):
    """A message of a known unit, and what was refused of it."""

    unit_id: int
    message: Message
    rejected: Rejected | None
    ignored: Sequence[str] = ()
    """Names of fields that the gateway does not know; a few of them."""
