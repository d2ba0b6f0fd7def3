"""The picture beside a notice's claim: it must show what happened, in words that cannot break the page."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET  # our own output

import pytest

from gateway.api.pages.chart import POINTS_MAX, Words, chart

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
WORDS = Words("label", "Normal 1.2 to 2 bar", "Alarm since 6:10", "1", "6:00", "6:20")


def line(*values, every=timedelta(minutes=1)):
    return [(START + every * step, value) for step, value in enumerate(values)]


def chart_svg(points, **changes):
    given = {
        "normal": (1.2, 2.0),
        "limit": 1.0,
        "onset": START + timedelta(minutes=10),
        "cleared": None,
        "words": WORDS,
    }
    return chart(points, **given | changes)


def part(svg, name):
    return next(each for each in ET.fromstring(svg).iter() if each.get("class") == name)  # noqa: S314


FALLING = line(*([1.5] * 10), *([0.9] * 11))


def test_less_than_a_line_is_no_picture():
    assert chart_svg([]) == ""
    assert chart_svg(line(1.5)) == ""


def test_the_span_that_fired_begins_at_the_onset_and_lasts_to_the_end():
    fire = part(chart_svg(FALLING), "fire")
    assert (fire.get("x"), fire.get("width")) == ("50.0%", "50.0%")


def test_it_ends_where_the_alarm_was_over():
    fire = part(chart_svg(FALLING, cleared=START + timedelta(minutes=15)), "fire")
    assert (fire.get("x"), fire.get("width")) == ("50.0%", "25.0%")


def test_band_above_limit_above_the_values_below_it():
    svg = chart_svg(FALLING)
    band, limit, dot = part(svg, "bandr"), part(svg, "thr"), part(svg, "dot")
    bottom = float(band.get("y")[:-1]) + float(band.get("height")[:-1])
    assert bottom < float(limit.get("y1")[:-1]) < float(dot.get("cy")[:-1])


def test_a_wide_band_never_flattens_the_line():
    svg = chart_svg(line(1.0, 1.1, 1.0, 1.1), normal=(-1000.0, 1000.0), limit=1.05)
    heights = [float(y) for y in re.findall(r"[ML][\d.]+,([\d.]+)", part(svg, "ln").get("d"))]
    assert max(heights) - min(heights) > 60


def test_a_silence_breaks_the_line():
    points = [*line(1.5, 1.5, 1.5), (START + timedelta(minutes=20), 0.9), (START + timedelta(minutes=21), 0.9)]
    assert part(chart_svg(points), "ln").get("d").count("M") == 2


def test_a_spike_survives_when_there_are_more_points_than_pixels():
    values = [1.5] * 20 * POINTS_MAX
    values[4321] = 0.2
    path = part(chart_svg(line(*values, every=timedelta(seconds=1)), onset=START), "ln").get("d")
    assert path.count(",") <= POINTS_MAX + 1
    assert max(float(y) for y in re.findall(r"[ML][\d.]+,([\d.]+)", path)) > 200


def test_words_are_text_whatever_they_are():
    words = Words('"><script>x</script>', "<b>", "&", "<", "'", '"')
    svg = chart_svg(FALLING, words=words)
    assert "<script" not in svg
    assert ET.fromstring(svg).get("aria-label") == words.label  # noqa: S314


def test_it_carries_no_style_for_the_page_allows_none_inline():
    assert "style=" not in chart_svg(FALLING)


@pytest.mark.parametrize("value", [0.0, -5.0, 1e9])
def test_a_line_that_does_not_move_is_drawn(value):
    assert part(chart_svg(line(value, value, value), normal=None, limit=value, onset=START), "ln") is not None
