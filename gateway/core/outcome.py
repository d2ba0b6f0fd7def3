"""What a notify stage returns; the reason is stored and shown ("why did I get this", "why did I not")."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pass:
    """Go on to the next stage."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until `until`, then check whether the notice still matters, and send it if so."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Send nothing; the reason is stored."""

    reason: str


Outcome = Pass | Hold | Drop
