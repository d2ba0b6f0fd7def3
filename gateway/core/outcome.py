"""What a notify stage returns; the reason is stored and shown ("why did I get this", "why did I not")."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pass:
    """Go on to the next stage."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep it and send it at `until`, after asking again whether it still matters."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Tell nobody; the reason is kept."""

    reason: str


Outcome = Pass | Hold | Drop
