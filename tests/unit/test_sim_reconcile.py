"""What the comparison of readings and alarms takes for right, and what it names; no gateway is needed for that."""

import json
from datetime import timedelta

import pytest

from device_sim.reconcile.model import Check
from device_sim.reconcile.notices import compare_alarms, scores
from device_sim.reconcile.readings import compare_readings
from device_sim.reconcile.sent import Message, read_sent

T = 1_700_000_000_000_000
BEGAN = T - 1_000


def message(number, at, value, *sent, must_be_stored=True):
    return Message(number, T + at * 1_000_000, {"temp_c": value}, sent or (float(number),), must_be_stored, "reading")


def stored(at, value, *, late=False, received=T):
    return "temp_c", T + at * 1_000_000, value, received, late


def compare(messages, readings, conflicts=()):
    check = Check("readings", "")
    left = compare_readings(check, "hp-90/A", messages, readings, conflicts, BEGAN)
    return [(each.expected, each.found) for each in check.differences], left, check


def test_what_is_stored_as_it_was_sent_agrees_copies_included():
    differences, left, check = compare(
        [message(1, 0, 5), message(2, 1, 6), message(3, 1, 6)], [stored(0, 5), stored(1, 6)]
    )
    assert differences == []
    assert (check.expected, check.found, left.late, left.before) == (2, 2, [], 0)
    assert check.facts["copies of readings that were there"] == 1


def test_what_the_broker_never_acknowledged_may_be_there_or_not():
    messages = [message(1, 0, 5, must_be_stored=False)]
    assert compare(messages, [])[0] == compare(messages, [stored(0, 5)])[0] == []
    assert compare([message(1, 0, 5)], [])[0] == [("temp_c 5.0 (message 1)", "nothing")]


@pytest.mark.parametrize(
    ("answers", "must_be_stored"),
    [
        ({"acked": 2.0}, True),
        ({"acked": 2.0, "code": 0x97}, False),
        ({"acked": None}, False),
        ({"acked": 2.0, "seq": 1, "receipted": 900.5}, True),
        ({"acked": 2.0, "seq": 1, "receipted": None}, False),
        ({"acked": 2.0, "seq": 1, "receipted": None, "given_up": True}, False),
        ({"acked": None, "seq": 1, "receipted": 900.5}, True),
    ],
)
def test_who_waits_for_receipts_is_promised_nothing_by_a_puback(tmp_path, answers, must_be_stored):
    line = {"n": 1, "topic": "t", "kind": "reading", "ts": 1, "values": {"a": 1}, "sent": [1.0, 500.0]} | answers
    (tmp_path / "messages.jsonl").write_text(json.dumps(line) + "\n")
    sent = read_sent(tmp_path)
    (message,) = sent.of("t")
    assert message.must_be_stored == must_be_stored
    assert sent.waits == ([1.0] if answers["acked"] else [])


def test_of_two_values_the_first_stands_and_the_other_is_kept():
    messages = [message(1, 0, 5), message(2, 0, 7)]
    kept = [("temp_c", T, 7.0, T)]
    assert compare(messages, [stored(0, 5)], kept)[0] == []
    assert compare(messages, [stored(0, 5)])[0] == [("temp_c 7.0 kept as contradicting", "nothing")]
    assert ("temp_c 5.0", "temp_c 7") in compare(messages, [stored(0, 7)], kept)[0]
    assert compare([message(1, 0, 5)], [stored(0, 5)], kept)[0] == [
        ("no contradiction: nobody sent this", "temp_c 7.0 kept as contradicting")
    ]


def test_where_a_message_went_out_twice_either_may_be_the_first():
    messages = [message(1, 0, 5, 1.0, 90.0), message(2, 0, 7)]
    assert compare(messages, [stored(0, 7)], [("temp_c", T, 5.0, T)])[0] == []


def test_late_needs_something_newer_that_was_sent_before():
    overtaken = [message(2, 9, 6, 1.0), message(1, 0, 5, 2.0)]
    readings = [stored(0, 5, late=True), stored(9, 6)]
    assert compare(overtaken, readings)[1].late == []
    assert compare([message(1, 0, 5), message(2, 9, 6)], readings)[1].late == [readings[0]]
    again = [message(1, 0, 5, 1.0, 50.0), message(2, 9, 6, 2.0)]
    assert compare(again, readings)[1].late == [], "it may have arrived the second time only"


def test_readings_of_before_the_run_are_not_ours():
    differences, left, check = compare([message(1, 0, 5)], [stored(0, 5), stored(3, 9, received=BEGAN - 1)])
    assert (differences, left.before, check.found) == ([], 1, 1)
    assert compare([message(1, 0, 5)], [stored(0, 5), stored(3, 9)])[0] == [
        ("nothing: nobody sent this reading", "temp_c 9")
    ]


# -- Alarms ---------------------------------------------------------------------------------------------------------


def fault(**changes):
    times = {"from": "2026-01-15T08:00:00Z", "to": "2026-01-15T08:01:00Z"}
    return {"unit": "hp-90/A", "fault": "overheating", "metric": "flow_temp_c", "expect": "alarm"} | times | changes


def alarm(**changes):
    made = {"id": "a", "name": "hp-90/A", "rule": "hot", "title": "Hot", "onset": "2026-01-15T08:00:02Z"}
    return made | {"historic": False, "evidence": {"metric": "flow_temp_c"}} | changes


def compared_alarms(faults, alarms, unclear=frozenset()):
    check = Check("alarms", "")
    matched = compare_alarms(check, faults, alarms, timedelta(seconds=4), unclear)
    return [(each.expected, each.found) for each in check.differences], scores(matched, alarms), check.unclear


def test_a_fault_and_its_alarm_agree():
    assert compared_alarms([fault()], [alarm()]) == ([], (1.0, 1.0), [])


@pytest.mark.parametrize(
    "other",
    [{"onset": "2026-01-15T08:02:00Z"}, {"name": "hp-90/B"}, {"evidence": {"metric": "power_kw"}}],
    ids=["another time", "another unit", "another metric"],
)
def test_an_alarm_of_something_else_is_false_and_the_fault_was_missed(other):
    differences, (precision, recall), _ = compared_alarms([fault()], [alarm(**other)])
    assert sorted(found for _, found in differences) == ["Hot (hot)", "none"]
    assert (precision, recall) == (0.0, 0.0)


def test_one_fault_raises_a_rule_once_and_what_has_to_stay_silent_does():
    twice = [alarm(), alarm(id="b", onset="2026-01-15T08:00:30Z")]
    assert [found for _, found in compared_alarms([fault()], twice)[0]] == ["hot once more"]
    assert [found for _, found in compared_alarms([fault(expect="nothing")], [alarm()])[0]] == ["Hot"]
    assert compared_alarms([fault(expect="nothing")], []) == ([], (None, None), [])
    assert (
        compared_alarms([fault(expect="either")], [alarm()])[0]
        == compared_alarms([fault(expect="either")], [])[0]
        == []
    )


def test_a_missing_alarm_on_a_unit_with_newer_readings_cannot_be_told():
    differences, _, unclear = compared_alarms([fault()], [], frozenset({"hp-90/A"}))
    assert differences == []
    assert "had reported newer readings before the run" in unclear[0]
