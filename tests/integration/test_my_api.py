"""My Products over HTTP: what an owner is shown and may do, and that nobody else's things are there."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.dsl.owners import (
    CODE,
    WRONG,
    add_alarm,
    add_message,
    add_notice,
    add_reading,
    import_owner,
    make_units,
    unit_id,
)
from tests.dsl.people import site

ADA, BOB = "ada@example.org", "bob@example.org"


def ago(**span):
    return datetime.now(UTC) - timedelta(**span)


@pytest.fixture
def world(url, db):
    make_units(db, "P1", "P2")
    with site(url, db) as made:
        yield made


@pytest.fixture
def ada(world):
    return world.as_("customer", ADA)


@pytest.fixture
def bob(world):
    return world.as_("customer", BOB)


def send(browser, method, path, body=None):
    return browser.client.request(method, path, json=body, headers={"Sec-Fetch-Site": "same-origin"})


def register(browser, serial="P1", code=CODE, **more):
    return browser.post("/api/my/units", {"serial": serial, "code": code} | more)


def person_id(db, email):
    return db.execute("SELECT id FROM person WHERE email = %s", [email]).fetchone()["id"]


def units(browser):
    return browser.get("/api/my/units").json()["units"]


class TestRegistering:
    def test_a_unit_is_his_and_stands_among_his_units(self, ada):
        answer = register(ada, " p-1", "k7qm2xrt")
        assert answer.status_code == 201
        unit = answer.json()
        assert (unit["serial"], unit["product"]["code"], unit["owner"]) == ("P1", "pump", "A customer")
        assert (unit["connection"], unit["state"], unit["last_seen"], unit["place"]) == (
            "unknown",
            "unknown",
            None,
            None,
        )
        assert unit["cadence_s"] == 1
        assert units(ada) == [unit]
        assert ada.get(f"/api/my/units/{unit['id']}").json().items() >= unit.items()

    def test_every_refusal_is_the_same_answer(self, db, ada):
        import_owner(db, "P2", ago(days=1), name="Cleo")
        answers = [register(ada, serial, code) for serial, code in (("P9", CODE), ("P1", WRONG), ("P2", CODE))]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"claim_refused"}
        assert len({answer.content for answer in answers}) == 1
        assert len({tuple(answer.headers.items()) for answer in answers}) == 1

    def test_too_many_tries_say_when_to_come_back(self, url, db):
        make_units(db, "P1")
        with site(url, db, claims_per_unit=2) as world:
            ada = world.as_("customer", ADA)
            assert [register(ada, code=WRONG).status_code for _ in range(3)] == [404, 404, 429]
            answer = register(ada)
        assert answer.json()["code"] == "too_many_attempts"
        assert 3500 < int(answer.headers["retry-after"]) <= 3600

    def test_a_serial_of_several_products_is_asked_which(self, db, ada):
        make_units(db, "S1", products=("pump", "valve"))
        answer = register(ada, "S1")
        assert (answer.status_code, answer.json()["code"]) == (409, "serial_ambiguous")
        assert [product["code"] for product in answer.json()["products"]] == ["pump", "valve"]
        assert register(ada, "S1", product="valve").json()["product"]["code"] == "valve"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"serial": "P1"},
            {"serial": "!", "code": CODE},
            {"serial": "P1", "code": "short"},
            {"serial": "P1", "code": CODE, "person": "bob"},
            {"serial": "P" * 101, "code": CODE},
        ],
    )
    def test_what_cannot_be_read_is_named_and_the_code_not_repeated(self, ada, body, caplog):
        with caplog.at_level(logging.DEBUG):
            answer = ada.post("/api/my/units", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
        for secret in (CODE, "short"):
            assert secret not in answer.text
            assert secret not in caplog.text


class TestOwning:
    @pytest.fixture
    def unit(self, ada):
        return register(ada).json()["id"]

    def test_readings_state_and_connection_are_shown(self, db, ada, unit):
        add_reading(db, "P1", at := datetime.now(UTC), 21.5)
        add_alarm(db, "P1", at)
        shown = ada.get(f"/api/my/units/{unit}").json()
        assert (shown["connection"], shown["state"]) == ("online", "warning")
        assert [alarm["title"] for alarm in shown["alarms"]] == ["Hot"]
        assert [reading["value"] for reading in shown["readings"]] == [21.5, None]
        points = ada.get(f"/api/my/units/{unit}/readings?metric=temp_c").json()
        assert (points["unit"], [value for _, value in points["points"]]) == ("°C", [21.5])
        old = ada.get(
            f"/api/my/units/{unit}/readings",
        ).status_code
        assert old == 422
        until = (at - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert ada.get(f"/api/my/units/{unit}/readings?metric=temp_c&until={until}").json()["points"] == []

    def test_texts_are_in_his_language(self, db, ada, unit):
        db.execute("UPDATE person SET language = 'de' WHERE email = %s", [ADA])
        add_alarm(db, "P1", datetime.now(UTC))
        shown = ada.get(f"/api/my/units/{unit}").json()
        assert (shown["product"]["name"], shown["alarms"][0]["title"]) == ("Pumpe", "Heiß")

    def test_the_last_messages_say_what_was_refused(self, db, ada, unit):
        for number in range(23):
            add_message(db, "P1", datetime.now(UTC), f'{{"n": {number}}}'.encode())
        db.execute("UPDATE unit_message SET reason = 'bad_json', payload = '\\xff7b' WHERE number = 23")
        messages = ada.get(f"/api/my/units/{unit}/messages").json()["messages"]
        assert [message["number"] for message in messages] == list(range(23, 3, -1))
        assert (messages[0]["reason"], messages[0]["payload"]) == ("bad_json", "\N{REPLACEMENT CHARACTER}{")

    def test_he_names_the_place(self, ada, unit):
        assert send(ada, "PATCH", f"/api/my/units/{unit}", {"place": " Cellar "}).json()["place"] == "Cellar"
        assert send(ada, "PATCH", f"/api/my/units/{unit}", {"place": None}).json()["place"] is None
        for wrong in ("", " ", "x" * 81, "a\nb", "a\0b", 5):
            assert send(ada, "PATCH", f"/api/my/units/{unit}", {"place": wrong}).status_code == 422

    def test_he_gives_it_up_and_another_may_register_it(self, ada, bob, unit):
        assert send(ada, "DELETE", f"/api/my/units/{unit}").status_code == 204
        assert units(ada) == []
        assert ada.get(f"/api/my/units/{unit}").status_code == 404
        assert register(bob).status_code == 201

    def test_nothing_of_it_is_there_for_another(self, db, world, ada, bob, unit):
        add_reading(db, "P1", datetime.now(UTC), 21.5)
        paths = [
            ("GET", f"/api/my/units/{unit}"),
            ("GET", f"/api/my/units/{unit}/readings?metric=temp_c"),
            ("GET", f"/api/my/units/{unit}/messages"),
            ("PATCH", f"/api/my/units/{unit}"),
            ("DELETE", f"/api/my/units/{unit}"),
        ]
        for person in (bob, world.as_("support"), world.as_("administrator")):
            assert units(person) == []
            for method, path in paths:
                answer = send(person, method, path, {"place": "Attic"} if method == "PATCH" else None)
                gone = send(
                    person, method, path.replace(unit, "nothing"), {"place": "Attic"} if method == "PATCH" else None
                )
                assert (answer.status_code, answer.json()) == (404, gone.json())
        for method, path in paths:
            assert send(world.browser(), method, path, {"place": "Attic"}).status_code == 401
        assert units(ada)[0]["place"] is None

    def test_pages_go_on_where_they_ended(self, ada, unit):
        register(ada, "P2")
        first = ada.get("/api/my/units?limit=1").json()
        second = ada.get(f"/api/my/units?limit=1&after={first['next']}").json()
        assert [page["units"][0]["serial"] for page in (first, second)] == ["P1", "P2"]


class TestNotices:
    @pytest.fixture
    def notice(self, db, ada):
        register(ada)
        return add_notice(db, "P1", person_id(db, ADA), datetime.now(UTC))

    def test_the_feed_counts_what_is_unread(self, db, ada, notice):
        add_notice(db, "P1", person_id(db, ADA), datetime.now(UTC))
        feed = ada.get("/api/my/feed").json()
        assert (len(feed["notices"]), feed["unread"]) == (2, 2)
        first = ada.get("/api/my/feed?limit=1").json()
        assert ada.get(f"/api/my/feed?limit=1&before={first['next']}").json()["notices"][0]["id"] == notice
        assert send(ada, "POST", f"/api/my/notices/{notice}/read").json()["read_at"]
        assert ada.get("/api/my/feed").json()["unread"] == 1

    def test_a_notice_says_how_it_was_sent(self, ada, notice):
        shown = ada.get(f"/api/my/notices/{notice}").json()
        assert (shown["title"], shown["why"]["value"], shown["read_at"]) == ("Switch it off", 97.0, None)
        assert [(each["channel"], each["status"]) for each in shown["deliveries"]] == [("email", "delivered")]

    def test_the_first_time_counts(self, db, ada, notice):
        first = send(ada, "POST", f"/api/my/notices/{notice}/acknowledge").json()
        assert first["acknowledged_at"] == first["read_at"]
        again = send(ada, "POST", f"/api/my/notices/{notice}/acknowledge").json()
        assert again == first
        told = db.execute("SELECT person_id FROM event WHERE kind = 'notice.acknowledged'").fetchall()
        assert [row["person_id"] for row in told] == [person_id(db, ADA)]

    def test_another_neither_sees_nor_marks_it(self, db, world, ada, bob, notice):
        for person in (bob, world.as_("support")):
            assert person.get("/api/my/feed").json() == {"pinned": [], "notices": [], "unread": 0, "next": None}
            for method, path in (("GET", ""), ("POST", "/read"), ("POST", "/acknowledge")):
                assert send(person, method, f"/api/my/notices/{notice}{path}").status_code == 404
        shown = ada.get(f"/api/my/notices/{notice}").json()
        assert (shown["read_at"], shown["acknowledged_at"]) == (None, None)

    def test_a_notice_of_a_unit_given_up_is_over(self, ada, notice):
        (unit,) = units(ada)
        send(ada, "DELETE", f"/api/my/units/{unit['id']}")
        shown = ada.get(f"/api/my/notices/{notice}").json()
        assert (shown["state"], shown["why"]["cleared_reason"]) == ("resolved", "the unit is no longer yours")


def test_what_was_before_he_owned_it_is_not_there(db, ada):
    """Its earlier owner's readings, messages, alarms and notices stay theirs."""
    import_owner(db, "P2", ago(days=9), name="Cleo")
    cleo = db.execute("SELECT id FROM person WHERE name = 'Cleo'").fetchone()["id"]
    add_reading(db, "P2", ago(minutes=5), 21.5)
    add_message(db, "P2", ago(minutes=5), b"hers")
    add_alarm(db, "P2", ago(minutes=5), ago(minutes=4))
    add_notice(db, "P2", cleo, ago(minutes=5))
    db.execute(
        "UPDATE ownership SET during = tstzrange(lower(during), now() - interval '1 minute') WHERE unit_id = %s",
        [unit_id(db, "P2")],
    )
    unit = register(ada, "P2").json()
    assert (unit["last_seen"], unit["connection"], unit["alarms"]) == (None, "unknown", [])
    assert {reading["value"] for reading in unit["readings"]} == {None}
    assert ada.get(f"/api/my/units/{unit['id']}/readings?metric=temp_c&minutes=600").json()["points"] == []
    assert ada.get(f"/api/my/units/{unit['id']}/messages").json() == {"messages": []}
    assert ada.get("/api/my/feed").json()["notices"] == []
