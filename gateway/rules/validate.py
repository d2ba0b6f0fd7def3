"""A rule against its product's metrics: problems come out, each naming the field and what to write instead."""

import difflib
from collections.abc import Iterator, Mapping
from datetime import timedelta

from gateway.core.duration import format_duration
from gateway.rules.document import RuleDocument, Threshold
from gateway.rules.registry import Metric
from gateway.rules.sentence import number


def check(rule: RuleDocument, metrics: Mapping[str, Metric]) -> list[str]:
    """Everything that keeps the rule from being activated; an empty list when nothing does."""
    problems = [*_tests(rule, metrics)]
    metric = metrics.get(rule.condition.metric)
    if metric is None:
        return [f"condition.metric: {_unknown(rule.condition.metric, metrics)}", *problems]
    condition = rule.condition
    return [
        *_limits(condition, metric),
        *_clear_levels(condition, metric),
        *_band(condition),
        *_times(rule, metric),
        *problems,
    ]


def _unknown(name: str, metrics: Mapping[str, Metric]) -> str:
    close = difflib.get_close_matches(name, metrics, n=1)
    hint = f"did you mean {close[0]}?" if close else f"write one of {', '.join(sorted(metrics)) or 'none: it has none'}"
    return f"the product has no metric {name}; {hint}"


def _limits(condition: Threshold, metric: Metric) -> Iterator[str]:
    if condition.unit != metric.unit:
        yield f"condition.unit: {metric.name} is measured in {metric.unit}; write {metric.unit} and the limits in it"
    # A limit at the edge of what is possible can never be passed either.
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


def _times(rule: RuleDocument, metric: Metric) -> Iterator[str]:
    cadence = format_duration(metric.cadence)
    if timedelta(0) < rule.for_ < metric.cadence:
        yield f"for: is shorter than the {cadence} between two readings; write {cadence} or more, or 0s"
    if rule.max_gap is not None and rule.max_gap < metric.cadence:
        yield f"max_gap: is shorter than the {cadence} between two readings; write more than {cadence}"


def _tests(rule: RuleDocument, metrics: Mapping[str, Metric]) -> Iterator[str]:
    if not any(test.expect for test in rule.tests):
        yield "tests: none expects an alarm; add a test whose series raises it, with `raised_at`"
    if not any(not test.expect for test in rule.tests):
        yield "tests: none stays silent; add a test with `expect: []`"
    for index, test in enumerate(rule.tests):
        if rule.condition.metric not in test.series:
            yield f"tests.{index}.series: has no {rule.condition.metric}; add its samples"
        for name in sorted(test.series.keys() - metrics.keys() - {rule.condition.metric}):
            yield f"tests.{index}.series: {_unknown(name, metrics)}"


def _within(level: float, metric: Metric, *, low_included: bool) -> bool:
    low = float("-inf") if metric.low is None else metric.low
    high = float("inf") if metric.high is None else metric.high
    return low <= level < high if low_included else low < level <= high


def _can_be(metric: Metric) -> str:
    low = "any low" if metric.low is None else number(metric.low)
    high = "any high" if metric.high is None else number(metric.high)
    return f"is not within what {metric.name} can be, {low} to {high} {metric.unit}"
