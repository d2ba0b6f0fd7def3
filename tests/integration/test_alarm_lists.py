"""The staff's lists of alarms and notices: filters, order, pages and counts against a full count of random rows."""

import csv
import io
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from gateway.alarms import repository as alarms
from gateway.notify import listing as notices
from tests.dsl.owners import make_person, make_units

NOW = datetime.now(UTC)
SEVERITIES = ("safety", "critical", "warning", "info")
STANDINGS = ("active", "acknowledged", "cleared", "closed")


@pytest.fixture
def filled(world, db):
    """300 alarms and notices of random standing, on 30 pumps of 5 owners, by two rules."""
    chance = random.Random(7)
    make_units(db, *(f"AB-{number:03}" for number in range(30)))
    people = [make_person(db, name).person_id for name in ("Ada", "Adam", "Bo", "Cy", "Di")]
    for rule, title in (("hot", "Pump overheats"), ("dry", "Runs dry")):
        db.execute(
            "INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)"
            " SELECT %s, 1, id, jsonb_build_object('title', jsonb_build_object('en', %s::text)), '', true FROM product",
            [rule, title],
        )
    world.as_("support", "tom@example.org")
    tom = db.execute("SELECT id FROM person WHERE email = 'tom@example.org'").fetchone()["id"]
    for number in range(300):
        is_cleared, is_known, is_resolved = (chance.random() < part for part in (0.5, 0.4, 0.1))
        db.execute(
            "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic,"
            " evidence, cleared_at, acknowledged_at, resolved_at, assignee_id)"
            " SELECT %s, v.id, u.id, %s, %s, %s, %s, %s, '{\"value\": 1, \"metric\": \"temp_c\"}', %s, %s, %s, %s"
            " FROM rule_version v, unit u WHERE v.rule_id = %s AND u.serial = %s",
            [
                f"x{number:03}", chance.choice(SEVERITIES), *[NOW - timedelta(minutes=300 - number)] * 3,
                chance.random() < 0.2, NOW if is_cleared else None, NOW if is_known or is_resolved else None,
                NOW if is_resolved else None, tom if chance.random() < 0.3 else None,
                chance.choice(("hot", "dry")), f"AB{chance.randrange(30):03}",
            ],
        )  # fmt: skip
        db.execute(
            "INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why, created_at,"
            " updated_at) SELECT %s, %s, id, 'hot', %s, %s, '{\"title\": \"Hot\"}', '{}', %s, %s"
            " FROM unit WHERE serial = %s",
            [
                f"n{number:03}", chance.choice(people), chance.choice(SEVERITIES), chance.choice(("open", "resolved")),
                NOW, NOW, f"AB{chance.randrange(30):03}",
            ],
        )  # fmt: skip
    return world


def every_alarm(db):
    """All alarms with their standing, worked out here once more."""
    rows = db.execute(
        "SELECT a.public_id AS id, a.severity, a.historic, a.cleared_at, a.acknowledged_at, a.resolved_at,"
        " a.assignee_id, v.rule_id AS rule, u.printed AS serial FROM alarm a"
        " JOIN rule_version v ON v.id = a.rule_version_id JOIN unit u ON u.id = a.unit_id ORDER BY a.id DESC"
    ).fetchall()
    for row in rows:
        cleared, known = row["cleared_at"] is not None, row["acknowledged_at"] is not None
        closed = row["resolved_at"] is not None or (cleared and known)
        row["standing"] = "closed" if closed else STANDINGS[2 if cleared else int(known)]
    return rows


def pages(browser, path, name, **asked):
    """Every row of a list, page by page, and the counts of the first one."""
    rows, counts, place = [], None, ""
    while place is not None:
        answer = browser.client.get(path, params=asked | {"after": place, "limit": 7}).json()
        rows += answer[name]
        counts = counts or answer["counts"]
        place = answer["next"]
    return rows, counts


ASKED = [
    ({}, lambda _: True),
    ({"severity": "critical"}, lambda row: row["severity"] == "critical"),
    ({"assigned": "nobody"}, lambda row: row["assignee_id"] is None),
    ({"assigned": "me"}, lambda row: row["assignee_id"] is not None),
    ({"historic": "yes"}, lambda row: row["historic"]),
    ({"historic": "no", "severity": "info"}, lambda row: not row["historic"] and row["severity"] == "info"),
    ({"words": "overheats"}, lambda row: row["rule"] == "hot"),
    ({"words": "ab-01"}, lambda row: row["serial"].startswith("AB-01")),
    ({"words": "ab 001", "severity": "safety"}, lambda row: row["serial"] == "AB-001" and row["severity"] == "safety"),
    ({"words": "100%"}, lambda _: False),
    ({"product": "pump"}, lambda _: True),
    ({"product": "fan"}, lambda _: False),
]


def test_filters_of_alarms_let_through_what_they_say_in_order_of_urgency(filled, db, subtests):
    tom = filled.as_("support", "tom@example.org")
    every = every_alarm(db)
    for asked, wanted in ASKED:
        with subtests.test(str(asked)):
            expected = [row for row in every if wanted(row)]
            counted = Counter(row["standing"] for row in expected)
            rows, counts = pages(tom, "/api/alarms", "alarms", **asked)
            assert {name: count["count"] for name, count in counts.items()} == {
                name: counted[name] for name in STANDINGS
            }
            assert not any(count["more"] for count in counts.values())
            urgent = sorted(
                (row for row in expected if row["standing"] != "closed"),
                key=lambda row: (STANDINGS.index(row["standing"]), SEVERITIES.index(row["severity"])),
            )
            assert [row["id"] for row in rows] == [row["id"] for row in urgent]
            closed, _ = pages(tom, "/api/alarms", "alarms", standing="closed", **asked)
            assert [row["id"] for row in closed] == [row["id"] for row in expected if row["standing"] == "closed"]


def test_by_time_every_alarm_is_there_the_newest_first(filled, db):
    rows, _ = pages(filled.as_("support"), "/api/alarms", "alarms", sort="newest")
    assert [row["id"] for row in rows] == [row["id"] for row in every_alarm(db)]


def test_a_saved_list_of_alarms_is_the_list(filled, db):
    tom = filled.as_("support", "tom@example.org")
    rows, _ = pages(tom, "/api/alarms", "alarms", severity="warning")
    saved = list(csv.DictReader(io.StringIO(tom.get("/api/alarms.csv?severity=warning").text.removeprefix("\ufeff"))))
    assert [line["alarm"] for line in saved] == [row["id"] for row in rows]
    assert {line["severity"] for line in saved} == {"warning"}


def test_a_page_looks_at_so_many_and_says_where_to_go_on(filled, db, monkeypatch):
    """Whatever the filter, no page reads a table of millions to its end; and going on, nothing is passed over."""
    monkeypatch.setattr(alarms, "LOOKED_MAX", 20)
    tom = filled.as_("support", "tom@example.org")
    rows, counts = pages(tom, "/api/alarms", "alarms", severity="info")
    open_ones = [row["id"] for row in every_alarm(db) if row["severity"] == "info" and row["standing"] != "closed"]
    assert sorted(row["id"] for row in rows) == sorted(open_ones)
    assert counts["active"]["more"]


NOTICES = [
    ({}, lambda _: True),
    ({"kind": "alarm", "severity": "safety"}, lambda row: row["severity"] == "safety"),
    ({"words": "ad"}, lambda row: row["person"] in ("Ada", "Adam")),
    ({"words": "AB-02"}, lambda row: row["serial"].startswith("AB-02")),
    ({"kind": "recall"}, lambda _: False),
]


def test_filters_of_notices_let_through_what_they_say_open_ones_first(filled, db, subtests):
    support = filled.as_("support")
    every = db.execute(
        "SELECT n.public_id AS id, n.severity, n.state, p.name AS person, u.printed AS serial FROM notice n"
        " JOIN person p ON p.id = n.person_id JOIN unit u ON u.id = n.unit_id ORDER BY n.id DESC"
    ).fetchall()
    for asked, wanted in NOTICES:
        with subtests.test(str(asked)):
            expected = [row for row in every if wanted(row)]
            urgent = sorted(
                (row for row in expected if row["state"] == "open"), key=lambda row: SEVERITIES.index(row["severity"])
            )
            over = [row for row in expected if row["state"] != "open"]
            rows, counts = pages(support, "/api/notices", "notices", **asked)
            assert [row["id"] for row in rows] == [row["id"] for row in urgent + over]
            assert (counts["open"]["count"], counts["over"]["count"]) == (len(urgent), len(over))
            rows, _ = pages(support, "/api/notices", "notices", state="over", **asked)
            assert [row["id"] for row in rows] == [row["id"] for row in over]


def test_a_page_of_notices_looks_at_so_many_and_passes_nothing_over(filled, db, monkeypatch):
    monkeypatch.setattr(notices, "LOOKED_MAX", 20)
    rows, counts = pages(filled.as_("support"), "/api/notices", "notices", severity="info")
    found = db.execute("SELECT public_id FROM notice WHERE severity = 'info'").fetchall()
    assert sorted(row["id"] for row in rows) == sorted(row["public_id"] for row in found)
    assert counts["open"]["more"]


def test_only_who_may_save_people_saves_notices(filled):
    assert filled.as_("support").get("/api/notices.csv").status_code == 403
    saved = filled.as_("administrator").get("/api/notices.csv?severity=safety").text
    assert len(saved.splitlines()) > 20
