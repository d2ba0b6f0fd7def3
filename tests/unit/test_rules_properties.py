"""What must hold whatever the readings, the rules, and the way the readings are cut into batches."""

import random
from copy import deepcopy
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from rules_factory import METRIC_IDS, SECOND, load, readings, reference, state_for, table_of, take, timed_rule

from gateway.core.readings import Readings
from gateway.rules.evaluator import Change, judge
from gateway.rules.state import State, dump

TEMP, PRESSURE = METRIC_IDS["temp_c"], METRIC_IDS["pressure_bar"]
UNITS, PARTITIONS = (1, 16, 32, 33), range(3)  # two partitions with two units each, and an empty one
Row = tuple[int, int, int, float]

levels = st.sampled_from(
    [
        {"above": 5.0},
        {"above": 5.0, "clear_below": 5.0},
        {"above": 6.0, "clear_below": 3.0},
        {"below": 4.0},
        {"below": 3.0, "clear_above": 6.0},
        {"above": 7.0, "below": 2.0},
        {"above": 7.0, "below": 2.0, "clear_below": 5.0, "clear_above": 4.0},
    ]
)
spans = st.sampled_from([0, 1, 5, 12])
rules = st.lists(
    st.builds(timed_rule, levels, for_s=spans, keep_s=spans, gap_s=st.sampled_from([3, 6, 20])), min_size=1, max_size=4
)
series = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 9)), max_size=40)


@st.composite
def in_order(draw: st.DrawFn) -> list[Row]:
    """Readings of a few units and two metrics, by time; the values are few, so that they often meet the limits."""
    rows: list[Row] = []
    for unit in draw(st.lists(st.sampled_from(UNITS), unique=True)):
        for metric in (TEMP, PRESSURE):
            time = draw(st.integers(0, 10)) * SECOND
            for step, value in draw(series):
                time += step * SECOND
                rows.append((unit, metric, time, float(value)))
    return sorted(rows, key=lambda row: row[2])


unhurried = settings(deadline=None)  # a busy machine is no failure


def dumps(state: State) -> list[bytes]:
    return [dump(state, partition) for partition in PARTITIONS]


@unhurried
@given(rules, in_order())
def test_the_evaluator_says_what_the_plain_reference_says(rules, rows):
    table = table_of(*rules)
    expected = [
        Change(kind, version, unit, onset, at, value, onset_value, extreme)
        for version, rule in enumerate(rules, 1)
        for unit in {row[0] for row in rows}
        for kind, onset, at, value, onset_value, extreme in reference(
            [(time, value) for of, metric, time, value in rows if (of, metric) == (unit, TEMP)], rule
        )
    ]
    actual = judge(state_for(table), table, readings(rows)).changes
    assert actual == sorted(expected, key=lambda change: (change.at, change.version_id, change.unit_id))


@unhurried
@given(rules, in_order(), st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(rules, rows, shuffler: random.Random):
    table = table_of(*rules)
    ordered, mixed = state_for(table), state_for(table)
    expected = take(ordered, table, readings(rows)).changes
    shuffler.shuffle(rows)
    assert take(mixed, table, readings(rows)).changes == expected
    assert dumps(mixed) == dumps(ordered)


@unhurried
@given(rules, in_order(), st.lists(st.integers(0, 200), max_size=6))
def test_how_a_series_is_cut_into_batches_does_not_matter(rules, rows, cuts):
    table = table_of(*rules)
    whole, parts = state_for(table), state_for(table)
    expected = take(whole, table, readings(rows)).changes
    bounds = [0, *sorted(cuts), len(rows)]
    changes = [
        change for begin, end in pairwise(bounds) for change in take(parts, table, readings(rows[begin:end])).changes
    ]
    assert sorted(changes, key=lambda change: (change.at, change.version_id, change.unit_id)) == expected
    assert dumps(parts) == dumps(whole)


@unhurried
@given(rules, in_order())
def test_a_repeated_batch_is_late_and_changes_nothing(rules, rows):
    table = table_of(*rules)
    state = state_for(table)
    take(state, table, readings(rows))
    before = dumps(state)
    verdict = take(state, table, readings(rows))
    assert verdict.late.all()
    assert verdict.changes == []
    assert verdict.delta.partitions() == set()
    assert dumps(state) == before


@unhurried
@given(rules, in_order(), st.integers(0, 200))
def test_judging_leaves_the_state_alone_and_says_the_same_again(rules, rows, cut):
    table = table_of(*rules)
    state = state_for(table)
    take(state, table, readings(rows[:cut]))
    before = deepcopy(state)
    first, second = (judge(state, table, readings(rows[cut:])) for _ in range(2))
    assert first.changes == second.changes
    assert state.slots == before.slots
    assert dumps(state) == dumps(before)


@unhurried
@given(rules, in_order(), st.integers(0, 200))
def test_a_restart_between_two_batches_does_not_matter(rules, rows, cut):
    """Home Assistant begins every wait anew when it restarts."""
    table = table_of(*rules)
    state = state_for(table)
    take(state, table, readings(rows[:cut]))
    restarted = load(table.versions, table.metrics, enumerate(dumps(state)))
    assert dumps(restarted) == dumps(state)
    rest = readings(rows[cut:])
    assert take(restarted, table, rest).changes == take(state, table, rest).changes
    assert dumps(restarted) == dumps(state)


@unhurried
@given(rules, in_order(), st.integers(0, 200))
def test_only_the_partitions_that_a_delta_names_change(rules, rows, cut):
    table = table_of(*rules)
    state = state_for(table)
    take(state, table, readings(rows[:cut]))
    before = dumps(state)
    named = take(state, table, readings(rows[cut:])).delta.partitions()
    after = dumps(state)
    assert named == {partition for partition in PARTITIONS if before[partition] != after[partition]}


@unhurried
@given(in_order())
def test_the_journal_gives_back_the_readings(rows):
    batch = readings(rows)
    again = Readings.from_bytes(batch.to_bytes())
    assert (
        list(zip(again.unit.tolist(), again.metric.tolist(), again.time.tolist(), again.value.tolist(), strict=True))
        == rows
    )
