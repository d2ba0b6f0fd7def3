"""The staff's search: each kind of hit by what people say of it, whole or in part, best first."""

from datetime import UTC, datetime

import pytest

from gateway.registrations.model import OwnerRow, UnitRow
from gateway.support.search import service
from tests.dsl.people import site
from tests.dsl.wait import until
from tests.factories import make_fleet
from tests.factories.campaigns import RECALL, UPDATE, draft_body
from tests.factories.imports import import_owners, import_units
from tests.factories.notices import make_owner, raise_alarm, running_worker

pytestmark = pytest.mark.both

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
UNITS = [
    UnitRow(product="pump", serial="HP90-25-095247", lot="HP90-2529", order_number="2025/4711"),
    UnitRow(product="pump", serial="HP90-25-095248", lot="HP90-2530"),
    UnitRow(product="pump", serial="AC24 23 000012", lot="AC24-2301", order_number="2023-40.012"),
    UnitRow(product="pump", serial="Z_1:7.2"),
]
FIRST, SECOND, THIRD, LAST = (unit.serial for unit in UNITS)
UNITS_BY_WORDS = {
    "HP90-25-095247": [FIRST],
    "  hp90 25 095247 ": [FIRST],
    "HP90\u201325\u2013095247": [FIRST],
    "pump/HP90-25-095247": [FIRST],
    "https://brenhold.example/pump/HP90-25-095247": [FIRST],
    "hp90-25": [FIRST, SECOND],
    "25-0952": [FIRST, SECOND],
    "095248": [SECOND],
    "9025095247": [FIRST],
    "9025095249": [],
    "HP90-2530": [SECOND],
    "ac24-23": [THIRD],
    "ac": [THIRD],
    "c2": [],
    "2025/4711": [FIRST],
    "2023 40012": [THIRD],
    "4711": [FIRST],
    "Z_1:7.2": [LAST],
    "z_1": [LAST],
}
JURGEN, ANNA, RENE, LUKASZ = "Jürgen Müller-Weiß", "Anna Groß", "René O'Neill", "Łukasz Ödegård"
PEOPLE = {
    JURGEN: {"phone": "+49 (0)30 23125 481", "address": "Mühlgasse 4, 10437 Berlin", "customer_number": "K-100 200"},
    ANNA: {"phone": "0221/4710 042", "address": "Lindenallee 40, 50667 Köln", "customer_number": "K-100201"},
    RENE: {"phone": "00353 1 555 0199", "customer_number": "K-100"},
    LUKASZ: {"phone": "030 23125 482", "address": "Bahnhofstraße 12 50% Hof, 20095 Hamburg"},
}
PEOPLE_BY_WORDS = {
    JURGEN: [JURGEN],
    "juergen mueller": [JURGEN],
    "JURGEN MULLER": [JURGEN],
    "müller-w": [JURGEN],
    "müller we": [JURGEN],
    "weiss": [JURGEN],
    "Weiß Jürgen": [JURGEN],
    "gross": [ANNA],
    "an": [ANNA],
    "gr": [ANNA],
    "nn": [],
    "René O'Neill": [RENE],
    "oneill": [],
    "neill": [RENE],
    "lukasz odegard": [LUKASZ],
    "owner.1@example.org": [ANNA],
    "Owner.1@Example.org": [ANNA],
    "+49 30 23125481": [JURGEN],
    "030 23125 481": [JURGEN],
    "0049-30-23125-481": [JURGEN],
    "(030) 2312 5481": [JURGEN],
    "23125 481": [JURGEN],
    "+49 221 4710042": [ANNA],
    "01 5550199": [RENE],
    "+353 1 5550199": [RENE],
    "lindenallee 40": [ANNA],
    "Lindenallee Köln": [ANNA],
    "bahnhofstrasse": [LUKASZ],
    "10437": [JURGEN],
    "K-100200": [JURGEN],
    "k 100 200": [JURGEN],
    "100201": [ANNA],
    "K-100": [RENE, JURGEN, ANNA],
}


@pytest.fixture
def world(url, db):
    make_fleet(url, ("P1",))
    with db.transaction():
        import_units(db, dict(enumerate(UNITS, 2)), actor="test")
        owners = [
            OwnerRow(person=name, email=f"owner.{n}@example.org", unit=f"pump/{UNITS[n].serial}", since=SINCE, **more)
            for n, (name, more) in enumerate(PEOPLE.items())
        ]
        import_owners(db, dict(enumerate(owners, 2)), actor="test")
    with site(url, db) as made:
        yield made


@pytest.fixture
def find(world):
    """Titles of the hits of one kind."""
    staff = world.as_("support", "karin@brenhold.example")

    def ask(words, kind):
        response = staff.client.get("/api/search", params={"words": words})
        assert response.status_code == 200, response.text
        return [hit["title"] for found in response.json()["found"] if found["kind"] == kind for hit in found["hits"]]

    return ask


def test_a_unit_is_found_by_serial_lot_and_order_number(find, subtests):
    for words, serials in UNITS_BY_WORDS.items():
        with subtests.test(words):
            assert find(words, "unit") == serials


def test_a_person_is_found_by_name_address_phone_and_customer_number(find, subtests):
    for words, names in PEOPLE_BY_WORDS.items():
        with subtests.test(words):
            assert find(words, "person") == names


def test_what_is_exactly_meant_comes_before_what_begins_so_and_what_has_it_anywhere(find, db):
    rows = [UnitRow(product="pump", serial=serial) for serial in ("B-77-1", "B-77", "X-B-77", "B-77-2", "AB-7")]
    with db.transaction():
        import_units(db, dict(enumerate(rows, 2)), actor="test")
    assert find("b77", "unit") == ["B-77", "B-77-1", "B-77-2"], "one that is exactly meant is not looked for in others"
    db.execute("DELETE FROM unit WHERE printed = 'B-77'")
    assert find("b77", "unit") == ["B-77-1", "B-77-2", "X-B-77"]
    assert find("b7", "unit") == ["B-77-1", "B-77-2"], "two letters find only what begins with them"
    assert find("owner.1", "person")[0] == ANNA


def test_what_is_exactly_meant_is_shown_however_many_begin_so(world, db):
    rows = [UnitRow(product="pump", serial=f"Q9-{n}") for n in range(9)] + [
        UnitRow(product="pump", serial="ZZ", lot="Q9")
    ]
    with db.transaction():
        import_units(db, dict(enumerate(rows, 2)), actor="test")
    (found,) = world.as_("support").get("/api/search?words=Q9&limit=5").json()["found"]
    assert [hit["title"] for hit in found["hits"]] == ["ZZ", "Q9-0", "Q9-1", "Q9-2", "Q9-3"]


def test_a_kind_shows_as_many_as_asked_for_and_says_when_there_are_more(world, db):
    rows = [UnitRow(product="pump", serial=f"MANY-{n:02}") for n in range(12)]
    with db.transaction():
        import_units(db, dict(enumerate(rows, 2)), actor="test")
    staff = world.as_("support")
    (few,) = staff.get("/api/search?words=many").json()["found"]
    assert (len(few["hits"]), few["more"]) == (5, True)
    (all_of_them,) = staff.get("/api/search?words=many&limit=12").json()["found"]
    assert (len(all_of_them["hits"]), all_of_them["more"]) == (12, False)
    assert staff.get("/api/search?words=many&limit=51").status_code == 422


def test_signs_alone_find_nothing(world):
    staff = world.as_("support")
    for words in ("", " ", "%", "_", "\\", "%%%", "-", "''", "\x00", "💧"):
        response = staff.client.get("/api/search", params={"words": words})
        assert (response.status_code, response.json()) == (200, {"found": []}), words


def test_signs_of_patterns_are_plain_signs(find):
    for words in ("50% Hof", "Groß\\", "Groß\x00"):
        assert len(find(words, "person")) == 1, words
    for words in ("Bahn%12x", "Gr_ß", "5_0"):
        assert find(words, "person") == [], words


def test_a_hundred_letters_are_taken_and_more_are_refused(world):
    staff = world.as_("support")
    assert staff.get(f"/api/search?words={'ab ' * 33}a").json() == {"found": []}
    assert staff.get(f"/api/search?words={'a' * 100}").json() == {"found": []}
    assert staff.get(f"/api/search?words={'a' * 101}").status_code == 422


def test_a_hit_says_what_tells_it_from_others_in_the_readers_language(world, db):
    staff = world.as_("support", "karin@brenhold.example")
    (unit,) = staff.get("/api/search?words=095247").json()["found"][0]["hits"]
    assert unit["line"] == "Pump P 200 · lot HP90-2529 · order 2025/4711 · Jürgen Müller-Weiß"
    row = db.execute("SELECT public_id FROM unit WHERE printed = 'HP90-25-095247'").fetchone()
    assert unit["link"] == f"/console/units/{row['public_id']}"
    db.execute("UPDATE person SET language = 'de' WHERE email = 'karin@brenhold.example'")
    (unit,) = staff.get("/api/search?words=095247").json()["found"][0]["hits"]
    assert unit["line"] == "Pumpe P 200 · Charge HP90-2529 · Auftrag 2025/4711 · Jürgen Müller-Weiß"


def test_ids_of_units_and_people_serve_lists_that_are_filtered_by_words(world, db):
    serials = db.execute("SELECT id, serial FROM unit WHERE serial LIKE 'HP90%' ORDER BY serial").fetchall()
    with db.transaction():
        assert service.unit_ids(db, "hp90-25", 100) == [row["id"] for row in serials]
    person = db.execute("SELECT id FROM person WHERE name = 'Anna Groß'").fetchone()
    with db.transaction():
        assert service.person_ids(db, "gross", 100) == [person["id"]]
        assert service.person_ids(db, "%", 100) == []


def test_a_campaign_is_found_by_its_number_and_its_title_in_any_language(world, find):
    paula = world.as_("product_manager", "paula@maker.example")
    recall, update = (paula.post("/api/campaigns", draft_body(content)).json() for content in (RECALL, UPDATE))
    for words in (recall["number"], recall["number"].lower(), "pump catch", "feuer fangen", "FÄNGEN"):
        assert find(words, "campaign") == ["The pump may catch fire"], words
    assert find("2.4", "campaign") == ["Firmware 2.4"]
    assert find(update["number"], "campaign") == ["Firmware 2.4"]
    (found,) = paula.get("/api/search?words=feuer").json()["found"]
    assert found["hits"] == [
        {
            "id": recall["id"],
            "title": "The pump may catch fire",
            "line": f"{recall['number']} · Draft",
            "link": f"/console/campaigns/{recall['id']}",
        }
    ]


def test_a_notice_and_an_alarm_are_found_by_their_numbers_and_an_alarm_by_its_rule(url, db, tmp_path):
    make_owner(url, tmp_path)
    alarm = raise_alarm(db)
    with running_worker(url):
        notice = until(lambda: db.execute("SELECT id, public_id FROM notice").fetchone())
    with site(url, db) as world:
        staff = world.as_("support")

        def hits(words):
            found = staff.client.get("/api/search", params={"words": words}).json()["found"]
            return {one["kind"]: [(hit["title"], hit["line"], hit["link"]) for hit in one["hits"]] for one in found}

        in_feed = [("Switch the pump off", f"N-{notice['id']} · Ada · P1", f"/console/notices/{notice['public_id']}")]
        row = db.execute("SELECT public_id FROM alarm").fetchone()
        raised = [("Pump overheats", f"A-{alarm} · P1 · Pump P 200 · active", f"/console/alarms/{row['public_id']}")]
        assert hits(f"N-{notice['id']}") == hits(f"n {notice['id']}") == {"notice": in_feed}
        assert hits(f"A-{alarm}") == hits(f"a{alarm}") == {"alarm": raised}
        assert hits("overheats pump") == hits("overh") == {"alarm": raised}
        assert hits("N-999999") == hits("A-999999999999999999") == {}
        db.execute("UPDATE alarm SET cleared_at = now(), clearing = '{}'")
        assert hits("overheats")["alarm"][0][1].endswith("· cleared")


def test_what_takes_too_long_is_refused_and_says_what_to_do(world, monkeypatch):
    monkeypatch.setattr(service, "_PATIENCE", "SET LOCAL statement_timeout = '1ms'")
    monkeypatch.setattr(service, "_PLANNED_ONCE", "SELECT pg_sleep(1)")
    response = world.as_("support").get("/api/search?words=pump")
    assert (response.status_code, response.json()["code"]) == (422, "search_too_wide")


def test_the_words_stand_in_no_log(world, caplog):
    with caplog.at_level("DEBUG"):
        world.as_("support").get("/api/search?words=Weiss")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert [line for line in ours if "Weiss" in line] == []
