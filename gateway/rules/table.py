"""One product's rules as columns of numbers: documents go in, what the evaluator reads comes out."""

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

GAP_CADENCES = 5  # a silence longer than this many readings breaks a wait, where the rule names no max_gap


@dataclass(frozen=True, slots=True)
class OfKind:
    """The rules of one kind, grouped by metric: those of `metrics[c]` are `first[c]` up to `first[c + 1]` in the table.

    The columns hold these rules only, so they count from `first[0]`.
    """

    first: Ints
    columns: Columns

    def of_metric(self, column: int) -> slice:
        """The rules of one metric, in the table."""
        return slice(int(self.first[column]), int(self.first[column + 1]))

    def may_be_hot(self, rules: slice, lowest: Floats, highest: Floats) -> Flags:
        """See Columns; the rules are those of the table."""
        begin = int(self.first[0])
        return self.columns.may_be_hot(slice(rules.start - begin, rules.stop - begin), lowest, highest)


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One row a rule version; those of a kind follow each other."""

    metrics: Ints
    versions: Ints
    kinds: tuple[OfKind, ...]
    for_us: Ints
    keep_us: Ints
    gap_us: Ints

    def beyond(self, rule: Ints, value: Floats) -> Floats:
        """How far each value is beyond the condition of its rule: hot when positive."""
        beyond = np.empty(len(rule), np.float64)
        for columns, here, rows in self._by_kind(rule):
            beyond[here] = columns.beyond(rows, value[here])
        return beyond

    def cool(self, rule: Ints, value: Floats) -> Flags:
        """Whether each value clears an alarm of its rule."""
        cool = np.empty(len(rule), np.bool_)
        for columns, here, rows in self._by_kind(rule):
            cool[here] = columns.cool(rows, value[here])
        return cool

    def _by_kind(self, rule: Ints) -> Iterator[tuple[Columns, Flags, Ints]]:
        """The columns of each kind, where its rules stand in `rule`, and their rows in the columns."""
        for kind in self.kinds:
            here = (kind.first[0] <= rule) & (rule < kind.first[-1])
            yield kind.columns, here, rule[here] - kind.first[0]


def compile_rules(
    rules: Sequence[tuple[int, RuleDocument]], metric_ids: Mapping[str, int], metrics: Mapping[str, Metric]
) -> RuleTable:
    """The table of (version id, rule) pairs that `check` has no problem with; `metric_ids` has all the product's."""

    def place(rule: tuple[int, RuleDocument]) -> tuple[str, int, int]:
        condition = rule[1].condition
        return condition.kind, metric_ids[condition.quantity.metric], rule[0]

    ids = np.array(sorted(metric_ids.values()), np.int64)
    rules = sorted(rules, key=place)
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


def _kinds(rules: Sequence[RuleDocument], ids: Ints, metric_ids: Mapping[str, int]) -> Iterator[OfKind]:
    begin = 0
    for _, same in groupby((rule.condition for rule in rules), key=type):
        conditions = list(same)
        metric = [metric_ids[condition.quantity.metric] for condition in conditions]
        first = begin + np.searchsorted(metric, np.append(ids, np.iinfo(np.int64).max))
        yield OfKind(first, type(conditions[0]).columns(conditions))
        begin += len(conditions)


def _microseconds(spans: list[timedelta]) -> Ints:
    return np.array([span // MICROSECOND for span in spans], np.int64)
