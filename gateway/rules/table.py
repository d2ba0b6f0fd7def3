"""One product's rules as columns of numbers: documents go in, what the evaluator reads comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from gateway.core.clock import MICROSECOND
from gateway.rules.document import RuleDocument
from gateway.rules.registry import Metric
from gateway.rules.state import Floats, Ints

GAP_CADENCES = 5  # a silence longer than this many readings breaks a wait, where the rule names no max_gap


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One row a rule version, grouped by metric: those of `metrics[c]` are `first[c]` up to `first[c + 1]`."""

    metrics: Ints
    first: Ints
    versions: Ints
    above: Floats
    below: Floats
    cool_low: Floats  # cool is cool_low <= value <= cool_high
    cool_high: Floats
    for_us: Ints
    keep_us: Ints
    gap_us: Ints

    def beyond(self, rule: Ints, value: Floats) -> Floats:
        """How far each value is beyond the limits of its rule: hot when positive."""
        return np.maximum(value - self.above[rule], self.below[rule] - value)


def compile_rules(
    rules: Sequence[tuple[int, RuleDocument]], metric_ids: Mapping[str, int], metrics: Mapping[str, Metric]
) -> RuleTable:
    """The table of (version id, rule) pairs that `check` has no problem with; `metric_ids` has all the product's."""
    ids = np.array(sorted(metric_ids.values()), np.int64)
    rules = sorted(rules, key=lambda rule: (metric_ids[rule[1].condition.metric], rule[0]))
    conditions = [rule.condition for _, rule in rules]
    above = _floats([condition.above for condition in conditions], np.inf)
    below = _floats([condition.below for condition in conditions], -np.inf)
    # "Clear below 85" is strict; the next float down makes it <=, like the limit itself.
    clear_below = np.nextafter(_floats([condition.clear_below for condition in conditions], np.nan), -np.inf)
    clear_above = np.nextafter(_floats([condition.clear_above for condition in conditions], np.nan), np.inf)
    gaps = [
        metrics[rule.condition.metric].cadence * GAP_CADENCES if rule.max_gap is None else rule.max_gap
        for _, rule in rules
    ]
    return RuleTable(
        metrics=ids,
        first=np.searchsorted(
            [metric_ids[condition.metric] for condition in conditions], np.append(ids, np.iinfo(np.int64).max)
        ),
        versions=np.array([version for version, _ in rules], np.int64),
        above=above,
        below=below,
        cool_low=np.where(np.isnan(clear_above), below, clear_above),
        cool_high=np.where(np.isnan(clear_below), above, clear_below),
        for_us=_microseconds([rule.for_ for _, rule in rules]),
        keep_us=_microseconds([rule.keep_firing_for for _, rule in rules]),
        gap_us=_microseconds(gaps),
    )


def _floats(values: list[float | None], missing: float) -> Floats:
    return np.array([missing if value is None else value for value in values], np.float64)


def _microseconds(spans: list[timedelta]) -> Ints:
    return np.array([span // MICROSECOND for span in spans], np.int64)
