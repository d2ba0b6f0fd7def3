"""Runs the tests of a rule on the evaluator that judges live readings; returns the failures as text."""

from collections.abc import Mapping
from datetime import timedelta

from gateway.core.clock import MICROSECOND
from gateway.core.duration import format_duration
from gateway.core.readings import Readings
from gateway.rules.document import Expected, RuleDocument, RuleTest, parse_series
from gateway.rules.evaluator import judge
from gateway.rules.registry import Metric
from gateway.rules.state import State
from gateway.rules.table import RuleTable, compile_rules


def run_tests(rule: RuleDocument, metrics: Mapping[str, Metric]) -> list[str]:
    """Returns a line for each failed test, with the expected alarms and those it got."""
    metric_ids = {name: number for number, name in enumerate(metrics)}
    unknown = {rule.condition.quantity.metric, *(name for test in rule.tests for name in test.series)} - metrics.keys()
    if unknown:
        return [f"the product has no metric {name}" for name in sorted(unknown)]
    table = compile_rules([(1, rule)], metric_ids, metrics)
    failures = []
    for test in rule.tests:
        alarms = _run(test, table, metric_ids)
        if alarms != list(test.expect):
            failures.append(f"test {test.name!r}: expected {_described(test.expect)}, got {_described(alarms)}")
    return failures


def _run(test: RuleTest, table: RuleTable, metric_ids: Mapping[str, int]) -> list[Expected]:
    every = test.every // MICROSECOND
    rows = [
        (1, metric_ids[name], nth * every, value)
        for name, series in test.series.items()
        for nth, value in enumerate(parse_series(series))
        if value is not None
    ]
    readings = Readings.of(*zip(*rows, strict=True)) if rows else Readings.of([], [], [], [])
    alarms: list[Expected] = []
    for change in judge(State.empty(table.versions, table.metrics), table, readings).changes:
        at = timedelta(microseconds=change.at)
        if change.kind == "raised":
            alarms.append(Expected(raised_at=at))
        else:
            alarms[-1] = Expected(raised_at=alarms[-1].raised_at, cleared_at=at)
    return alarms


def _described(alarms: list[Expected] | tuple[Expected, ...]) -> str:
    return (
        " and ".join(
            f"raised at {format_duration(alarm.raised_at)}"
            + (
                ", still raised at the end"
                if alarm.cleared_at is None
                else f", cleared at {format_duration(alarm.cleared_at)}"
            )
            for alarm in alarms
        )
        or "silence"
    )
