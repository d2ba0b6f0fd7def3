"""Drafts, what is missing in them, the live count, and the second person."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg.errors import RaiseException

from gateway.campaigns import service
from tests.dsl.campaigns import Office, office, response_body
from tests.dsl.people import site
from tests.factories.campaigns import (
    RECALL,
    UPDATE,
    WITHDRAWAL,
    add_owners,
    add_units,
    confirm,
    draft_body,
    person,
    set_language,
)


@pytest.fixture
def at(url, db) -> Office:
    """P1 and P2 are Ada's and Bob's, of lot L1; P3 is nobody's, of lot L2."""
    add_units(db, ("P1", "L1", "2.3"), ("P2", "L1", "2.4.0"), ("P3", "L2", None))
    add_owners(db, {"P1": "Ada", "P2": "Bob"})
    with office(url, db) as opened:
        yield opened


def problems(answer, status=422):
    assert answer.status_code == status, answer.text
    return answer.json()["problems"]


class TestNumbers:
    def test_the_number_of_a_discarded_draft_is_never_given_again(self, at):
        year = at.world.now().year
        first = at.draft()
        assert at.paula.delete(f"/api/campaigns/{first['id']}").status_code == 204
        assert [first["number"], at.draft()["number"]] == [f"R-{year}-01", f"R-{year}-02"]

    def test_kinds_are_numbered_apart(self, at):
        year = at.world.now().year
        assert [at.draft()["number"], at.draft(UPDATE)["number"]] == [f"R-{year}-01", f"U-{year}-01"]

    def test_drafts_that_are_begun_at_once_get_numbers_of_their_own(self, at):
        together = threading.Barrier(4)

        def begin():
            together.wait(10)
            return at.paula.post("/api/campaigns", draft_body()).json()["number"]

        with ThreadPoolExecutor(4) as threads:
            numbers = [begun.result(20) for begun in [threads.submit(begin) for _ in range(4)]]
        assert sorted(number[-2:] for number in numbers) == ["01", "02", "03", "04"]

    def test_drafts_at_one_time_are_bounded(self, at, monkeypatch):
        monkeypatch.setattr(service, "DRAFTS_MAX", 1)
        at.draft()
        refused = at.paula.post("/api/campaigns", draft_body())
        assert (refused.status_code, refused.json()["detail"]) == (
            409, "There are 1 drafts; more than 1 are not kept. Discard some first.",
        )  # fmt: skip


def test_only_channels_that_are_set_up_count(url, db):
    """A person signs for the count: a channel that is not set up reaches nobody."""
    add_units(db, ("P1", "L1", None), ("P2", "L1", None))
    add_owners(db, {"P1": "Ada", "P2": "Bob"})
    db.execute(
        "INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at)"
        " VALUES ('t', %s, 'token', 't', 'android', now())",
        [person(db, "Ada")],
    )
    asked = {"product": "pump", "audience": {"by": "lots", "lots": ["L1"]}, "supersedes": None, "kind": "recall"}
    for nth, (settings, reached) in enumerate(
        [
            ({"smtp_url": None}, ([], 0, 0, 2)),
            ({}, (["email"], 2, 0, 0)),
            ({"smtp_url": None, "fcm_credentials": "/none.json"}, (["push"], 0, 1, 1)),
            ({"fcm_credentials": "/none.json"}, (["email", "push"], 2, 1, 0)),
        ]
    ):
        with site(url, db, **settings) as world:
            paula = world.as_("product_manager", f"paula{nth}@maker.example")
            drafted = paula.post("/api/campaigns", draft_body()).json()["count"]
            counted = paula.post("/api/campaigns/count", asked).json()
        for count in (drafted, counted):
            assert (count["channels"], count["by_email"], count["by_push"], count["feed_only"]) == reached, settings


def test_an_address_that_not_every_server_mails_to_does_not_count(url, db):
    """As an older version let it in. One whose domain only is in other letters is mailed to as any other."""
    add_units(db, ("P1", "L1", None), ("P2", "L1", None), ("P3", "L1", None))
    add_owners(db, {"P1": "Ada", "P2": "Bob", "P3": "Cleo"})
    db.execute("UPDATE person SET email = 'bob@bücher.example' WHERE name = 'Bob'")
    db.execute("UPDATE person SET email = 'cléo@example.org' WHERE name = 'Cleo'")
    asked = {"product": "pump", "audience": {"by": "lots", "lots": ["L1"]}, "supersedes": None, "kind": "recall"}
    with site(url, db) as world:
        counted = world.as_("product_manager", "paula@maker.example").post("/api/campaigns/count", asked).json()
    assert (counted["registered"], counted["by_email"], counted["feed_only"]) == (3, 2, 1)


class TestDrafts:
    def test_a_draft_is_kept_numbered_and_read(self, at):
        draft = at.draft()
        assert draft["number"] == f"R-{at.world.now().year}-01"
        assert (draft["state"], draft["version"], draft["created_by"], draft["units"]) == (
            "draft", 1, "A product_manager", None,
        )  # fmt: skip
        assert draft["content"] == RECALL
        assert draft["audience"] == {"by": "lots", "lots": ["L1"]}
        assert draft["checks"] == []
        assert draft["product"] == {"code": "pump", "name": "Pump", "model": "P 200"}
        assert at.draft()["number"].endswith("-02")
        assert at.draft(UPDATE)["number"] == f"U-{at.world.now().year}-01"
        assert [each["number"][:1] for each in at.paula.get("/api/campaigns").json()["campaigns"]] == ["U", "R", "R"]
        assert at.paula.get("/api/campaigns?state=published").json()["campaigns"] == []

    def test_a_draft_may_be_unfinished_and_says_what_is_missing(self, at):
        set_language(at.db, "de", "Bob")
        draft = at.draft(
            title={"en": "Fire", "de": ""}, hazard={}, action=None, remedies=[], remedy_text={},
            contact={"phone": None, "email": "nobody", "url": "javascript:alert(1)"},
        )  # fmt: skip
        assert draft["content"]["title"] == {"en": "Fire"}
        assert [check["field"] for check in draft["checks"] if check["blocks"]] == [
            "content.title.de", "content.hazard.en", "content.hazard.de", "content.action", "content.remedies",
            "content.contact.email", "content.contact.url",
        ]  # fmt: skip
        assert draft["checks"][0]["message"] == "Write a title in German; 1 of the owners reads it."
        refused = at.approve(draft, 2)
        assert "content.hazard.en: Write what the hazard is in English." in problems(refused)

    def test_a_language_that_nobody_in_the_audience_reads_is_not_asked_for(self, at):
        set_language(at.db, "de", "Bob")
        english = {name: {"en": RECALL[name]["en"]} for name in ("title", "hazard", "action_text", "remedy_text")}
        assert at.draft(**english, audience={"by": "serials", "serials": ["p-1"]})["checks"] == []
        assert len(at.draft(**english)["checks"]) == 4

    def test_who_is_meant_and_is_not_here_is_named(self, at):
        draft = at.draft(audience={"by": "serials", "serials": ["P1", "p 9", "P1", "?!"]})
        assert draft["checks"] == [{"field": "audience.serials", "message": "Not here: p 9, ?!.", "blocks": True}]
        draft = at.draft(audience={"by": "lots", "lots": ["L9", "L1"]})
        assert draft["checks"] == [{"field": "audience.lots", "message": "Not here: L9.", "blocks": True}]
        nobody = at.paula.post("/api/campaigns", draft_body() | {"audience": None})
        assert response_body(nobody, 201)["checks"] == [
            {"field": "audience", "message": "Say whom it concerns.", "blocks": True}
        ]

    def test_an_update_warns_of_units_whose_firmware_is_unknown(self, at):
        draft = at.draft(UPDATE)
        assert draft["checks"] == [
            {
                "field": "audience.below",
                "message": "1 unit has an unknown firmware and will not be told.",
                "blocks": False,
            }
        ]
        assert [check["field"] for check in at.draft(UPDATE, {"by": "firmware", "below": "v2"})["checks"]] == [
            "audience.below", "audience.below", "audience",
        ]  # fmt: skip
        assert at.draft(UPDATE, {"by": "lots", "lots": ["L1"]})["checks"][0]["field"] == "audience"

    def test_what_cannot_be_meant_is_refused_field_by_field(self, at):
        other = at.draft(UPDATE)
        for body, expected in [
            (draft_body() | {"product": "kettle"}, ["product: 'kettle' is not here; import its product file first"]),
            (draft_body(supersedes="none"), ["supersedes: there is no such campaign"]),
            (
                draft_body(supersedes=other["id"]),
                [f"supersedes: {other['number']} is a draft, nothing that takes effect"],
            ),
            (draft_body(WITHDRAWAL), ["supersedes: say what is withdrawn"]),
            (draft_body() | {"audience": {"by": "moon"}}, None),
            (draft_body(action="sell"), None),
            (draft_body(hazard={"english": "x"}), None),
        ]:
            found = problems(at.paula.post("/api/campaigns", body))
            assert found == expected if expected else found

    def test_an_edit_counts_and_does_not_overwrite_what_was_not_read(self, at):
        draft = at.draft()
        edited = draft_body(action="stop_using") | {"version": 1}
        assert response_body(at.pavel.put(f"/api/campaigns/{draft['id']}", edited))["version"] == 2
        answer = at.paula.put(f"/api/campaigns/{draft['id']}", edited)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        other_kind = draft_body(UPDATE) | {"version": 2}
        assert problems(at.paula.put(f"/api/campaigns/{draft['id']}", other_kind)) == ["content.kind: stays as it was"]

    def test_a_draft_is_discarded_and_the_log_knows(self, at):
        draft = at.draft()
        assert at.pavel.delete(f"/api/campaigns/{draft['id']}").status_code == 204
        assert at.paula.get(f"/api/campaigns/{draft['id']}").status_code == 404
        assert at.pavel.delete(f"/api/campaigns/{draft['id']}").status_code == 404
        (told,) = at.events("campaign.discarded")
        assert told == {"campaign": draft["id"], "number": draft["number"], "title": RECALL["title"]["en"]}


class TestTheSecondPerson:
    def test_neither_who_drafted_nor_who_edited_approves(self, at):
        draft = at.draft()
        cleo = at.world.as_("administrator", "cleo@maker.example")
        response_body(cleo.put(f"/api/campaigns/{draft['id']}", draft_body() | {"version": 1}))
        for author in (at.paula, cleo):
            answer = at.approve(draft | {"version": 2}, by=author)
            assert (answer.status_code, answer.json()["code"]) == (403, "second_person")
            assert author.get(f"/api/campaigns/{draft['id']}").json()["may_approve"] is False
        assert at.pavel.get(f"/api/campaigns/{draft['id']}").json()["may_approve"] is True
        assert response_body(at.approve(draft | {"version": 2}))["approved_by"] == "A product_manager"

    @pytest.mark.parametrize("role", ["support", "customer"])
    def test_neither_support_nor_customers(self, at, role):
        answer = at.approve(at.draft(), by=at.world.as_(role, f"{role}@maker.example"))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_the_number_is_typed_and_must_be_right(self, at):
        draft = at.draft()
        answer = at.approve(draft, 3)
        assert (answer.status_code, answer.json()["code"]) == (409, "count_changed")
        assert answer.json()["detail"] == "It concerns 2 units now, not 3; look again."
        assert at.db.execute("SELECT count(*) AS n FROM campaign_unit").fetchone()["n"] == 0
        add_units(at.db, ("P4", "L1", None))
        assert at.approve(draft, 2).status_code == 409, "it was right a moment ago"
        assert response_body(at.approve(draft, 3))["units"] == 3

    def test_what_was_edited_meanwhile_is_read_again_first(self, at):
        draft = at.draft()
        response_body(at.paula.put(f"/api/campaigns/{draft['id']}", draft_body() | {"version": 1}))
        answer = at.approve(draft)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_of_two_who_approve_at_once_one_does(self, at):
        draft = at.draft()
        others = [at.world.as_("administrator", f"admin{n}@maker.example") for n in range(4)]
        answers = []
        together = threading.Barrier(len(others))

        def approve(who):
            together.wait()
            answers.append(at.approve(draft, by=who).status_code)

        threads = [threading.Thread(target=approve, args=[who]) for who in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200, 409, 409, 409]
        assert len(at.events("campaign.published")) == 1


class TestWhatIsPublished:
    def test_is_neither_edited_nor_discarded_nor_approved_again(self, at):
        campaign = at.publish()
        path = f"/api/campaigns/{campaign['id']}"
        answers = [
            at.paula.put(path, draft_body() | {"version": 1}),
            at.paula.delete(path),
            at.approve(campaign, 2),
        ]
        assert [(each.status_code, each.json()["code"]) for each in answers] == [(409, "not_a_draft")] * 3
        assert (campaign["may_edit"], campaign["may_approve"]) == (False, False)

    @pytest.mark.parametrize(
        "statement",
        [
            'UPDATE campaign SET content = content || \'{"hazard": {"en": "none"}}\'',
            "UPDATE campaign SET audience = '{}'",
            "UPDATE campaign SET units = 1",
            "UPDATE campaign SET state = 'draft'",
            "DELETE FROM campaign",
            "DELETE FROM campaign_unit",
            "UPDATE campaign_unit SET standing = 'cleared'",
            "INSERT INTO campaign_unit SELECT c.id, u.id, 'affected', 'x' FROM campaign c, unit u WHERE serial = 'P3'",
        ],
    )
    def test_nor_by_sql(self, at, statement):
        at.publish()
        with pytest.raises(RaiseException):
            at.db.execute(statement)

    def test_the_choices_are_products_with_their_lots(self, at):
        assert at.paula.get("/api/products").json()["products"] == [
            {
                "code": "pump",
                "name": "Pump",
                "model": "P 200",
                "units": 3,
                "lots": [{"lot": "L1", "units": 2}, {"lot": "L2", "units": 1}],
            }
        ]


# -- The live count ------------------------------------------------------------------------------------------------

FIRMWARES = (None, "", "2", "2.0", "2.3", "2.3.9", "2.4", "2.4.0", "2.4.0.1", "2.10", "10", "v2.1", "2.4-beta", "02.3")


def version(text):
    """Dotted numbers without trailing zeros, or nothing."""
    parts = (text or "").split(".")
    if not all(part.isdecimal() and part.isascii() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return numbers


@pytest.mark.parametrize("seed", range(3))
def test_the_count_is_what_counting_one_by_one_gives(url, db, seed):
    dice = random.Random(seed)
    fleet = {
        f"P{n}": (
            dice.choice(["L1", "L2", "L3", None]),
            dice.choice(FIRMWARES),
            dice.choice(["Ada", "Bob", "Cleo", None]),
        )
        for n in range(60)
    }
    add_units(db, *((serial, lot, firmware) for serial, (lot, firmware, _) in fleet.items()))
    db.execute("UPDATE unit SET firmware = '' WHERE serial = ANY(%s)", [[s for s, f in fleet.items() if f[1] == ""]])
    add_owners(db, {serial: owner for serial, (_, _, owner) in fleet.items() if owner})
    confirm(db, "Ada", "Bob")
    set_language(db, "de", "Cleo")
    db.execute("INSERT INTO suppression VALUES ('bob@example.org', now(), 'asked')")
    db.execute(
        "INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at)"
        " VALUES ('x', %s, 'token', 'x', 'ios', now())",
        [person(db, "Ada")],
    )
    languages = {"Ada": "en", "Bob": "en", "Cleo": "de"}
    lots, serials = dice.sample(["L1", "L2", "L9"], 2), dice.sample(sorted(fleet), 20)
    below = dice.choice(["2.4", "2.4.0", "2.10", "3"])
    with office(url, db) as at:
        for audience, meant in [
            ({"by": "lots", "lots": lots}, lambda lot, _f, _s: lot in lots),
            ({"by": "serials", "serials": [*serials, "P-999"]}, lambda _l, _f, serial: serial in serials),
            (
                {"by": "firmware", "below": below},
                lambda _l, firmware, _s: version(firmware) is not None and version(firmware) < version(below),
            ),
        ]:
            for kind in ("recall", "update"):
                asked = {"product": "pump", "audience": audience, "supersedes": None, "kind": kind}
                found = response_body(at.paula.post("/api/campaigns/count", asked))
                owners = [owner for serial, (lot, firmware, owner) in fleet.items() if meant(lot, firmware, serial)]
                known = [owner for owner in owners if owner]
                mailed = {"Ada", "Bob", "Cleo"} if kind == "recall" else {"Ada"}
                by = audience["by"]
                assert found == {
                    "units": len(owners),
                    "registered": len(known),
                    "people": len(set(known)),
                    "by_email": sum(owner in mailed for owner in known),
                    "by_push": known.count("Ada"),
                    "feed_only": sum(owner not in mailed for owner in known),
                    "unregistered": len(owners) - len(known),
                    "cleared": 0,
                    "unknown_serials": ["P-999"] if by == "serials" else [],
                    "unknown_lots": [lot for lot in lots if lot == "L9"] if by == "lots" else [],
                    "unknown_firmware": sum(version(f) is None for _, f, _ in fleet.values())
                    if by == "firmware"
                    else 0,
                    "channels": ["email", "push"],
                    "languages": {
                        language: sum(languages[owner] == language for owner in set(known))
                        for language in {languages[owner] for owner in known}
                    },
                }, (audience, kind)


class TestTheList:
    def test_filters_let_through_what_they_say_and_states_are_counted(self, at):
        recall, update = at.draft(), at.draft(UPDATE)
        published = at.publish()

        def listed(**asked):
            answer = at.paula.client.get("/api/campaigns", params=asked).json()
            return [each["id"] for each in answer["campaigns"]], {name: n for name, n in answer["counts"].items() if n}

        every = [published["id"], update["id"], recall["id"]]
        assert listed() == (every, {"draft": 2, "published": 1})
        assert listed(kind="update") == ([update["id"]], {"draft": 1})
        assert listed(state="published") == ([published["id"]], {"draft": 2, "published": 1})
        assert listed(words=recall["number"].lower()) == ([recall["id"]], {"draft": 1})
        assert listed(words="100%") == ([], {})
        assert listed(product="fan") == ([], {})
        first = at.paula.get("/api/campaigns?limit=2").json()
        rest = at.paula.get(f"/api/campaigns?limit=2&after={first['next']}").json()
        assert [each["id"] for each in first["campaigns"] + rest["campaigns"]] == every
        saved = at.paula.get("/api/campaigns.csv?kind=recall").text.splitlines()
        assert [line.split(",")[0] for line in saved[1:]] == [published["id"], recall["id"]]
