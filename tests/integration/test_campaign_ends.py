"""How a campaign ends: replaced by another, taken back, or closed unit by unit."""

import threading
from collections.abc import Iterator

import pytest

from gateway import flow
from gateway.api.stream.filters import events_of_person, with_owners
from gateway.campaigns.tell import tell_due
from gateway.campaigns.withdrawn import tell_withdrawn
from gateway.config import Settings
from gateway.core.reason import Reason
from gateway.events import Position, read
from gateway.notify.model import Policy
from tests.dsl.campaigns import Office, browser_of, pump_office, register, response_body, serials
from tests.dsl.reasons import in_words
from tests.dsl.wait import until
from tests.factories.campaigns import RECALL, UPDATE, WITHDRAWAL, add_owners, column_values, person

LOTS = {"by": "lots", "lots": ["L1"]}


@pytest.fixture
def at(url, db) -> Iterator[Office]:
    with pump_office(url, db) as opened:
        yield opened


class TestSuperseding:
    def test_the_same_people_are_told_and_the_old_notice_says_by_what(self, at):
        old = at.publish()
        at.work()
        (first,) = response_body(browser_of(at, "Ada").get("/api/my/feed"))["pinned"]
        new = at.publish(RECALL, serials("P1", "P4"), old["id"], title={"en": "Worse than thought"})
        assert at.read(old)["state"] == "superseded"
        assert at.read(old)["successor"]["number"] == new["number"]
        assert new["supersedes"]["number"] == old["number"]
        at.work()
        assert at.notices() == [
            (old["number"], "P1", "Ada", "withdrawn"),
            (old["number"], "P2", "Bob", "withdrawn"),
            (new["number"], "P1", "Ada", "open"),
            (new["number"], "P2", "Bob", "open"),
            (new["number"], "P4", "Cleo", "open"),
        ]
        feed = response_body(browser_of(at, "Ada").get("/api/my/feed"))
        assert [(each["title"], each["campaign"]["replaces"]) for each in feed["pinned"]] == [
            ("Worse than thought", old["number"])
        ]
        (gone,) = feed["notices"]
        assert (gone["id"], gone["state"], gone["campaign"]["replaced_by"]) == (first["id"], "withdrawn", new["number"])
        assert [told["replaced_by"] for told in at.events("notice.withdrawn")] == [new["number"]] * 2
        assert at.events("campaign.superseded")[0]["by"] == new["number"]
        heard = with_owners(at.db, read(at.db, Position(), 1_000))
        for name, notices in (("Ada", 1), ("Bob", 1), ("Cleo", 0)):
            wants = events_of_person(person(at.db, name))
            own = [each.event.kind for each in heard if wants(each)]
            assert own.count("notice.withdrawn") == notices, name
            assert not [kind for kind in own if kind.startswith("campaign.")]

    def test_an_approval_writes_no_event_of_a_notice_and_the_worker_writes_each_once_in_turns(self, at):
        """A million open notices must neither stand in the memory of an approval nor before the next alarm."""
        old = at.publish()
        at.work()
        at.publish(WITHDRAWAL, None, old["id"])
        assert [state for *_, state in at.notices()] == ["withdrawn"] * 2, "the owners' pages are right at once"
        assert at.events("notice.withdrawn") == []
        one_a_turn = at.new_worker(notify_batch=1)
        one_a_turn.turn()
        assert len(at.events("notice.withdrawn")) == 1
        with at.database.transaction() as other:
            assert tell_withdrawn(other, 10) == 1
            with at.database.transaction() as second:
                assert tell_withdrawn(second, 10) == 0, "what another worker tells is not told twice"
        at.work()
        first, last = at.events("notice.withdrawn")
        assert first["notice"] != last["notice"]
        assert set(first) == set(last) == {"notice", "campaign", "replaced_by"}

    def test_who_is_not_meant_any_more_is_told_so_where_he_was_told_before(self, at):
        """Bob was told of P2; of P3 nobody was; and P3 finds an owner later, who has nothing to be taken back."""
        old = at.publish()
        at.work()
        new = at.publish(RECALL, serials("P1"), old["id"])
        assert at.draft(RECALL, serials("P1"), new["id"])["count"]["cleared"] == 2, "they are not told of it yet"
        at.work()
        assert at.draft(RECALL, serials("P1"), new["id"])["count"]["cleared"] == 0
        response_body(register(at, "Dora", "P3"), 201)
        at.work()
        assert [serial for _, serial, _, _ in at.notices()[2:]] == ["P1", "P2"]
        bob = browser_of(at, "Bob")
        feed = response_body(bob.get("/api/my/feed"))
        assert feed["pinned"] == []
        clear = next(notice for notice in feed["notices"] if notice["state"] == "open")
        assert (clear["kind"], clear["severity"], clear["title"]) == (
            "withdrawal", "safety", f"Your Pump is no longer part of recall {old['number']}",
        )  # fmt: skip
        assert (
            clear["campaign"]["reason"]
            == f"{new['number']} replaces {old['number']}, and it does not concern your unit."
        )
        assert response_body(bob.get("/api/my/units"))["units"][0]["state"] == "unknown"
        assert [(unit["serial"], unit["standing"]) for unit in at.units(new)] == [
            ("P1", "affected"), ("P2", "cleared"), ("P3", "cleared"),
        ]  # fmt: skip
        assert [unit["serial"] for unit in at.units(new, standing="cleared")] == ["P2", "P3"]
        assert response_body(bob.post(f"/api/my/notices/{clear['id']}/read"))["state"] == "resolved", (
            "there is nothing to do"
        )

    def test_who_was_told_by_the_one_before_the_last_is_not_forgotten(self, at):
        """The worker had not looked when the second one came, and the third one takes everything back."""
        first = at.publish()
        at.work()
        second = at.publish(RECALL, serials("P1"), first["id"])
        third = at.publish(WITHDRAWAL, None, second["id"])
        at.work()
        assert sorted(at.notices()[2:]) == [
            (third["number"], "P1", "Ada", "open"),
            (third["number"], "P2", "Bob", "open"),
        ]

    def test_a_mail_of_the_old_one_that_waits_is_not_sent(self, at):
        old = at.publish(audience=serials("P1"))
        at.work()
        at.publish(RECALL, serials("P1"), old["id"])
        claimed = []
        for channel in ("email", "push"):
            with at.database.transaction() as tx:
                claimed += at.worker.senders.outbox.claim(tx, channel, at.world.now(), 100)
        assert claimed == []
        rows = column_values(at.db, "SELECT channel, status, reason FROM outbox ORDER BY id")
        assert [(channel, status, in_words(reason)) for channel, status, reason in rows] == [
            (channel, "skipped", "replaced or withdrawn before it was due") for channel in ("email", "push")
        ]

    def test_only_what_is_published_is_superseded_and_only_once(self, at):
        old = at.publish()
        drafts = [at.draft(RECALL, LOTS, old["id"]) for _ in range(2)]
        response_body(at.approve(drafts[0]))
        answer = at.approve(drafts[1])
        assert answer.status_code == 422
        assert answer.json()["problems"] == [
            "supersedes: What it takes the place of is not published any more, it is superseded."
        ]

    def test_it_waits_for_the_batch_that_is_being_told(self, at):
        """Else a notice that is not committed yet would stay open for ever."""
        old = at.publish(audience=serials("P1"))
        draft = at.draft(RECALL, serials("P1"), old["id"])
        answers = []
        settings = Settings()
        policy = Policy(settings.merge_window, settings.notices_per_hour, ("email",), settings.follow_up_after)
        with at.database.transaction() as worker:
            assert tell_due(worker, at.world.now(), 10, policy, flow.NOTICE) == 1
            thread = threading.Thread(target=lambda: answers.append(at.approve(draft)))
            thread.start()
            waits = "SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            until(lambda: answers or at.db.execute(waits).rowcount)
            assert answers == []
        thread.join(20)
        response_body(answers[0])
        assert column_values(at.db, "SELECT state FROM notice") == ["withdrawn"]


class TestWithdrawing:
    def test_everybody_who_was_told_is_told_on_the_same_channels(self, at):
        recall = at.publish()
        at.work()
        draft = at.draft(WITHDRAWAL, None, recall["id"])
        assert (draft["number"][:1], draft["count"]["units"], draft["count"]["cleared"]) == ("W", 3, 3)
        end = response_body(at.approve(draft, 3))
        at.work()
        assert at.notices()[2:] == [
            (end["number"], "P1", "Ada", "open"),
            (end["number"], "P2", "Bob", "open"),
        ]
        assert at.outbox()[4:] == [("email", "waiting"), ("push", "waiting")] * 2
        assert at.read(recall)["state"] == "withdrawn"
        feed = response_body(browser_of(at, "Ada").get("/api/my/feed"))
        assert feed["pinned"] == []
        assert [(each["kind"], each["state"], each["body"]) for each in feed["notices"]] == [
            ("withdrawal", "open", "Our test was wrong."),
            ("recall", "withdrawn", "The motor overheats."),
        ]
        assert at.progress(end) | {"pending": 0} == {
            "units": 3, "registered": 2, "unregistered": 1, "notified": 0, "seen": 0, "acknowledged": 0, "closed": 0,
            "pending": 0,
        }  # fmt: skip
        assert at.draft(WITHDRAWAL, None, recall["id"])["checks"][0]["field"] == "supersedes"

    def test_who_had_not_been_told_yet_hears_nothing_at_all(self, at):
        recall = at.publish()
        at.publish(WITHDRAWAL, None, recall["id"])
        at.work()
        assert at.notices() == []
        assert ("P1", "drop", f"was not told of {recall['number']}, so there is nothing to take back") in at.ledger()

    def test_who_sold_the_unit_is_not_told_and_the_buyer_neither(self, at):
        recall = at.publish(audience=serials("P1"))
        at.work()
        add_owners(at.db, {"P1": "Dora"}, since=at.world.now())
        at.publish(WITHDRAWAL, None, recall["id"])
        at.work()
        assert [name for _, _, name, _ in at.notices()] == ["Ada"]


class TestUpdates:
    def test_it_closes_when_the_device_reports_the_version(self, at):
        campaign = at.publish(UPDATE)
        at.work()
        assert at.progress(campaign)["units"] == 4
        ada = browser_of(at, "Ada")
        assert response_body(ada.get("/api/my/units"))["units"][0]["state"] == "update"
        at.report_firmware("P1", "2.3.9")
        at.report_firmware("P2", "2.4")
        at.work()
        assert [(serial, state) for _, serial, _, state in at.notices()] == [
            ("P1", "open"), ("P2", "resolved"), ("P4", "open"),
        ]  # fmt: skip
        at.report_firmware("P1", "2.10")
        at.report_firmware("P2", "2.3")  # it went back, and stays closed
        at.work()
        assert [state for _, _, _, state in at.notices()] == ["resolved", "resolved", "open"]
        assert at.progress(campaign)["closed"] == 2
        assert [told["campaign"] for told in at.events("notice.resolved")] == [campaign["id"]] * 2
        assert response_body(ada.get("/api/my/units"))["units"][0]["state"] == "unknown"
        (notice,) = response_body(ada.get("/api/my/feed"))["notices"]
        assert (notice["campaign"]["version"], notice["campaign"]["changes_listed"]) == ("2.4", ["It starts softly."])

    def test_a_unit_that_has_it_when_the_worker_looks_is_closed_and_not_told(self, at):
        campaign = at.publish(UPDATE)
        at.db.execute("UPDATE unit SET firmware = '2.4' WHERE serial = 'P1'")
        at.work()
        assert [serial for _, serial, _, _ in at.notices()] == ["P2", "P4"]
        assert at.units(campaign)[0]["closed_at"] is not None

    def test_a_delivery_that_waits_is_not_sent_when_the_unit_has_it(self, at):
        at.publish(UPDATE)
        at.work()
        at.report_firmware("P1", "2.4")
        at.work()
        with at.database.transaction() as tx:
            sent = at.worker.senders.outbox.claim(tx, "email", at.world.now(), 100)
        assert {claimed.delivery.serial for claimed in sent} == {"P2", "P4"}
        skipped = ("skipped", Reason.of("updated-before"))
        assert skipped in column_values(at.db, "SELECT status, reason FROM outbox")

    def test_a_recall_does_not_close_by_that(self, at):
        campaign = at.publish(audience={"by": "firmware", "below": "2.4"})
        at.work()
        at.report_firmware("P1", "2.4")
        at.work()
        assert at.progress(campaign)["closed"] == 0

    def test_safety_is_told_before_an_update_that_came_first(self, at):
        at.publish(UPDATE)
        recall = at.publish()
        at.worker = at.new_worker(notify_batch=2)
        at.worker.turn()
        assert {number for number, _, _, _ in at.notices()} == {recall["number"]}
