"""What several entries of one message say together: what of it is taken is true, and the rest is told."""

from dataclasses import replace

import orjson

from gateway.m2m.decoders import decode
from gateway.m2m.message import Rejected
from tests.unit.test_decode import DEVICE, HOUR_US, LIMITS, NOW_MS, NOW_US, PRESSURE, TEMP, entry, message

ROOMY = replace(LIMITS, payload_bytes=65_536, readings=5_000, behind_us=400 * 24 * HOUR_US)
DAY_MS = 86_400_000


def decoded(content, limits=ROOMY):
    taken = decode(message(orjson.dumps(content)), DEVICE, limits)
    return list(taken.readings), taken.rejected


def test_a_list_without_times_is_refused_for_all_would_be_of_one_moment():
    readings, refused = decoded([{"values": {"temp_c": 20}} for _ in range(12)])
    assert readings == []
    assert refused == Rejected("no_time", "12 entries without ts; give each its ts")


def test_entries_without_times_take_nothing_with_them():
    readings, refused = decoded([entry(1, ts=NOW_MS - 9), {"values": {"temp_c": 2}}, {"values": {"temp_c": 3}}])
    assert [value for _, _, value in readings] == [1]
    assert refused == Rejected("no_time", "2 entries without ts; give each its ts")


def test_entries_without_times_that_share_no_metric_are_of_now():
    readings, refused = decoded([{"values": {"temp_c": 2}}, {"values": {"pressure_bar": 3}}])
    assert (readings, refused) == ([(TEMP, NOW_US, 2.0), (PRESSURE, NOW_US, 3.0)], None)


def test_stamps_in_whole_seconds_at_two_a_second_are_told_and_the_first_value_stands():
    content = [entry(n, ts=(NOW_MS // 1000 + n // 2) * 1000) for n in range(12)]
    readings, refused = decoded(content)
    assert [value for _, _, value in readings] == [0, 2, 4, 6, 8, 10]
    assert refused is not None
    assert refused.reason == "same_time"
    assert refused.detail.startswith("6 of 12 readings")
    assert "milliseconds" in refused.detail


def test_the_same_reading_twice_is_one_and_nothing_to_tell():
    assert decoded([entry(1), entry(1)]) == ([(TEMP, NOW_MS * 1000, 1.0)], None)


def test_a_number_of_days_is_taken_of_one_message_and_the_rest_is_told():
    """Each day costs the store a partition; one message must not make four hundred."""
    content = [entry(n % 100, ts=NOW_MS - n * DAY_MS) for n in range(398)] + [entry(3, ts=NOW_MS - 5)]
    readings, refused = decoded(content)
    days = {time_us // 86_400_000_000 for _, time_us, _ in readings}
    assert (len(days), len(readings)) == (31, 32), "of days that are there already all is taken"
    assert refused is not None
    assert refused.reason == "too_many_days"
    assert refused.detail == "367 readings are of further days than 31; send the days in several messages"


def test_so_many_days_as_may_be_are_taken_whole():
    readings, refused = decoded([entry(1, ts=NOW_MS - n * DAY_MS) for n in range(31)])
    assert (len(readings), refused) == (31, None)
