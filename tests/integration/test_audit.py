"""Who of the staff looked at which record: one line for each look, for administrators, and not for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.accounts.service import create
from gateway.config import Settings
from gateway.roles.maintenance import forget_old
from gateway.support.audit import note_look
from tests.dsl.owners import make_units
from tests.dsl.people import site

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(url, db):
    with site(url, db) as made:
        yield made


@pytest.fixture
def sam(db):
    return create(db, "sam@example.org", "Sam", "support", NOW)


@pytest.fixture
def ada(db):
    return create(db, "ada@example.org", "Ada", "customer", NOW)


def look(db, account, person, minutes=0, **more):
    note_look(db, account, person=person.person_id, now=NOW + minutes * MINUTE, **more)


def lines(db):
    return db.execute("SELECT at, page FROM staff_look ORDER BY id").fetchall()


def test_the_same_look_within_ten_minutes_is_one_line(db, sam, ada):
    for minutes in (0, 1, 9.9):
        look(db, sam, ada, minutes)
    assert len(lines(db)) == 1
    look(db, sam, ada, 10)
    assert [line["at"] for line in lines(db)] == [NOW, NOW + 10 * MINUTE]


def test_another_page_another_subject_and_another_member_of_the_staff_are_other_lines(db, sam, ada):
    tom = create(db, "tom@example.org", "Tom", "support", NOW)
    look(db, sam, ada)
    look(db, sam, ada, page="my_products")
    look(db, sam, tom)
    look(db, tom, ada)
    assert len(lines(db)) == 4


def test_an_administrator_lists_who_looked_at_whom(world, db, url, sam, ada):
    tom = create(db, "tom@example.org", "Tom", "support", NOW)
    for minutes, (account, person) in enumerate([(sam, ada), (tom, ada), (sam, tom)]):
        look(db, account, person, minutes)
    administrator = world.as_("administrator")

    def names(query):
        page = administrator.get(f"/api/looks?{query}").json()
        return [(line["staff"]["name"], line["person"]["name"]) for line in page["looks"]], page["counts"]["looks"]

    assert names("") == ([("Sam", "Tom"), ("Tom", "Ada"), ("Sam", "Ada")], 3)
    assert names(f"staff={sam.person_public_id}") == ([("Sam", "Tom"), ("Sam", "Ada")], 2)
    assert names(f"person={ada.person_public_id}") == ([("Tom", "Ada"), ("Sam", "Ada")], 2)
    assert names(f"staff={tom.person_public_id}&person={tom.person_public_id}") == ([], 0)
    assert names("staff=nobody") == ([], 0)


def test_pages_of_looks_follow_each_other_and_the_file_has_them_all(world, db, sam, ada):
    for minutes in range(0, 60, 10):
        look(db, sam, ada, minutes)
    administrator = world.as_("administrator")
    page = administrator.get("/api/looks?limit=4").json()
    rest = administrator.get(f"/api/looks?limit=4&after={page['next']}").json()
    assert [len(page["looks"]), len(rest["looks"]), rest["next"], page["counts"]["looks"]] == [4, 2, None, 6]
    moments = [line["at"] for line in page["looks"] + rest["looks"]]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) == 6
    file = administrator.get("/api/looks.csv")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.text.count("Sam,record,,Ada") == 6


def test_looks_are_forgotten_after_their_time_and_beyond_their_number(db, sam, ada):
    for minutes in range(0, 60, 10):
        look(db, sam, ada, minutes)
    settings = Settings(look_history="30d", looks_max=4)
    assert forget_old(db, settings, NOW)["staff_look"] == 2
    assert [line["at"] for line in lines(db)] == [NOW + minutes * MINUTE for minutes in (20, 30, 40, 50)]
    assert forget_old(db, settings, NOW + timedelta(days=30) + 35 * MINUTE)["staff_look"] == 2
    assert [line["at"] for line in lines(db)] == [NOW + minutes * MINUTE for minutes in (40, 50)]


def test_a_unit_is_looked_at_by_its_serial(world, db, sam, url):
    make_units(db, "P1")
    unit = db.execute("SELECT id, public_id FROM unit").fetchone()
    note_look(db, sam, unit=unit["id"], now=NOW)
    (line,) = world.as_("administrator").get(f"/api/looks?unit={unit['public_id']}").json()["looks"]
    assert (line["unit"], line["person"]) == ({"id": unit["public_id"], "serial": "P1"}, None)
