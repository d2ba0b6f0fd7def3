"""A product's suspension: its readings are not judged for now."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Suspension:
    """A product whose readings cannot be judged: they are stored and wait."""

    product_id: int
    product: str
    """The product's code."""
    since: datetime
    reason: str
