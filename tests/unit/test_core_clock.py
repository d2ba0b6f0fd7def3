from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clock import from_us, system_clock, to_us

FIRST = to_us(datetime.min.replace(tzinfo=UTC))
LAST = to_us(datetime.max.replace(tzinfo=UTC))


@given(st.integers(FIRST, LAST))
def test_every_microsecond_survives_the_way_there_and_back(us: int):
    """A way through a float may be off by one, and the unique key of telemetry would then see another reading."""
    assert to_us(from_us(us)) == us


def test_the_zone_does_not_change_the_moment():
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, timezone(timedelta(hours=2, minutes=30)))
    assert from_us(to_us(moment)) == moment
    assert to_us(moment) == 1_774_740_599_999_999


def test_before_1970_counts_backwards_without_rounding():
    assert to_us(datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)) == -1
    assert from_us(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_the_system_clock_is_aware_and_in_utc():
    assert system_clock().tzinfo is UTC
