"""Checks a rule against its product's metrics; each problem names the field and what to write instead."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from gateway.core.duration import format_duration
from gateway.rules.document import RuleDocument
from gateway.rules.registry import Metric, unknown_metric


def check(rule: RuleDocument, metrics: Mapping[str, Metric]) -> list[str]:
    """Returns everything that keeps the rule from being activated."""
    metric = metrics.get(rule.condition.quantity.metric)
    times = _times(rule, metric) if metric else ()
    return [*rule.condition.check(metrics), *times, *_tests(rule, metrics)]


def _times(rule: RuleDocument, metric: Metric) -> Iterator[str]:
    cadence = format_duration(metric.cadence)
    if timedelta(0) < rule.for_ < metric.cadence:
        yield f"for: is shorter than the {cadence} between two readings; write {cadence} or more, or 0s"
    if rule.max_gap is not None and rule.max_gap < metric.cadence:
        yield f"max_gap: is shorter than the {cadence} between two readings; write more than {cadence}"


def _tests(rule: RuleDocument, metrics: Mapping[str, Metric]) -> Iterator[str]:
    judged_metric = rule.condition.quantity.metric
    if not any(test.expect for test in rule.tests):
        yield "tests: none expects an alarm; add a test whose series raises it, with `raised_at`"
    if not any(not test.expect for test in rule.tests):
        yield "tests: none stays silent; add a test with `expect: []`"
    for index, test in enumerate(rule.tests):
        if judged_metric not in test.series:
            yield f"tests.{index}.series: has no {judged_metric}; add its samples"
        for name in sorted(test.series.keys() - metrics.keys() - {judged_metric}):
            yield f"tests.{index}.series: {unknown_metric(name, metrics)}"
