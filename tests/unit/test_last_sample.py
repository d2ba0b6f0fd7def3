"""Which messages stand on a unit's page: all while few come, and never more than the limit."""

import pytest

from gateway.ingest.last_messages import LastMessages
from gateway.m2m.message import Heard, Message, Rejected


def heard_message(unit, number=0, *, refused=False):
    rejected = Rejected("bad_json", "no") if refused else None
    return Heard(unit, Message("t", str(number).encode(), 1, 1, False, number), rejected)


def numbers(chosen, unit):
    return [each.message.received_us for each in chosen if each.unit_id == unit]


def test_of_a_batch_the_newest_three_of_each_unit_are_kept_in_their_order():
    """A unit that floods costs no more than one that does not."""
    chosen = LastMessages(100).choose([heard_message(number % 2, number) for number in range(20)], 1.0)
    assert numbers(chosen, 0) == [14, 16, 18]
    assert numbers(chosen, 1) == [15, 17, 19]


def test_no_more_than_the_limit_is_kept_in_a_second():
    last = LastMessages(10)
    assert len(last.choose([heard_message(unit) for unit in range(30)], 1.0)) == 10
    assert last.choose([heard_message(unit) for unit in range(30)], 1.0) == []
    assert len(last.choose([heard_message(unit) for unit in range(30)], 1.5)) == 5
    assert len(last.choose([heard_message(unit) for unit in range(30)], 99.0)) == 10


def test_what_was_refused_goes_first_then_who_has_waited_longest():
    last = LastMessages(10)
    batch = [heard_message(unit, refused=unit == 29) for unit in range(30)]
    seen = [{each.unit_id for each in last.choose(batch, float(second))} for second in (1, 2, 3, 4)]
    assert all(29 in units for units in seen)
    assert set().union(*seen) == set(range(30))


@pytest.mark.parametrize(("unit", "known"), [(1, True), (2, False), (3, True), (4, True)])
def test_of_so_many_units_it_is_known_when_they_were_kept_and_the_longest_ago_goes(unit, known):
    """Against a unit that was never heard, one that is known has to wait; of two strangers goes who came last."""
    last = LastMessages(1, units_max=3)
    for second, each in enumerate([1, 2, 3, 1, 4], 1):
        last.choose([heard_message(each)], float(second))
    (chosen,) = last.choose([heard_message(9), heard_message(unit)], 6.0)
    assert chosen.unit_id == (9 if known else unit)
