"""Rules, metrics and readings for the tests of gateway/rules, and a plain reference of what a rule means."""

from collections.abc import Iterable
from datetime import timedelta

from gateway.core.duration import format_duration
from gateway.core.readings import Ints, Readings
from gateway.rules.document import RuleDocument
from gateway.rules.evaluator import Verdict, judge
from gateway.rules.registry import Metric
from gateway.rules.state import State, assembled, read_dump
from gateway.rules.table import RuleTable, compile_rules

SECOND = 1_000_000
METRICS = {
    "temp_c": Metric("temp_c", "°C", -40, 150, 20, 80, timedelta(seconds=5)),
    "pressure_bar": Metric("pressure_bar", "bar", 0, 6, 1, 2, timedelta(seconds=5)),
}
METRIC_IDS = {"temp_c": 3, "pressure_bar": 1}


def document(**changes: object) -> dict[str, object]:
    """A rule as YAML would give it: "temp_c above 90", told at once; `changes` replace whole fields."""
    return {
        "id": "pump-overheats",
        "title": {"en": "Pump overheats"},
        "product": "p-200",
        "condition": threshold(above=90),
        "severity": "warning",
        "audience": ["owner"],
        "text": {"en": {"title": "Turn it off", "body": "It is at {value} {unit}.", "action": "Wait."}},
        "tests": [
            {"name": "hot", "every": "5s", "series": {"temp_c": "95x9"}, "expect": [{"raised_at": "0s"}]},
            {"name": "cold", "every": "5s", "series": {"temp_c": "70x9"}, "expect": []},
        ],
    } | changes


def threshold(**levels: object) -> dict[str, object]:
    return {"kind": "threshold", "metric": "temp_c", "unit": "°C"} | levels


def rule(**changes: object) -> RuleDocument:
    return RuleDocument.model_validate(document(**changes))


def timed_rule(levels: dict[str, float], for_s: int = 0, keep_s: int = 0, gap_s: int = 30) -> RuleDocument:
    spans = {"for": for_s, "keep_firing_for": keep_s, "max_gap": gap_s}
    written = {name: format_duration(timedelta(seconds=span)) for name, span in spans.items()}
    return rule(condition=threshold(**levels), **written)


def table_of(*rules: RuleDocument, first_version: int = 1) -> RuleTable:
    return compile_rules(list(enumerate(rules, first_version)), METRIC_IDS, METRICS)


def state_for(table: RuleTable) -> State:
    return State.empty(table.versions, table.metrics)


def temps(*points: tuple[float, float], unit: int = 7, metric: str = "temp_c") -> Readings:
    """Readings of one unit, as (second, value)."""
    return readings((unit, METRIC_IDS[metric], round(second * SECOND), value) for second, value in points)


def readings(rows: Iterable[tuple[int, int, int, float]]) -> Readings:
    """Here the units are in 16 partitions, by their numbers."""
    rows = list(rows)
    columns = [[row[column] for row in rows] for column in range(4)]
    return Readings.of(*columns, partition=[unit % 16 for unit in columns[0]])


def load(versions: Ints, metrics: Ints, dumps: Iterable[tuple[int, bytes]]) -> State:
    """The state of these partitions and dumps."""
    return assembled(versions, metrics, [read_dump(dumped, partition) for partition, dumped in dumps])


def take(state: State, table: RuleTable, batch: Readings) -> Verdict:
    """Judge and apply, as ingest does when the commit succeeds."""
    verdict = judge(state, table, batch)
    state.apply(verdict.delta)
    return verdict


def change_times(table: RuleTable, *batches: Readings) -> list[tuple[str, float, float]]:
    """The changes of the batches, one after the other, as (kind, onset, at) in seconds."""
    state = state_for(table)
    return [
        (change.kind, change.onset / SECOND, change.at / SECOND)
        for batch in batches
        for change in take(state, table, batch).changes
    ]


def reference(series: list[tuple[int, float]], rule: RuleDocument) -> list[tuple[str, int, int, float, float, float]]:
    """What one rule says of one unit's (time, value) in order: (kind, onset, at, value, onset value, extreme).

    Written as a story of one alarm after another, on purpose unlike the evaluator.
    """
    levels = rule.condition
    for_us, keep_us, gap_us = (
        span // timedelta(microseconds=1) for span in (rule.for_, rule.keep_firing_for, rule.max_gap)
    )

    def excess(value: float) -> float:
        return max(
            value - levels.above if levels.above is not None else float("-inf"),
            levels.below - value if levels.below is not None else float("-inf"),
        )

    def cool(value: float) -> bool:
        if levels.above is not None and not (
            value <= levels.above if levels.clear_below is None else value < levels.clear_below
        ):
            return False
        return levels.below is None or (
            value >= levels.below if levels.clear_above is None else value > levels.clear_above
        )

    found: list[tuple[str, int, int, float, float, float]] = []
    hot_run: list[tuple[int, float]] = []  # the wait: hot readings without a silence between them
    alarm: list[tuple[int, float]] = []  # every reading since the onset, while raised
    calm: list[int] = []
    previous = None
    for time, value in series:
        silent = previous is not None and time - previous > gap_us
        previous = time
        if alarm:
            alarm.append((time, value))
            calm = ([] if silent else calm) + [time] if cool(value) else []
            if calm and time - calm[0] >= keep_us:
                extreme = max((value for _, value in alarm), key=excess)
                found.append(("cleared", alarm[0][0], time, value, alarm[0][1], extreme))
                alarm, hot_run = [], []
            continue
        hot_run = ([] if silent else hot_run) + [(time, value)] if excess(value) > 0 else []
        if hot_run and time - hot_run[0][0] >= for_us:
            alarm, calm = hot_run, []
            extreme = max((value for _, value in alarm), key=excess)
            found.append(("raised", alarm[0][0], time, value, alarm[0][1], extreme))
    return found
