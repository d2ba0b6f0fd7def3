"""The evaluator in numpy and its slow twin in SQL find the same alarms in random series."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from psycopg.sql import SQL

import tests
from gateway.core.clock import MICROSECOND
from gateway.core.readings import Readings
from gateway.rules.document import RuleDocument
from gateway.store import Connection, connect
from gateway.store.copy import copy_columns
from tests.unit.rules_factory import METRIC_IDS, SECOND, state_for, table_of, take, timed_rule

pytestmark = pytest.mark.both

TWIN = SQL((Path(next(iter(tests.__path__))) / "oracle" / "threshold.sql").read_text("utf-8"))
UNITS, READINGS = 40, 60
LEVELS = [
    {"above": 5.0},
    {"above": 5.0, "clear_below": 5.0},
    {"above": 6.0, "clear_below": 3.0},
    {"below": 4.0},
    {"below": 3.0, "clear_above": 6.0},
    {"above": 7.0, "below": 2.0},
    {"above": 7.0, "below": 2.0, "clear_below": 5.0, "clear_above": 4.0},
]
Found = list[tuple[int, str, int, int, float]]


@pytest.fixture
def db(server) -> Iterator[Connection]:
    """A connection of its own; the readings stand in a table that goes with it."""
    with connect(server, "test") as connection:
        connection.execute("CREATE TEMPORARY TABLE reading (unit_id bigint, time_us bigint, value float8)")
        yield connection


def draw(random: np.random.Generator) -> tuple[RuleDocument, Readings]:
    """A rule, and readings of many units that often meet its limits, its spans and its silence, or just miss them."""
    for_s, keep_s = random.choice([0, 1, 5, 12], 2).tolist()
    gap_s = int(random.choice([3, 6, 20]))
    rule = timed_rule(LEVELS[random.integers(len(LEVELS))], for_s=for_s, keep_s=keep_s, gap_s=gap_s)
    step = random.choice([1, 2, 3, 6, 7, 21], (UNITS, READINGS), p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05]) * SECOND
    step += random.choice([0, 0, 0, 1, -1], step.shape)
    # Runs of like values: else hardly a wait would ever end.
    value = np.repeat(random.integers(0, 10, (UNITS, READINGS)), random.integers(1, 5), axis=1)[:, :READINGS]
    value = value + random.choice([0.0, 0.0, 0.5, 1e-9, -1e-9], value.shape)
    unit = np.repeat(np.arange(1, UNITS + 1), READINGS)
    metric = np.full(unit.shape, METRIC_IDS["temp_c"])
    return rule, Readings.of(unit, metric, np.cumsum(step, axis=1).ravel(), value.ravel())


def by_evaluator(rule: RuleDocument, series: Readings, random: np.random.Generator) -> Found:
    """In batches as they come from the broker: by time, cut anywhere."""
    table = table_of(rule)
    state = state_for(table)
    by_time = np.argsort(series.time, kind="stable")
    found: Found = []
    for part in np.split(by_time, np.sort(random.integers(0, len(series), 5))):
        batch = Readings.of(series.unit[part], series.metric[part], series.time[part], series.value[part])
        found += [
            (change.unit_id, change.kind, change.onset, change.at, change.value)
            for change in take(state, table, batch).changes
        ]
    return found


def by_twin(db: Connection, rule: RuleDocument, series: Readings) -> Found:
    db.execute("TRUNCATE reading")
    copy_columns(db, "reading", {"unit_id": series.unit, "time_us": series.time, "value": series.value})
    limits: dict[str, Any] = rule.condition.model_dump(include={"above", "below", "clear_below", "clear_above"})
    spans: dict[str, timedelta | None] = {
        "for_us": rule.for_,
        "keep_us": rule.keep_firing_for,
        "gap_us": rule.max_gap,
    }
    rows = db.execute(TWIN, limits | {name: span // MICROSECOND for name, span in spans.items() if span is not None})
    return [tuple(row.values()) for row in rows]


def test_evaluator_and_sql_find_the_same_alarms(db):
    kinds: list[str] = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        rule, series = draw(random)
        expected = by_twin(db, rule, series)
        found = sorted(by_evaluator(rule, series, random), key=lambda change: (change[3], change[0]))
        assert found == expected, f"seed {seed}"
        kinds += [kind for _, kind, *_ in found]
    assert kinds.count("raised") > 1_000, "series in which nothing happens would prove nothing"
    assert kinds.count("cleared") > 500


def test_the_twin_reads_a_plain_story_as_a_person_would(db):
    """Else two wrong twins could agree: hot from 10 s on for 5 s, one value between the limits, then cool."""
    rule = timed_rule({"above": 90, "clear_below": 85}, for_s=5, keep_s=2)
    values = [80, 95, 96, 88, 84, 84, 84]
    times = [5, 10, 15, 16, 17, 18, 19]
    series = Readings.of([7] * 7, [METRIC_IDS["temp_c"]] * 7, [second * SECOND for second in times], values)
    expected = [(7, "raised", 10 * SECOND, 15 * SECOND, 96.0), (7, "cleared", 10 * SECOND, 19 * SECOND, 84.0)]
    assert by_twin(db, rule, series) == expected
    assert by_evaluator(rule, series, np.random.default_rng(0)) == expected
