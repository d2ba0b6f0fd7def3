"""A metric above or below a limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from gateway.core.readings import Flags, Floats, Ints
from gateway.rules.condition import Condition, Limit, Quantity
from gateway.rules.figures import number
from gateway.rules.registry import Metric, unknown_metric
from gateway.text import Speech

Level = Annotated[float, Field(allow_inf_nan=False)]


class Threshold(Condition):
    """A metric above or below a limit; with both limits, outside their band."""

    kind: Literal["threshold"]
    metric: str
    unit: str = Field(description="The metric's unit, repeated so that a limit in another unit is noticed.")
    above: Level | None = Field(None, description="Raise when the value is above this.")
    below: Level | None = Field(None, description="Raise when the value is below this.")
    clear_below: Level | None = Field(None, description="With `above`: clear below this; else at the limit or below.")
    clear_above: Level | None = Field(None, description="With `below`: clear above this; else at the limit or above.")

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("there is no limit; give `above`, `below` or both")
        return self

    @property
    def quantity(self) -> Quantity:
        return Quantity(self.metric, self.unit)

    @property
    def limits(self) -> list[Limit]:
        below = [] if self.below is None else [Limit("below", self.below)]
        return below if self.above is None else [*below, Limit("above", self.above)]

    def check(self, metrics: Mapping[str, Metric]) -> list[str]:
        metric = metrics.get(self.metric)
        if metric is None:
            return [f"condition.metric: {unknown_metric(self.metric, metrics)}"]
        return [*_limits(self, metric), *_clear_levels(self, metric), *_band(self)]

    @classmethod
    def columns(cls, conditions: Sequence[Self]) -> "_Columns":
        above = _floats([condition.above for condition in conditions], np.inf)
        below = _floats([condition.below for condition in conditions], -np.inf)
        # "Clear below 85" is strict; the next float down makes it <=, like the limit itself.
        clear_below = np.nextafter(_floats([condition.clear_below for condition in conditions], np.nan), -np.inf)
        clear_above = np.nextafter(_floats([condition.clear_above for condition in conditions], np.nan), np.inf)
        return _Columns(
            above=above,
            below=below,
            cool_low=np.where(np.isnan(clear_above), below, clear_above),
            cool_high=np.where(np.isnan(clear_below), above, clear_below),
        )

    def raises(self, *, lasting: bool) -> str:
        limits = {"below": self.below, "above": self.above}
        hot = " or ".join(f"{side} {number(limit)}" for side, limit in limits.items() if limit is not None)
        return f"{self.metric} {'stays' if lasting else 'goes'} {hot} {self.unit}"

    def clears(self) -> str:
        parts = []
        if self.below is not None:
            parts.append(_level(self.clear_above, "above", self.below, "or above", self.unit))
        if self.above is not None:
            parts.append(_level(self.clear_below, "below", self.above, "or below", self.unit))
        return " and ".join(parts)

    def plain(self, title: str, say: Speech, wait: str, keep: str) -> str:
        def beyond(side: str, limit: float) -> str:
            return say(f"rule-{side}", limit=f"{say.plain(limit)} {self.unit}")

        limits = (("below", self.below), ("above", self.above))
        hot = [beyond(side, limit) for side, limit in limits if limit is not None]
        cool = [
            beyond(side, clear if clear is not None else limit)
            for side, clear, limit in (
                ("above", self.clear_above, self.below),
                ("below", self.clear_below, self.above),
            )
            if limit is not None
        ]
        return say("rule-sentence", title=title, hot=say.choice(hot), cool=say.all_of(cool), wait=wait, keep=keep)

    def crossed_limit(self, value: float) -> float:
        if self.below is None or (self.above is not None and value > self.above):
            assert self.above is not None  # noqa: S101 - a threshold has a limit
            return self.above
        return self.below


@dataclass(frozen=True, slots=True)
class _Columns:
    """Hot is beyond a limit; cool is within every limit, and strictly past the clear level of each that has one."""

    above: Floats
    below: Floats
    cool_low: Floats  # cool is cool_low <= value <= cool_high
    cool_high: Floats

    def beyond(self, rows: Ints, values: Floats) -> Floats:
        return np.maximum(values - self.above[rows], self.below[rows] - values)

    def cool(self, rows: Ints, values: Floats) -> Flags:
        return (self.cool_low[rows] <= values) & (values <= self.cool_high[rows])

    def may_be_hot(self, rows: slice, lowest: Floats, highest: Floats) -> Flags:
        return (highest > self.above[rows]) | (lowest < self.below[rows])


def _floats(values: list[float | None], missing: float) -> Floats:
    return np.array([missing if value is None else value for value in values], np.float64)


def _limits(condition: Threshold, metric: Metric) -> Iterator[str]:
    if condition.unit != metric.unit:
        yield f"condition.unit: {metric.name} is measured in {metric.unit}; write {metric.unit} and the limits in it"
    # A limit that equals the highest or lowest possible value can never be crossed either.
    if condition.above is not None and not _within(condition.above, metric, low_included=True):
        yield f"condition.above: {number(condition.above)} {_can_be(metric)}; write a limit that can be passed"
    if condition.below is not None and not _within(condition.below, metric, low_included=False):
        yield f"condition.below: {number(condition.below)} {_can_be(metric)}; write a limit that can be passed"


def _clear_levels(condition: Threshold, metric: Metric) -> Iterator[str]:
    above, below = condition.above, condition.below
    clear_below, clear_above = condition.clear_below, condition.clear_above
    if clear_below is not None:
        if above is None:
            yield "condition.clear_below: goes with `above`, which is not given; write clear_above, or add `above`"
        elif clear_below > above:
            yield f"condition.clear_below: is on the wrong side of `above`; write {number(above)} or less"
        elif not _within(clear_below, metric, low_included=False):
            yield f"condition.clear_below: {number(clear_below)} {_can_be(metric)}; write a level that can be reached"
    if clear_above is not None:
        if below is None:
            yield "condition.clear_above: goes with `below`, which is not given; write clear_below, or add `below`"
        elif clear_above < below:
            yield f"condition.clear_above: is on the wrong side of `below`; write {number(below)} or more"
        elif not _within(clear_above, metric, low_included=True):
            yield f"condition.clear_above: {number(clear_above)} {_can_be(metric)}; write a level that can be reached"


def _band(condition: Threshold) -> Iterator[str]:
    above, below = condition.above, condition.below
    if above is None or below is None:
        return
    high = above if condition.clear_below is None else condition.clear_below
    low = below if condition.clear_above is None else condition.clear_above
    if below >= above:
        yield (
            f"condition.below: below {number(below)} and above {number(above)} overlap, so nearly every value would "
            f"raise; write a `below` under {number(above)}"
        )
    elif low >= high:
        yield (
            f"condition.clear_above: above {number(low)} and below {number(high)} leave no value that clears the "
            f"alarm; write a clear_above under {number(high)}"
        )


def _within(level: float, metric: Metric, *, low_included: bool) -> bool:
    low = float("-inf") if metric.low is None else metric.low
    high = float("inf") if metric.high is None else metric.high
    return low <= level < high if low_included else low < level <= high


def _can_be(metric: Metric) -> str:
    low = "any low" if metric.low is None else number(metric.low)
    high = "any high" if metric.high is None else number(metric.high)
    return f"is not within what {metric.name} can be, {low} to {high} {metric.unit}"


def _level(clear: float | None, beyond: str, limit: float, or_beyond: str, unit: str) -> str:
    return f"at {number(limit)} {unit} {or_beyond}" if clear is None else f"{beyond} {number(clear)} {unit}"
