"""A year of a unit on its page: by day, as a band from the lowest to the highest with the mean in it."""

import pytest

from tests.browser.checks import check

_YEAR = """
WITH u AS (UPDATE ownership o SET during = tstzrange(now() - interval '380 days', NULL) FROM unit
           WHERE unit.id = o.unit_id AND unit.public_id = %(unit)s RETURNING unit.id),
m AS (SELECT id FROM metric WHERE name = %(metric)s),
day AS (INSERT INTO rollup_day (unit_id, metric_id, begins, low, high, total, readings, received_from)
        SELECT u.id, m.id, d, 30 + 8 * sin(n / 58.0), 44 + 12 * sin(n / 58.0), 1440 * (38 + 10 * sin(n / 58.0)), 1440, d
        FROM u, m, generate_series(1, 365) n, LATERAL (SELECT date_trunc('day', now()) - n * interval '1 day') v (d)),
hour AS (INSERT INTO rollup_hour (unit_id, metric_id, begins, low, high, total, readings, received_from)
         SELECT u.id, m.id, h, 34 + 4 * sin(n / 4.0), 40 + 6 * sin(n / 4.0), 60 * (37 + 5 * sin(n / 4.0)), 60, h
         FROM u, m, generate_series(2, 740) n, LATERAL (SELECT date_trunc('hour', now()) - n * interval '1 hour') v (h))
INSERT INTO latest (unit_id, metric_id, time, value, received_at) SELECT u.id, m.id, now(), 41, now() FROM u, m
"""
_ROOM = "SELECT rollup_make_room((now() - back * interval '1 month')::date) FROM generate_series(0, 13) back"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_year_is_shown_by_day_and_a_month_by_hour(open_page, demo, width, language):
    owner, (unit,) = demo.owner("hp-90", language=language)
    with demo.database() as db:
        db.execute(_ROOM)
        db.execute(_YEAR, {"unit": unit["id"], "metric": unit["readings"][0]["metric"]})
    page = open_page(width, owner)
    page.goto(f"/units/{unit['id']}")
    words = {
        "en": ("Year", "Month", "Mean of each day", "Mean of each hour", "Lowest to highest", "Show as a table"),
        "de": ("Jahr", "Monat", "Mittel je Tag", "Mittel je Stunde", "Niedrigster bis höchster", "Als Tabelle zeigen"),
    }[language]
    page.get_by_role("button", name=words[0], exact=True).click()
    page.get_by_text(words[2]).wait_for()
    page.get_by_text(words[4]).wait_for()
    page.locator(".uplot canvas").wait_for()
    page.locator(".u-over").hover()
    assert "–" in page.locator(".live .read").inner_text(), "the mean, and from where to where"
    page.get_by_text(words[5]).click()
    assert page.get_by_role("table").first.locator("tbody tr").count() > 10
    check(page, f"unit-year-{language}", width)
    page.get_by_role("button", name=words[1], exact=True).click()
    page.get_by_text(words[3]).wait_for()
    check(page, f"unit-month-{language}", width)
