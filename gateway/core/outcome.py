"""What a notify stage returns; the reason is stored and shown ("why did I get this", "why did I not")."""

from dataclasses import dataclass
from datetime import datetime

from gateway.core.reason import Reason


@dataclass(frozen=True, slots=True)
class Pass:
    """Go on to the next stage."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until `until`, then check whether the notice still matters, and send it if so."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Drop:
    """Send nothing; the reason is stored."""

    reason: Reason


Outcome = Pass | Hold | Drop
