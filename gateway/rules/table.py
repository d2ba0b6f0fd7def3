"""One product's rules as columns of numbers for the evaluator."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import numpy as np

from gateway.core.clock import MICROSECOND
from gateway.core.readings import Flags, Floats, Ints
from gateway.rules.condition import Columns
from gateway.rules.document import RuleDocument
from gateway.rules.registry import Metric

GAP_CADENCES = 5  # without max_gap, a silence longer than this many cadences ends a pending alarm


@dataclass(frozen=True, slots=True)
class KindRules:
    """The rules of one kind, grouped by metric: those of `metrics[c]` are the table's rows from `first[c]` on.

    The columns contain these rules only, so their row 0 is the table's row `first[0]`.
    """

    first: Ints
    columns: Columns

    def of_metric(self, column: int) -> slice:
        """The table's rows with the rules of one metric."""
        return slice(int(self.first[column]), int(self.first[column + 1]))

    def may_be_hot(self, rules: slice, lowest: Floats, highest: Floats) -> Flags:
        """As in Columns, for rows of the table."""
        begin = int(self.first[0])
        return self.columns.may_be_hot(slice(rules.start - begin, rules.stop - begin), lowest, highest)


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One row a rule version, sorted by kind."""

    metrics: Ints
    versions: Ints
    kinds: tuple[KindRules, ...]
    for_us: Ints
    keep_us: Ints
    gap_us: Ints

    def beyond(self, rule: Ints, value: Floats) -> Floats:
        """How far each value is beyond the limit of its rule: hot when positive."""
        beyond = np.empty(len(rule), np.float64)
        for columns, of_kind, rows in self._by_kind(rule):
            beyond[of_kind] = columns.beyond(rows, value[of_kind])
        return beyond

    def cool(self, rule: Ints, value: Floats) -> Flags:
        """Whether each value clears an alarm of its rule."""
        cool = np.empty(len(rule), np.bool_)
        for columns, of_kind, rows in self._by_kind(rule):
            cool[of_kind] = columns.cool(rows, value[of_kind])
        return cool

    def _by_kind(self, rule: Ints) -> Iterator[tuple[Columns, Flags, Ints]]:
        """For each kind: its columns, which entries of `rule` are of the kind, and their rows in the columns."""
        for kind in self.kinds:
            of_kind = (kind.first[0] <= rule) & (rule < kind.first[-1])
            yield kind.columns, of_kind, rule[of_kind] - kind.first[0]


def compile_rules(
    rules: Sequence[tuple[int, RuleDocument]], metric_ids: Mapping[str, int], metrics: Mapping[str, Metric]
) -> RuleTable:
    """The table of checked rules, given as (version id, rule); `metric_ids` has all metrics of the product."""

    def sort_key(rule: tuple[int, RuleDocument]) -> tuple[str, int, int]:
        condition = rule[1].condition
        return condition.kind, metric_ids[condition.quantity.metric], rule[0]

    ids = np.array(sorted(metric_ids.values()), np.int64)
    rules = sorted(rules, key=sort_key)
    gaps = [
        metrics[rule.condition.quantity.metric].cadence * GAP_CADENCES if rule.max_gap is None else rule.max_gap
        for _, rule in rules
    ]
    return RuleTable(
        metrics=ids,
        versions=np.array([version for version, _ in rules], np.int64),
        kinds=tuple(_kinds([rule for _, rule in rules], ids, metric_ids)),
        for_us=_microseconds([rule.for_ for _, rule in rules]),
        keep_us=_microseconds([rule.keep_firing_for for _, rule in rules]),
        gap_us=_microseconds(gaps),
    )


def _kinds(rules: Sequence[RuleDocument], ids: Ints, metric_ids: Mapping[str, int]) -> Iterator[KindRules]:
    begin = 0
    for _, group in groupby((rule.condition for rule in rules), key=type):
        conditions = list(group)
        metric = [metric_ids[condition.quantity.metric] for condition in conditions]
        first = begin + np.searchsorted(metric, np.append(ids, np.iinfo(np.int64).max))
        yield KindRules(first, type(conditions[0]).columns(conditions))
        begin += len(conditions)


def _microseconds(spans: list[timedelta]) -> Ints:
    return np.array([span // MICROSECOND for span in spans], np.int64)
