"""People as the staff find them, the record of one, and My Products as they see it."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.notify import addresses
from gateway.store.owner import act_as_owner
from tests.dsl.owners import add_notice, import_owner, make_person, make_units
from tests.dsl.people import session, site

NOW = datetime.now(UTC)


def ago(**span):
    return NOW - timedelta(**span)


@pytest.fixture
def world(url, db):
    with site(url, db) as made:
        yield made


@pytest.fixture
def ada(db):
    make_units(db, "P1", "P2")
    ada = make_person(db, "Ada").person_id
    import_owner(db, "P1", ago(days=9))
    import_owner(db, "P2", ago(days=2))
    return ada


def names(answer):
    page = answer.json()
    return [person["name"] for person in page["people"]], page["counts"]["people"]


def make_recalls_of_notices(db):
    """As if a recall had told what rules told."""
    db.execute(
        "INSERT INTO campaign (public_id, number, kind, state, product_id, content, audience, authors, created_at,"
        " edited_by, edited_at, approved_by, published_at, units) SELECT 'c', 'R-2026-1', 'recall', 'published', p.id,"
        " '{}', '{}', ARRAY[o.id], now(), o.id, now(), x.id, now(), 1"
        " FROM product p, person o, person x WHERE x.id > o.id LIMIT 1"
    )
    db.execute(
        "UPDATE notice n SET kind = 'recall', severity = 'safety', rule_id = NULL, owned_since = n.created_at,"
        " campaign_id = c.id FROM campaign c"
    )


class TestTheList:
    @pytest.fixture
    def people(self, db, world):
        for number, name in enumerate(["Ada", "Adam", "Bob", "100%"]):
            make_person(db, name)
            db.execute(
                "UPDATE person SET customer_number = %s WHERE name = %s",
                [f"K-{number}", name],
            )
        session(world.url, "customer", "bob@example.org")
        db.execute("UPDATE person SET language = 'de' WHERE name = 'Bob'")
        return world.as_("support", "zoe@example.com")

    def test_it_is_searched_as_everything_is(self, people, db):
        db.execute("UPDATE person SET name = 'Jana Möller' WHERE name = 'Bob'")
        assert names(people.get("/api/people?words=moeller")) == (["Jana Möller"], 1)
        db.execute("UPDATE person SET name = 'Bob' WHERE name = 'Jana Möller'")
        assert names(people.get("/api/people?words=ada")) == (["Adam", "Ada"], 2)
        assert names(people.get("/api/people?words=  BOB@exam")) == (["Bob"], 1)
        assert names(people.get("/api/people?words=k-3")) == (["100%"], 1)
        assert names(people.get("/api/people?words=100%25")) == (["100%"], 1)
        assert names(people.get("/api/people?words=%25")) == ([], 0)

    def test_it_is_filtered_by_language_account_and_open_recalls(self, people, db):
        assert names(people.get("/api/people?language=de")) == (["Bob"], 1)
        assert "Bob" in names(people.get("/api/people?account=with"))[0]
        assert names(people.get("/api/people?account=without")) == (["100%", "Adam", "Ada"], 3)
        assert names(people.get("/api/people?recall=open")) == ([], 0)
        make_units(db, "P1")
        import_owner(db, "P1", ago(days=9))
        ada = db.execute("SELECT id FROM person WHERE name = 'Ada'").fetchone()["id"]
        for hours in (20, 30):
            add_notice(db, "P1", ada, ago(hours=hours))
        make_recalls_of_notices(db)
        assert names(people.get("/api/people?recall=open")) == (["Ada"], 1)
        assert names(people.get("/api/people?recall=open&words=bob")) == ([], 0)
        db.execute("UPDATE notice SET acknowledged_at = now()")
        assert names(people.get("/api/people?recall=open")) == ([], 0)

    def test_its_pages_follow_each_other(self, people):
        page = people.get("/api/people?limit=2").json()
        rest = people.get(f"/api/people?limit=2&after={page['next']}").json()
        found = [person["name"] for person in page["people"] + rest["people"]]
        assert found == ["A support", "100%", "Bob", "Adam"]

    def test_only_who_may_takes_it_with_them(self, people, world):
        assert people.get("/api/people.csv").status_code == 403
        file = world.as_("administrator").get("/api/people.csv?words=bob")
        assert file.text.splitlines()[1].split(",")[1:3] == ["Bob", "bob@example.org"]


class TestTheRecord:
    def test_it_says_how_a_person_is_told_and_why(self, world, db, ada):
        addresses.register_phone(db, ada, "token", "secret-token", "android", NOW, tokens_max=20)
        support = world.as_("support")
        answer = support.get("/api/people/person-ada")
        record = answer.json()
        assert (record["name"], record["account"], record["phones"]["registered"]) == ("Ada", None, 1)
        assert record["network"]["order"] == ["push"]
        assert record["network"]["reason"]
        assert "secret-token" not in answer.text

    def test_it_lists_the_units_the_worst_first(self, world, db, ada):
        db.execute(
            "INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)"
            ' SELECT \'r\', 1, id, \'{"title": {"en": "Low", "de": "Niedrig"}}\', \'d\', true FROM product'
        )
        db.execute(
            "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic,"
            " evidence) SELECT 'a', v.id, u.id, 'warning', now(), now(), now(), false, '{}'"
            " FROM unit u, rule_version v WHERE u.serial = 'P2'"
        )
        units = world.as_("support").get("/api/people/person-ada").json()["units"]
        assert [(unit["serial"], unit["state"], unit["alarms"]) for unit in units] == [
            ("P2", "warning", ["Low"]),
            ("P1", "unknown", []),
        ]

    def test_it_shows_where_a_person_is_signed_in(self, world, db):
        browser = world.browser().join("eva@example.org")
        person = browser.get("/api/me").json()["person"]
        sign_ins = world.as_("support").get(f"/api/people/{person}").json()["sign_ins"]
        assert (len(sign_ins["sessions"]), sign_ins["browsers"]) == (1, 1)
        assert sign_ins["last_at"] is not None

    def test_it_shows_the_newest_notices_with_how_they_went(self, world, db, ada):
        for minutes in range(10):
            add_notice(db, "P1", ada, ago(minutes=minutes + 1))
        record = world.as_("support").get("/api/people/person-ada").json()
        assert (len(record["notices"]), record["counts"]["notices"]) == (8, 10)
        assert {trail["channel"] for notice in record["notices"] for trail in notice["deliveries"]} <= {"email", "push"}
        assert record["notices"][0]["deliveries"]

    def test_a_look_at_it_is_noted_and_one_that_found_nobody_is_not(self, world, db, ada):
        support = world.as_("support")
        support.get("/api/people/person-ada")
        support.get("/api/people/person-ada")
        support.get("/api/people/person-ada/my-products")
        support.get("/api/people/nobody")
        looks = db.execute("SELECT person_id, page FROM staff_look ORDER BY id").fetchall()
        assert looks == [{"person_id": ada, "page": "record"}, {"person_id": ada, "page": "my_products"}]


class TestWhatTheySee:
    def test_it_is_what_they_read_themselves(self, world, db, ada):
        add_notice(db, "P1", ada, ago(minutes=5))
        seen = world.as_("support").get("/api/people/person-ada/my-products").json()
        browser = world.browser()
        browser.enter(session(world.url, "customer", "ada@example.org"))
        own_units, own_feed = browser.get("/api/my/units").json(), browser.get("/api/my/feed").json()
        assert [unit["serial"] for unit in seen["units"]["units"]] == ["P1", "P2"]
        assert (seen["units"]["units"], seen["feed"]) == (own_units["units"], own_feed)

    def test_it_has_nothing_of_the_time_before_a_unit_was_theirs(self, world, db, ada):
        bob = make_person(db, "Bob").person_id
        import_owner(db, "P1", ago(days=1), name="Bob")
        add_notice(db, "P1", ada, ago(days=3))
        seen = world.as_("support").get("/api/people/person-bob/my-products").json()
        assert ([unit["serial"] for unit in seen["units"]["units"]], seen["feed"]["notices"]) == (["P1"], [])
        assert bob


class TestNotes:
    def write(self, browser, draft="draft-one", **more):
        note = {"person": "person-ada", "kind": "note", "text": "Asked how to fill in water", "draft": draft}
        return browser.post("/api/notes", note | more)

    def test_a_call_stands_in_the_record_of_person_and_unit(self, world, db, ada):
        unit = db.execute("SELECT public_id FROM unit WHERE serial = 'P1'").fetchone()["public_id"]
        support = world.as_("support")
        call = self.write(support, kind="call", direction="in", minutes=6, unit=unit)
        assert call.status_code == 201
        for question in (f"unit={unit}", "person=person-ada", f"unit={unit}&person=person-ada"):
            page = support.get(f"/api/notes?{question}").json()
            assert page["counts"] == {"notes": 1}
            (note,) = page["notes"]
            assert (note["kind"], note["minutes"], note["staff"]["name"]) == ("call", 6, "A support")
            assert (note["unit"]["serial"], note["person"]["name"]) == ("P1", "Ada")

    def test_sent_twice_it_is_there_once(self, world, db, ada):
        """The answer was lost on the way; the page sends what it kept again."""
        support = world.as_("support")
        first, again = self.write(support), self.write(support)
        assert first.json() == again.json()
        self.write(world.as_("administrator"))
        assert support.get("/api/notes?person=person-ada").json()["counts"] == {"notes": 2}

    def test_its_event_has_ids_and_nothing_of_its_text(self, world, db, ada):
        note = self.write(world.as_("support")).json()
        (event,) = db.execute("SELECT person_id, data FROM event WHERE kind = 'note.written'").fetchall()
        assert event == {"person_id": ada, "data": {"note": note["id"]}}

    def test_a_record_keeps_the_newest(self, url, db, ada):
        with site(url, db, notes_max=3) as world:
            support = world.as_("support")
            for number in range(5):
                self.write(support, draft=f"a draft {number}", text=f"{number}")
            page = support.get("/api/notes?person=person-ada").json()
        assert [note["text"] for note in page["notes"]] == ["4", "3", "2"]

    def test_pages_of_notes_follow_each_other(self, world, db, ada):
        support = world.as_("support")
        for number in range(5):
            self.write(support, draft=f"a draft {number}", text=f"{number}")
        page = support.get("/api/notes?person=person-ada&limit=3").json()
        rest = support.get(f"/api/notes?person=person-ada&limit=3&after={page['next']}").json()
        assert [note["text"] for note in page["notes"] + rest["notes"]] == ["4", "3", "2", "1", "0"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"text": "  "},
            {"text": "x" * 4001},
            {"direction": "in"},
            {"person": None},
            {"kind": "letter"},
            {"happened_at": (NOW + timedelta(days=1)).isoformat()},
        ],
        ids=["empty", "too long", "of a call", "of nobody", "unknown kind", "of tomorrow"],
    )
    def test_what_is_no_note_is_refused(self, world, db, ada, wrong):
        assert self.write(world.as_("support"), **wrong).status_code == 422
        assert db.execute("SELECT FROM staff_note").fetchall() == []

    def test_an_owner_sees_none_of_it(self, world, db, ada):
        self.write(world.as_("support"))
        browser = world.browser()
        browser.enter(session(world.url, "customer", "ada@example.org"))
        assert browser.get("/api/notes?person=person-ada").status_code == 403
        for table in ("staff_note", "staff_look", "staff_act"):
            with db.transaction():
                act_as_owner(db, ada)
                row = db.execute("SELECT has_table_privilege(%s, 'SELECT') AS may", [table]).fetchone()
            assert row == {"may": False}
