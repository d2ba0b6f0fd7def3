"""A `ts` in writing is RFC 3339, all of it, and nothing else that looks like a time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clock import to_us
from gateway.m2m.message import Rejected
from gateway.m2m.times import microseconds

NEW_YEAR_US = to_us(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("ts", "time_us"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR_US),
        ("2026-01-01t00:00:00z", NEW_YEAR_US),
        ("2026-01-01 00:00:00Z", NEW_YEAR_US),
        ("2026-01-01T01:00:00.25+01:00", NEW_YEAR_US + 250_000),
        ("2026-01-01T00:00:00.1234567891Z", NEW_YEAR_US + 123_456),
        ("2026-01-01T00:00:00-00:00", NEW_YEAR_US),
        ("2025-12-31T23:59:60Z", NEW_YEAR_US),
        ("2025-12-31t23:59:60.75z", NEW_YEAR_US),
        ("2026-01-01T00:59:60+01:00", NEW_YEAR_US),
    ],
)
def test_every_form_of_rfc_3339_is_taken(ts: str, time_us: int):
    """A leap second is the begin of the next one, for no clock here has a place for it."""
    assert microseconds(ts) == time_us


@pytest.mark.parametrize(
    "ts",
    [
        "2026-W01-1",
        "2026-W01-1T00:00:00Z",
        "2026-001T00:00:00Z",
        "20260101T000000Z",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+01:00:30",
        "2026-01-01_00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T12:30:60Z",
        "9999-12-31T23:59:60Z",
        "\u0662026-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
    ],
)
def test_what_only_looks_like_it_is_refused(ts: str):
    refused = microseconds(ts)
    assert isinstance(refused, Rejected)
    assert refused.reason == "bad_time"
    assert "RFC 3339" in refused.detail


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is given beside it
    st.sampled_from(["T", "t", " "]),
    st.integers(-840, 840),
)
def test_a_written_moment_is_that_moment(moment: datetime, separator: str, minutes: int):
    try:
        local = moment + timedelta(minutes=minutes)
    except OverflowError:
        return
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    assert microseconds(local.strftime(f"%Y-%m-%d{separator}%H:%M:%S.%f") + offset) == to_us(moment)
