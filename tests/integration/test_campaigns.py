"""From an approved campaign to its owners: frozen, told once, taken back, closed, and counted."""

import threading
from datetime import timedelta

import pytest

from gateway import flow
from gateway.api.stream.filters import events_of_person, with_owners
from gateway.campaigns.tell import tell_due
from gateway.campaigns.withdrawn import tell_withdrawn
from gateway.cli import events as failed_events
from gateway.config import Settings
from gateway.core.reason import Reason
from gateway.events import Position, read, unread_events
from gateway.notify.model import Policy
from gateway.roles.worker import Worker
from gateway.store import Database, OperationalError, UniqueViolation, connect
from tests.dsl.campaigns import CHANNELS, Office, office, response_body
from tests.dsl.owners import CODE
from tests.dsl.reasons import in_words
from tests.dsl.wait import until
from tests.factories.campaigns import (
    RECALL,
    UPDATE,
    WITHDRAWAL,
    add_owners,
    add_units,
    column_values,
    confirm,
    person,
    set_language,
)

DAY = timedelta(days=1)
TITLE = RECALL["title"]["en"]
NOBODY = ("drop", "nobody is registered as the owner of this unit")
TOLD = ("pass", "nothing spoke against it")
LOTS = {"by": "lots", "lots": ["L1"]}


def serials(*named):
    return {"by": "serials", "serials": list(named)}


@pytest.fixture
def at(url, db) -> Office:
    """P1 is Ada's and P2 Bob's, P3 nobody's: all of lot L1. P4 is Cleo's, of lot L2."""
    add_units(db, ("P1", "L1", "2.3"), ("P2", "L1", "2.3"), ("P3", "L1", "2.3"), ("P4", "L2", "2.3"), code=CODE)
    add_owners(db, {"P1": "Ada", "P2": "Bob", "P4": "Cleo"})
    confirm(db, "Ada", "Bob", "Cleo")
    with office(url, db) as opened:
        yield opened


def browser_of(at, name):
    """The owner, signed in."""
    return at.world.as_("customer", f"{name.lower()}@example.org")


def register(at, name, serial):
    return at.world.as_("customer", f"{name.lower()}@example.org").post(
        "/api/my/units", {"serial": serial, "code": CODE}
    )


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


class TestNobodyIsToldTwice:
    def test_the_worker_that_starts_again(self, at):
        at.publish()
        at.work()
        at.db.execute("UPDATE campaign_unit SET due_at = now() - interval '1 day'")  # as if it had not been looked at
        at.work(at.new_worker())
        assert [serial for _, serial, _, _ in at.notices()] == ["P1", "P2"]
        assert at.ledger()[3:5] == [("P1", "drop", "told already"), ("P2", "drop", "told already")]
        assert at.outbox() == [("email", "waiting"), ("push", "waiting")] * 2

    def test_a_worker_that_is_cut_off_in_the_middle_has_done_nothing_and_another_does_all(self, at, monkeypatch):
        at.publish()
        with monkeypatch.context() as broken:
            broken.setattr("gateway.notify.stages.record.append_each", _cut)
            with pytest.raises(OperationalError):
                at.worker.turn()
        assert at.notices() == at.ledger() == at.outbox() == []
        at.work(at.new_worker())
        assert [serial for _, serial, _, _ in at.notices()] == ["P1", "P2"]

    def test_two_workers_at_once(self, at):
        names = {f"N{n}": f"Owner{n}" for n in range(60)}
        add_units(at.db, *((serial, "L1", None) for serial in names))
        add_owners(at.db, names)
        at.work()
        campaign = at.publish()
        workers = [at.new_worker(notify_batch=7) for _ in range(2)]
        threads = [threading.Thread(target=at.work, args=[worker]) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(serial for _, serial, _, _ in at.notices()) == sorted(["P1", "P2", *names])
        assert len(at.ledger()) == 63
        assert at.progress(campaign)["pending"] == 0

    def test_the_database_would_refuse_it(self, at):
        at.publish()
        at.work()
        with pytest.raises(UniqueViolation, match="notice_campaign_once"):
            at.db.execute(
                "INSERT INTO notice (public_id, person_id, unit_id, campaign_id, kind, owned_since, severity, state,"
                " text, why, created_at, updated_at) SELECT 'again', person_id, unit_id, campaign_id, kind,"
                " owned_since, severity, state, text, why, created_at, updated_at FROM notice"
            )

    def test_a_unit_that_cannot_be_told_is_said_in_the_log_holds_up_nobody_and_is_tried_again(self, at, monkeypatch):
        campaign = at.publish()
        with monkeypatch.context() as broken:
            broken.setattr("gateway.notify.stages.record.why", _breaks_for_german)
            set_language(at.db, "de", "Ada")
            for pause in (0, 1, 2, 4, 8):
                at.later(timedelta(minutes=pause))
                at.work()
        assert [name for _, _, name, _ in at.notices()] == ["Bob"]
        (told,) = at.events("event.unhandled")
        assert told == {"of": campaign["number"], "campaign": campaign["id"], "error": "RuntimeError"}
        assert column_values(at.db, "SELECT max(tries) FROM campaign_unit") == [5], "each pause is twice the one before"
        at.later(timedelta(minutes=16))
        at.work()
        assert [name for _, _, name, _ in at.notices()] == ["Bob", "Ada"]
        assert column_values(at.db, "SELECT max(tries) FROM campaign_unit") == [0]

    def test_who_could_not_be_told_is_listed_and_is_told_when_the_staff_ask_for_it(self, at, url, monkeypatch):
        campaign = at.publish()
        with monkeypatch.context() as broken:
            broken.setattr("gateway.notify.stages.record.why", _breaks_for_german)
            set_language(at.db, "de", "Ada")
            at.work()
        support = at.world.as_("support")
        (failure,) = response_body(support.get("/api/failures-to-tell"))["failures"]
        unit = column_values(at.db, "SELECT public_id FROM unit WHERE printed = 'P1'")[0]
        assert (failure["kind"], failure["campaign"], failure["unit"]) == ("unit", campaign["number"], unit)
        (line,) = failed_events.untold_lines(url, 20)
        assert line.startswith(f"campaign {campaign['number']} unit {unit}  1 tries, next ")
        assert response_body(support.post("/api/failures-to-tell/retry", {}), 202) == {"asked": 1}
        at.work()
        assert [name for _, _, name, _ in at.notices()] == ["Bob", "Ada"]
        assert failed_events.untold_lines(url, 20) == ["There is nothing that could not be told."]
        assert failed_events.retry_untold(url, at.world.now)[0].startswith("0 will be tried again")


def _cut(tx, *_args, **_more):
    """The connection breaks before the notice is told in the log."""
    tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _breaks_for_german(subject, owner):
    if owner.language == "de":
        raise RuntimeError("no words")
    return {"matched": subject.matched, "owned_since": owner.since.isoformat()}


class TestWhoComesLater:
    def test_who_registers_an_affected_unit_is_told_at_once(self, at):
        campaign = at.publish()
        at.work()
        response_body(register(at, "Dora", "P3"), 201)
        at.work()
        assert at.notices()[2:] == [(campaign["number"], "P3", "A customer", "open")]
        dora = browser_of(at, "Dora")
        assert [notice["title"] for notice in response_body(dora.get("/api/my/feed"))["pinned"]] == [TITLE]
        assert at.progress(campaign)["registered"] == 3

    def test_who_gives_it_up_and_takes_it_again_is_told_again_once(self, at):
        at.publish()
        response_body(register(at, "Dora", "P3"), 201)
        at.work()
        for _ in range(2):
            (unit,) = response_body(browser_of(at, "Dora").get("/api/my/units"))["units"]
            assert browser_of(at, "Dora").delete(f"/api/my/units/{unit['id']}").status_code == 204
            response_body(register(at, "Dora", "P3"), 201)
            at.work()
        assert [serial for _, serial, _, _ in at.notices()] == ["P1", "P2", "P3", "P3", "P3"]
        at.db.execute("UPDATE campaign_unit SET due_at = now()")
        at.work()
        assert len(at.notices()) == 5

    def test_who_registers_while_the_worker_looks_is_told_when_his_claim_is_in_the_log(self, at):
        """The worker saw no owner; the claim was committed behind its back."""
        at.publish()
        with at.database.transaction() as claiming:
            claiming.execute("SELECT pg_current_xact_id()")
            at.work()
            assert ("P3", *NOBODY) in at.ledger()
            claiming.execute(
                "INSERT INTO ownership (unit_id, person_id, during) SELECT id, %s, tstzrange(now(), NULL) FROM unit"
                " WHERE serial = 'P3'",
                [person(at.db, "Cleo")],
            )
            claiming.execute(
                "INSERT INTO event (kind, actor, unit_id, person_id, data)"
                " SELECT 'unit.claimed', 'x', id, %s, '{}' FROM unit WHERE serial = 'P3'",
                [person(at.db, "Cleo")],
            )
            at.work()
            assert len(at.notices()) == 2
        at.work()
        assert [(serial, name) for _, serial, name, _ in at.notices()[2:]] == [("P3", "Cleo")]

    def test_events_behind_a_claim_do_not_wait_for_an_approval_that_is_open_and_the_claim_is_told_later(self, at, url):
        """Whoever replaces a campaign holds it; an alarm that comes meanwhile stands behind the claim in the log."""
        at.publish()
        at.work()
        add_owners(at.db, {"P3": "Dora"})
        at.db.execute(
            "INSERT INTO event (kind, actor, unit_id, person_id, data)"
            " SELECT 'unit.claimed', 'x', id, %s, '{}' FROM unit WHERE serial = 'P3'",
            [person(at.db, "Dora")],
        )
        at.report_firmware("P4", "2.4")
        with connect(url) as approval, Database(url, "test", lock_wait=timedelta(milliseconds=50)) as impatient:
            approval.execute("BEGIN")
            approval.execute("SELECT FROM campaign FOR UPDATE")
            Worker(Settings(**CHANNELS), impatient, at.world.now).turn()
            assert unread_events(at.db, "notify").count == 0
            assert len(at.notices()) == 2
            approval.execute("ROLLBACK")
        at.later(timedelta(minutes=2))
        at.work()
        assert [(serial, name) for _, serial, name, _ in at.notices()[2:]] == [("P3", "Dora")]

    def test_an_imported_owner_is_told_and_one_of_the_future_when_his_time_comes(self, at):
        at.publish()
        at.work()
        add_owners(at.db, {"P3": "Dora"}, since=at.world.now())
        add_owners(at.db, {"P1": "Emil"}, since=at.world.now() + DAY)
        at.work()
        assert [(serial, name) for _, serial, name, _ in at.notices()[2:]] == [("P3", "Dora")]
        at.later(DAY + timedelta(minutes=1))
        at.work()
        assert [(serial, name) for _, serial, name, _ in at.notices()[3:]] == [("P1", "Emil")]

    def test_who_registers_a_unit_that_is_not_meant_is_told_nothing(self, at):
        at.publish(audience=serials("P1"))
        at.work()
        response_body(register(at, "Dora", "P3"), 201)
        at.work()
        assert len(at.notices()) == 1


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
