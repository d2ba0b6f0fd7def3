import pytest
from rules_factory import (
    METRIC_IDS,
    SECOND,
    change_times,
    readings,
    rule,
    state_for,
    table_of,
    take,
    temps,
    threshold,
    timed_rule,
)

from gateway.rules.evaluator import Change, judge
from gateway.rules.state import NEVER

ABOVE_90 = {"above": 90}


def test_without_a_wait_the_first_hot_reading_raises_and_the_first_cool_one_clears():
    table = table_of(timed_rule(ABOVE_90))
    assert change_times(table, temps((0, 80), (5, 91), (10, 95), (15, 90))) == [("raised", 5, 5), ("cleared", 5, 15)]


def test_a_value_at_the_limit_is_not_beyond_it():
    assert change_times(table_of(timed_rule(ABOVE_90)), temps((0, 90))) == []
    assert change_times(table_of(timed_rule({"below": 1})), temps((0, 1))) == []


def test_with_a_wait_the_alarm_comes_when_the_readings_span_it_and_keeps_the_first_hot_time_as_onset():
    table = table_of(timed_rule(ABOVE_90, for_s=10))
    assert change_times(table, temps((0, 95), (5, 95), (9.999, 95))) == []
    assert change_times(table, temps((0, 95), (5, 95), (10, 95))) == [("raised", 0, 10)]


def test_one_reading_that_is_not_hot_breaks_the_wait():
    table = table_of(timed_rule({"above": 90, "clear_below": 80}, for_s=10))
    assert change_times(table, temps((0, 95), (5, 85), (10, 95), (15, 95), (20, 95))) == [("raised", 10, 20)]


def test_an_old_reading_replayed_alone_raises_nothing():
    """ThingsBoard takes the onset from the sample and the end from the clock, and raises "5 minutes above" at once."""
    assert change_times(table_of(timed_rule(ABOVE_90, for_s=300)), temps((-86_400, 95))) == []


def test_a_silence_longer_than_max_gap_starts_the_wait_again():
    table = table_of(timed_rule(ABOVE_90, for_s=10, gap_s=30))
    assert change_times(table, temps((0, 95), (30, 95))) == [("raised", 0, 30)]
    assert change_times(table, temps((0, 95), (31, 95), (40, 95), (41, 95))) == [("raised", 31, 41)]


def test_a_silence_does_not_end_an_alarm():
    table = table_of(timed_rule(ABOVE_90))
    assert change_times(table, temps((0, 95), (86_400, 95), (86_405, 80))) == [("raised", 0, 0), ("cleared", 0, 86_405)]


def test_without_max_gap_five_cadences_of_silence_are_still_no_silence():
    table = table_of(rule(**{"for": "10s"}))
    assert change_times(table, temps((0, 95), (25, 95))) == [("raised", 0, 25)]
    assert change_times(table, temps((0, 95), (25.000001, 95))) == []


def test_a_clear_level_is_passed_strictly():
    table = table_of(timed_rule({"above": 90, "clear_below": 85}))
    assert change_times(table, temps((0, 95), (5, 88), (10, 85), (15, 84.999999))) == [
        ("raised", 0, 0),
        ("cleared", 0, 15),
    ]
    table = table_of(timed_rule({"below": 1, "clear_above": 1.2}))
    assert change_times(table, temps((0, 0.9), (5, 1.2), (10, 1.2000001))) == [("raised", 0, 0), ("cleared", 0, 10)]


def test_an_alarm_of_a_band_clears_only_within_both_limits():
    table = table_of(timed_rule({"above": 90, "below": 10, "clear_above": 20}))
    series = temps((0, 95), (5, 5), (10, 15), (15, 20), (20, 90))
    assert change_times(table, series) == [("raised", 0, 0), ("cleared", 0, 20)]


def test_keep_firing_for_wants_the_calm_to_last():
    table = table_of(timed_rule(ABOVE_90, keep_s=10))
    series = temps((0, 95), (5, 80), (10, 80), (14.999, 80), (15, 80))
    assert change_times(table, series) == [("raised", 0, 0), ("cleared", 0, 15)]


def test_a_flapping_value_stays_one_alarm():
    table = table_of(timed_rule(ABOVE_90, keep_s=10))
    series = temps((0, 95), (5, 80), (10, 95), (15, 80), (20, 95), (25, 80), (30, 80), (35, 80))
    assert change_times(table, series) == [("raised", 0, 0), ("cleared", 0, 35)]


def test_a_silence_starts_the_calm_again():
    table = table_of(timed_rule(ABOVE_90, keep_s=10, gap_s=30))
    series = temps((0, 95), (5, 80), (40, 80), (45, 80), (50, 80))
    assert change_times(table, series) == [("raised", 0, 0), ("cleared", 0, 50)]


def test_a_change_carries_the_values_that_explain_it():
    table = table_of(timed_rule({"above": 90, "below": 10}, for_s=10))
    state = state_for(table)
    changes = take(state, table, temps((0, 91), (5, 99), (10, 92), (15, 3), (20, 50))).changes
    assert changes == [
        Change("raised", 1, 7, 0, 10 * SECOND, value=92, onset_value=91, extreme=99),
        Change("cleared", 1, 7, 0, 20 * SECOND, value=50, onset_value=91, extreme=99),
    ], "99 is 9 beyond its limit, 3 only 7"


def test_a_silence_within_the_wait_forgets_the_values_before_it():
    table = table_of(timed_rule(ABOVE_90, for_s=10, gap_s=30))
    (change,) = judge(state_for(table), table, temps((0, 99), (60, 92), (70, 93))).changes
    assert (change.onset_value, change.extreme) == (92, 93)


def test_changes_come_by_time_then_rule_then_unit():
    table = table_of(timed_rule(ABOVE_90), timed_rule({"above": 80}))
    metric = METRIC_IDS["temp_c"]
    batch = readings([(9, metric, 2, 95.0), (8, metric, 2, 95.0), (8, metric, 1, 85.0)])
    changes = judge(state_for(table), table, batch).changes
    assert [(change.at, change.version_id, change.unit_id) for change in changes] == [
        (1, 2, 8),
        (2, 1, 8),
        (2, 1, 9),
        (2, 2, 9),
    ]


def test_a_reading_not_newer_than_the_newest_judged_is_late_and_judged_by_nothing():
    table = table_of(timed_rule(ABOVE_90))
    state = state_for(table)
    take(state, table, temps((10, 70)))
    verdict = take(state, table, temps((11, 70), (10, 95), (5, 95)))
    assert verdict.late.tolist() == [False, True, True]
    assert verdict.changes == []


def test_each_metric_of_a_unit_has_its_own_newest():
    table = table_of(timed_rule(ABOVE_90))
    state = state_for(table)
    take(state, table, temps((10, 70)))
    assert not take(state, table, temps((5, 1.5), metric="pressure_bar")).late.any()


def test_of_two_readings_at_the_same_time_the_first_to_arrive_is_judged():
    table = table_of(timed_rule(ABOVE_90))
    verdict = judge(state_for(table), table, temps((5, 70), (5, 95), (0, 70), (5, 95)))
    assert verdict.repeat.tolist() == [False, True, False, True]
    assert not verdict.late.any()
    assert verdict.changes == []


def test_a_batch_out_of_order_is_judged_in_order():
    table = table_of(timed_rule(ABOVE_90, for_s=10))
    assert change_times(table, temps((10, 95), (0, 95), (15, 70), (5, 95))) == [("raised", 0, 10), ("cleared", 0, 15)]


def test_a_rule_hears_only_its_own_metric():
    table = table_of(rule(condition=threshold(metric="pressure_bar", unit="bar", above=3)), timed_rule(ABOVE_90))
    assert change_times(table, temps((0, 50))) == []
    state = state_for(table)
    assert [change.version_id for change in judge(state, table, temps((0, 95))).changes] == [2]


def test_without_rules_the_newest_times_are_kept_all_the_same():
    table = table_of()
    state = state_for(table)
    take(state, table, temps((5, 70)))
    assert state.newest[0].tolist() == [NEVER, 5 * SECOND]


def test_an_empty_batch_means_nothing():
    table = table_of(timed_rule(ABOVE_90))
    verdict = take(state_for(table), table, temps())
    assert (verdict.changes, len(verdict.late), verdict.delta.partitions()) == ([], 0, set())


@pytest.mark.parametrize("metric", [0, 2, 9])
def test_a_metric_that_the_table_does_not_hold_is_refused(metric: int):
    table = table_of(timed_rule(ABOVE_90))
    with pytest.raises(ValueError, match="does not hold"):
        judge(state_for(table), table, readings([(7, metric, 0, 1.0)]))


def test_a_state_of_other_rules_is_refused():
    state = state_for(table_of(timed_rule(ABOVE_90), first_version=1))
    with pytest.raises(ValueError, match="for_rules"):
        judge(state, table_of(timed_rule(ABOVE_90), first_version=2), temps((0, 1)))
