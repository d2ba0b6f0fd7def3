"""The metrics of a product as rules use them: unit of measurement, and possible and normal values."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `low` and `high` are the physically possible bounds, None without a bound."""

    name: str
    unit: str
    low: float | None
    high: float | None
    normal_low: float | None
    normal_high: float | None
    cadence: timedelta


def unknown_metric(name: str, metrics: Mapping[str, Metric]) -> str:
    """The message that a product has no metric of this name, and which one may be meant."""
    close = difflib.get_close_matches(name, metrics, n=1)
    hint = f"did you mean {close[0]}?" if close else f"write one of {', '.join(sorted(metrics)) or 'none: it has none'}"
    return f"the product has no metric {name}; {hint}"
