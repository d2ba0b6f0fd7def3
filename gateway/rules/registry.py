"""The metrics of a product, as rules see them: what is measured, in which unit, and what is possible and normal."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `low` and `high` bound what is physically possible, None where the maker gave no bound."""

    name: str
    unit: str
    low: float | None
    high: float | None
    normal_low: float | None
    normal_high: float | None
    cadence: timedelta
