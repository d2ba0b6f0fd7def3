"""From an approved campaign to its owners: told with the reason, by a frozen audience, and counted."""

from collections.abc import Iterator

import pytest

from tests.dsl.campaigns import Office, browser_of, pump_office, response_body, serials
from tests.dsl.reasons import in_words
from tests.factories.campaigns import RECALL, UPDATE, add_owners, add_units, column_values, person, set_language

TITLE = RECALL["title"]["en"]
NOBODY = ("drop", "nobody is registered as the owner of this unit")
TOLD = ("pass", "nothing spoke against it")


@pytest.fixture
def at(url, db) -> Iterator[Office]:
    with pump_office(url, db) as opened:
        yield opened


class TestTelling:
    def test_owners_are_told_and_who_is_not_is_explained(self, at):
        campaign = at.publish()
        assert at.progress(campaign) == {
            "units": 3, "registered": 2, "unregistered": 1, "notified": 0, "seen": 0, "acknowledged": 0, "closed": 0,
            "pending": 3,
        }  # fmt: skip
        assert at.notices() == []
        at.work()
        assert at.notices() == [
            (campaign["number"], serial, name, "open") for serial, name in [("P1", "Ada"), ("P2", "Bob")]
        ]
        assert at.ledger() == [("P1", *TOLD), ("P2", *TOLD), ("P3", *NOBODY)]
        assert at.progress(campaign)["pending"] == 0
        (steps,) = column_values(at.db, "SELECT steps FROM ledger WHERE person_id IS NOT NULL ORDER BY id LIMIT 1")
        assert [(step["stage"], in_words(step["reason"])) for step in steps] == [
            ("address", "owner since 1 Jan 2024"),
            ("merge", "not told yet in their time of owning it"),
            ("rate", "safety is told at once"),
        ]

    def test_a_recall_goes_out_on_every_channel_at_once_also_where_mail_was_stopped(self, at):
        at.db.execute("INSERT INTO suppression VALUES ('ada@example.org', now(), 'asked')")
        at.publish(audience=serials("P1"))
        at.work()
        assert at.outbox() == [("email", "waiting"), ("push", "waiting")]
        due = column_values(
            at.db,
            "SELECT DISTINCT severity, due_at <= %s FROM outbox JOIN notice n ON n.id = notice_id",
            [at.world.now()],
        )
        assert due == [("safety", True)]

    def test_an_update_goes_out_on_the_preferred_network_and_waits_its_turn(self, at):
        at.publish(UPDATE)
        at.worker = at.new_worker(notices_per_hour=1)
        more = {"by": "firmware", "below": "2.3.1"}
        at.work()
        assert (at.outbox(), at.held()) == ([("email", "waiting")] * 3, [False] * 3)
        at.publish(UPDATE, more)
        at.work()
        assert (at.outbox()[3:], at.held()[3:]) == ([("email", "waiting")] * 3, [True] * 3)
        assert at.ledger()[-1][1:] == ("hold", "1 notices in the last hour are enough")

    def test_each_is_told_in_his_language_and_knows_why(self, at):
        set_language(at.db, "de", "Bob")
        campaign = at.publish()
        at.work()
        ada, bob = (response_body(browser_of(at, name).get("/api/my/feed"))["pinned"][0] for name in ("Ada", "Bob"))
        assert (ada["title"], ada["body"], ada["action"]) == (TITLE, "The motor overheats.", "Unplug it now.")
        assert (bob["title"], bob["body"], bob["action"]) == (
            "Die Pumpe kann Feuer fangen", "Der Motor überhitzt.", "Ziehen Sie jetzt den Stecker.",
        )  # fmt: skip
        assert (ada["kind"], ada["severity"], ada["state"], ada["why"]) == ("recall", "safety", "open", None)
        assert bob["campaign"] == {
            "number": campaign["number"],
            "hazard": "Der Motor überhitzt.",
            "action": "unplug",
            "action_text": "Ziehen Sie jetzt den Stecker.",
            "steps": ["Ziehen Sie jetzt den Stecker."],
            "remedies": ["replacement", "refund"],
            "remedy_text": "Wir bringen eine neue.",
            "contact": {"phone": "0800 000", "email": None, "url": None},
            "changes_listed": [],
            "changes": None, "version": None, "reason": None, "replaces": None, "replaced_by": None,
            "matched": "Charge L1",
            "published_at": bob["campaign"]["published_at"],
            "told_because": "Ihnen gehört dieses Gerät seit 1. Jan. 2024",
            "sent_because": None,
        }  # fmt: skip
        assert ada["campaign"]["matched"] == "lot L1"
        assert ada["campaign"]["steps"] == [], "the action says it already"

    def test_every_event_names_the_campaign(self, at):
        campaign = at.publish(audience=serials("P1"))
        at.work()
        ada = browser_of(at, "Ada")
        (notice,) = response_body(ada.get("/api/my/feed"))["pinned"]
        response_body(ada.post(f"/api/my/notices/{notice['id']}/read"))
        response_body(ada.post(f"/api/my/notices/{notice['id']}/acknowledge"))
        at.db.execute("UPDATE ownership SET during = tstzrange(lower(during), now())")
        at.db.execute("UPDATE notice SET is_held = true")
        at.work()
        for kind in ("notice.told", "notice.read", "notice.acknowledged", "notice.skipped"):
            assert [told["campaign"] for told in at.events(kind)] == [campaign["id"]], kind
        assert at.events("campaign.published") == [
            {"campaign": campaign["id"], "number": campaign["number"], "title": TITLE, "kind": "recall", "units": 1}
        ]


class TestTheAudienceIsFrozen:
    def test_what_comes_or_changes_afterwards_is_not_in_it_and_what_leaves_stays(self, at):
        campaign = at.publish()
        add_units(at.db, ("P5", "L1", None), ("P4", "L1", None), ("P1", "L2", None))
        add_owners(at.db, {"P5": "Dora"})
        at.work()
        assert [unit["serial"] for unit in at.units(campaign)] == ["P1", "P2", "P3"]
        assert [serial for _, serial, _, _ in at.notices()] == ["P1", "P2"]
        assert at.units(campaign)[0]["matched"] == "lot L1", "as it was then"
        assert at.read(campaign)["units"] == 3

    def test_it_is_read_page_by_page(self, at):
        campaign = at.publish()
        path = f"/api/campaigns/{campaign['id']}/units?limit=2"
        first = response_body(at.paula.get(path))
        rest = response_body(at.paula.get(f"{path}&after={first['next']}"))
        assert [unit["serial"] for page in (first, rest) for unit in page["units"]] == ["P1", "P2", "P3"]
        assert rest["next"] is None


class TestCounting:
    def test_what_owners_do_is_counted_by_unit(self, at):
        campaign = at.publish()
        at.work()
        ada = browser_of(at, "Ada")
        (notice,) = response_body(ada.get("/api/my/feed"))["pinned"]
        assert response_body(ada.get("/api/my/feed"))["unread"] == 1
        assert response_body(ada.get("/api/my/units"))["units"][0]["state"] == "recalled"
        response_body(ada.post(f"/api/my/notices/{notice['id']}/read"))
        assert at.progress(campaign)["seen"] == at.progress(campaign)["notified"] == 1
        response_body(ada.post(f"/api/my/notices/{notice['id']}/acknowledge"))
        at.db.execute(
            "UPDATE outbox SET status = 'delivered' WHERE channel = 'email' AND notice_id ="
            " (SELECT id FROM notice WHERE person_id = %s)",
            [person(at.db, "Bob")],
        )
        assert at.progress(campaign) == {
            "units": 3, "registered": 2, "unregistered": 1, "notified": 2, "seen": 1, "acknowledged": 1, "closed": 0,
            "pending": 0,
        }  # fmt: skip
        channels = {each["channel"]: each for each in at.read(campaign)["progress"]["channels"]}
        assert list(channels) == ["feed", "email", "push"]
        assert channels["feed"] == {
            "channel": "feed", "sent": 2, "delivered": 2, "opened": 1, "waiting": 0, "unknown": 0, "failed": 0,
            "skipped": 0,
        }  # fmt: skip
        assert (channels["email"]["sent"], channels["email"]["delivered"], channels["email"]["waiting"]) == (2, 1, 1)
        feed = response_body(ada.get("/api/my/feed"))
        assert (feed["pinned"], [each["id"] for each in feed["notices"]]) == ([], [notice["id"]]), "it stands below now"
        assert response_body(ada.get("/api/my/units"))["units"][0]["state"] == "recalled", "it is not remedied"
        states = {unit["serial"]: unit["state"] for unit in response_body(at.paula.get("/api/units"))["units"]}
        assert {states[each["serial"]] for each in at.units(campaign)} == {"recalled"}, "to the staff also unowned ones"
        assert "recalled" not in {state for serial, state in states.items() if serial not in {"P1", "P2", "P3"}}
        first, second, third = at.units(campaign)
        assert [first[name] for name in ("registered", "notified", "seen", "acknowledged")] == [True] * 4
        assert [second[name] for name in ("registered", "notified", "seen", "acknowledged")] == [
            True,
            True,
            False,
            False,
        ]
        assert (third["registered"], third["told_at"]) == (False, None)

    def test_who_sold_it_counts_no_more(self, at):
        campaign = at.publish(audience=serials("P1"))
        at.work()
        ada = browser_of(at, "Ada")
        (notice,) = response_body(ada.get("/api/my/feed"))["pinned"]
        response_body(ada.post(f"/api/my/notices/{notice['id']}/acknowledge"))
        (unit,) = response_body(ada.get("/api/my/units"))["units"]
        ada.delete(f"/api/my/units/{unit['id']}")
        at.work()
        assert at.progress(campaign)["acknowledged"] == 0
        assert response_body(ada.get("/api/my/feed"))["notices"][0]["state"] == "resolved", "it is not theirs any more"

    def test_recalls_are_pinned_the_oldest_first(self, at):
        numbers = [at.publish(audience=serials("P1"))["number"] for _ in range(2)]
        at.work()
        feed = response_body(browser_of(at, "Ada").get("/api/my/feed?limit=1"))
        assert [notice["campaign"]["number"] for notice in feed["pinned"]] == numbers
        assert (feed["notices"], feed["unread"]) == ([], 2)


def test_a_recall_is_one_line_among_the_notices_and_counts_its_units(at):
    """However many it tells, it pushes no alarm out of the list."""
    campaign = at.publish()
    at.work()
    answer = at.paula.get("/api/notices").json()
    (line,) = answer["notices"]
    assert (line["id"], line["number"], line["title"]) == (campaign["id"], campaign["number"], TITLE)
    assert (line["kind"], line["state"], line["units"], line["person"]) == ("recall", "open", 3, None)
    assert {name: count["count"] for name, count in answer["counts"].items()} == {
        "open": 0, "over": 0, "campaigns": 1,
    }  # fmt: skip
    for asked, lines in (("kind=recall", 1), ("kind=alarm", 0), ("state=over", 0), (f"words={line['number']}", 1)):
        assert len(at.paula.get(f"/api/notices?{asked}").json()["notices"]) == lines, asked
    notice = at.db.execute("SELECT public_id FROM notice LIMIT 1").fetchone()["public_id"]
    record = at.paula.get(f"/api/notices/{notice}").json()
    assert (record["campaign_id"], record["title"], record["person"]) == (campaign["id"], TITLE, "Ada")
    assert [step["step"] for step in record["trail"] if step["channel"] == "feed"] == ["told"]
    assert [line["outcome"] for line in record["ledger"]] == ["pass"]
