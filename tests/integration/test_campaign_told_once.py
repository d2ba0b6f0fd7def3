"""Nobody is told twice of a campaign, and nobody is missed: not by a crash, nor who comes later."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from gateway.cli import events as failed_events
from gateway.config import Settings
from gateway.events import unread_events
from gateway.roles.worker import Worker
from gateway.store import Database, OperationalError, UniqueViolation, connect
from tests.dsl.campaigns import CHANNELS, Office, browser_of, pump_office, register, response_body, serials
from tests.factories.campaigns import RECALL, add_owners, add_units, column_values, person, set_language

DAY = timedelta(days=1)
TITLE = RECALL["title"]["en"]
NOBODY = ("drop", "nobody is registered as the owner of this unit")


@pytest.fixture
def at(url, db) -> Iterator[Office]:
    with pump_office(url, db) as opened:
        yield opened


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
