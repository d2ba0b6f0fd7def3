import numpy as np
import pytest
from rules_factory import METRIC_IDS, METRICS, SECOND, load, readings, state_for, table_of, take, temps, timed_rule

from gateway.core.readings import Readings
from gateway.rules.evaluator import judge
from gateway.rules.state import NEVER, State, dump
from gateway.rules.table import compile_rules

TEMP = METRIC_IDS["temp_c"]
WAITS = timed_rule({"above": 90}, for_s=10)


def test_a_verdict_that_is_never_applied_leaves_no_trace():
    """A failed commit simply drops the delta."""
    table = table_of(WAITS)
    state = state_for(table)
    judge(state, table, temps((0, 95)))
    assert (len(state), take(state, table, temps((10, 95))).changes) == (0, [])


def test_a_delta_is_taken_only_by_the_state_it_was_judged_on():
    table = table_of(WAITS)
    state = state_for(table)
    stale = judge(state, table, temps((0, 95)))
    take(state, table, temps((0, 70)))
    with pytest.raises(ValueError, match="judge the batch again"):
        state.apply(stale.delta)


def test_many_new_units_over_many_batches_keep_what_is_known_of_the_first():
    table = table_of(WAITS)
    state = state_for(table)
    take(state, table, temps((0, 95), unit=1))
    for batch in range(10):
        units = range(100 + batch * 500, 600 + batch * 500)
        take(state, table, readings((unit, TEMP, 0, 95.0) for unit in units))
    assert len(state) == 5001
    changes = take(state, table, readings((unit, TEMP, 10 * SECOND, 95.0) for unit in (1, 100, 5099))).changes
    assert [(change.unit_id, change.onset) for change in changes] == [(1, 0), (100, 0), (5099, 0)]


def test_changing_one_rule_keeps_the_state_of_the_others():
    """AWS IoT Events begins all of them anew."""
    kept, replaced, added = (timed_rule({"above": level}, for_s=10) for level in (90, 80, 70))
    before = compile_rules([(1, replaced), (2, kept)], METRIC_IDS, METRICS)
    state = state_for(before)
    take(state, before, temps((0, 95)))
    after = compile_rules([(2, kept), (3, added)], METRIC_IDS, METRICS)
    state = state.for_rules(after.versions, after.metrics)
    changes = take(state, after, temps((10, 95))).changes
    assert [(change.version_id, change.onset) for change in changes] == [(2, 0)]


def test_a_new_metric_starts_without_a_newest_reading():
    table = table_of(WAITS)
    state = state_for(table)
    take(state, table, temps((5, 70)))
    state = state.for_rules(table.versions, np.array([1, 2, TEMP]))
    assert state.newest[0].tolist() == [NEVER, NEVER, 5 * SECOND]


def test_a_delta_of_the_old_rules_is_refused_by_the_state_of_the_new():
    table = table_of(WAITS)
    state = state_for(table)
    stale = judge(state, table, temps((0, 95)))
    with pytest.raises(ValueError, match="judge the batch again"):
        state.for_rules(table.versions, table.metrics).apply(stale.delta)


def test_a_delta_names_the_partitions_of_its_readings():
    table = table_of(WAITS)
    batch = Readings.of([1, 17, 35], [TEMP] * 3, [0] * 3, [95.0] * 3, [5, 63, 5])
    assert judge(state_for(table), table, batch).delta.partitions() == {5, 63}


def test_a_dump_holds_its_partition_and_no_other():
    table = table_of(WAITS)
    state = state_for(table)
    take(state, table, readings((unit, TEMP, 0, 95.0) for unit in range(40)))
    restored = load(table.versions, table.metrics, [(3, dump(state, 3))])
    assert sorted(restored.slots) == [3, 19, 35]


def test_a_dump_is_loaded_for_the_rules_of_today():
    table = table_of(WAITS, timed_rule({"above": 80}, for_s=10))
    state = state_for(table)
    take(state, table, temps((0, 95)))
    dumps = [(partition, dump(state, partition)) for partition in range(16)]
    today = compile_rules([(2, WAITS), (9, WAITS)], METRIC_IDS, METRICS)
    restored = load(today.versions, today.metrics, dumps)
    assert [change.version_id for change in take(restored, today, temps((10, 95))).changes] == [2]


def test_nothing_of_an_alarm_that_is_over_is_left_in_a_dump():
    table = table_of(timed_rule({"above": 90}, for_s=10, keep_s=10))
    over, fresh = state_for(table), state_for(table)
    take(over, table, temps((0, 99), (10, 99), (20, 70), (30, 70)))
    for state in (over, fresh):
        take(state, table, temps((40, 95)))
    assert dump(over, 7) == dump(fresh, 7)


def test_a_dump_is_plain_numbers():
    """Nothing in it is pickled, so that a snapshot from the database cannot run code."""
    state = State.empty(np.array([1]), np.array([TEMP]))
    assert b"pickle" not in dump(state, 0)
    assert b"|O" not in dump(state, 0)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Readings.of([1, 2], [1], [1], [1.0])


def test_a_journal_entry_that_was_cut_short_is_refused():
    with pytest.raises(ValueError, match="multiple"):
        Readings.from_bytes(temps((0, 1)).to_bytes()[:-1])


def test_a_reading_takes_26_bytes_in_the_journal():
    assert len(temps((0, 1), (5, 2)).to_bytes()) == 52
