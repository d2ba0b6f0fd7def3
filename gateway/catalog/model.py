"""The suspension of a product: its readings are not judged for now."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Suspension:
    """A product that cannot be judged: its readings are stored and wait."""

    product_id: int
    product: str
    """The product's code."""
    since: datetime
    reason: str
