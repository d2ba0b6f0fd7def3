from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from gateway.core.duration import Duration, format_duration, parse_duration

MILLISECOND = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0s", timedelta(0)),
        ("250ms", timedelta(milliseconds=250)),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("36500d", timedelta(days=36_500)),
        ("1d1h1m1s1ms", timedelta(days=1, hours=1, minutes=1, seconds=1, milliseconds=1)),
    ],
)
def test_a_duration_reads_as_people_write_it(text: str, span: timedelta):
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "1.5h", "5m ", "5M", "1h and 5m", "1w", None, 5, True, []]
)
def test_anything_else_is_refused_with_the_way_to_write_it(text: object):
    with pytest.raises(ValueError, match=r"write it like 30s, 5m, 1h30m or 2d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36500d1ms", "1000000000d", "9" * 400 + "ms"])
def test_a_duration_too_long_to_hold_is_a_plain_refusal(text: str):
    """timedelta would raise OverflowError, which pydantic lets through as a traceback, and so would the rule table."""
    with pytest.raises(ValueError, match="too long"):
        parse_duration(text)


@given(st.integers(0, 36_500 * 86_400_000))
def test_a_written_duration_reads_back_as_the_same_span(milliseconds: int):
    span = milliseconds * MILLISECOND
    assert parse_duration(format_duration(span)) == span


@given(st.text(alphabet="0159dhms ", max_size=8))
def test_a_duration_that_reads_has_one_shortest_writing(text: str):
    try:
        span = parse_duration(text)
    except ValueError:
        return
    shortest = format_duration(span)
    assert format_duration(parse_duration(shortest)) == shortest


def test_a_model_reads_and_writes_durations_as_text():
    class Wait(BaseModel):
        at_most: Duration

    assert Wait(at_most="90s").model_dump(mode="json") == {"at_most": "1m30s"}
    with pytest.raises(ValidationError, match="not a duration"):
        Wait(at_most="soon")
    with pytest.raises(ValidationError, match="too long"):
        Wait(at_most="1000000000d")
