"""Many at once: the gravest first, what breaks alone, and small campaigns beside large ones."""

import json
import threading
import tracemalloc
from datetime import timedelta

import pytest

from bench import fanout
from bench.campaign import draft_of, make_fleet, publish_recall
from bench.storm import counted_statements
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.events import append_all
from gateway.notify.stages import record
from gateway.notify.text import notice_text
from gateway.roles.worker import Worker
from tests.dsl.campaigns import CHANNELS, office
from tests.dsl.story import MINUTE, SERIALS, Story
from tests.dsl.wait import until
from tests.factories.campaigns import UPDATE, add_owners, add_units, column_values


@pytest.fixture
def story(story):
    """With ownerships looked at: their alarms are told apart from the events of alarms."""
    story.work()
    return story


def worker_of(story: Story, **settings: object) -> Worker:
    return Worker(Settings(**settings), story.database, lambda: story.now)


def told_severities(story: Story) -> list[object]:
    return story.column("SELECT severity FROM notice ORDER BY id")


class TestAStormOfAlarms:
    def test_is_told_in_order_of_severity_and_safety_behind_it_does_not_wait(self, story):
        """Three alarms a turn; the safety alarm is the last of twenty-two in the log."""
        story.raise_(*SERIALS[:20])
        story.raise_("P21")
        story.raise_("P22")
        for serial, severity in (("P20", "info"), ("P21", "critical"), ("P22", "safety")):
            story.db.execute("UPDATE alarm SET severity = %s WHERE unit_id = %s", [severity, story.units[serial]])
        worker = worker_of(story, notify_batch=3, notices_per_hour=100)
        worker.turn()
        assert told_severities(story) == ["safety", "critical", "warning"]
        while worker.turn():
            pass
        assert told_severities(story) == ["safety", "critical", *["warning"] * 19, "info"]
        assert len(story.ledger()) == 22

    def test_a_safety_alarm_that_is_raised_while_others_wait_is_told_in_the_next_turn(self, story):
        story.raise_(*SERIALS[:20])
        worker = worker_of(story, notify_batch=3)
        worker.turn()
        story.raise_("P21")
        story.db.execute("UPDATE alarm SET severity = 'safety' WHERE unit_id = %s", [story.units["P21"]])
        worker.turn()
        assert told_severities(story) == [*["warning"] * 3, "safety", *["warning"] * 2]

    def test_does_not_wait_for_the_steps_of_campaigns(self, story, monkeypatch):
        worker = worker_of(story, wakeup_fallback="20ms")
        in_a_step, stop, go_on = threading.Event(), threading.Event(), threading.Event()

        def long_step() -> int:
            in_a_step.set()
            go_on.wait(30)
            return 0

        monkeypatch.setattr(worker, "do_steps", long_step)
        thread = threading.Thread(target=worker.run, args=[stop])
        thread.start()
        try:
            assert in_a_step.wait(20)
            story.raise_("P1")
            until(lambda: told_severities(story) == ["warning"])
        finally:
            stop.set()
            go_on.set()
            thread.join(20)
        assert not thread.is_alive()

    def test_one_that_breaks_is_alone_and_all_others_are_told_in_the_same_turn(self, story, monkeypatch):
        def text_or_fail(alarm, owner):
            if alarm.serial == "P7":
                raise LookupError("no words")
            return notice_text(alarm, owner)

        with monkeypatch.context() as broken:
            broken.setattr(record, "notice_text", text_or_fail)
            story.raise_(*SERIALS[:20])
            worker_of(story).turn()
        serials = story.column("SELECT u.serial FROM notice n JOIN unit u ON u.id = n.unit_id")
        assert sorted(serials) == sorted(set(SERIALS[:20]) - {"P7"})
        assert story.column("SELECT error FROM event_dead_letter") == ["LookupError: no words"]
        assert story.column("SELECT count(*) FROM event WHERE kind = 'event.unhandled'") == [1]
        story.later(2 * MINUTE)
        story.work()
        assert len(story.notices()) == 20
        assert story.column("SELECT count(*) FROM event_dead_letter") == [0]

    def test_a_sensor_that_flapped_before_the_worker_came_is_one_notice_that_counts(self, story):
        for _ in range(4):
            onset = story.raise_("P1")
            story.later(MINUTE)
            story.clear("P1", onset)
            story.later(MINUTE)
        story.raise_("P1")
        story.work()
        assert (story.notices(), story.feed()) == ([("open", 5)], ["told"])
        assert [outcome for outcome, _ in story.ledger()] == ["pass", *["drop"] * 4]
        assert story.events().count("notice.told") == 1

    def test_what_one_set_tells_a_person_before_counts_for_the_rest_of_it(self, story):
        story.raise_(*SERIALS[:20])
        worker_of(story, notices_per_hour=5).turn()
        assert story.feed() == ["told"] * 5 + ["held"] * 15


@pytest.fixture
def at(url, db):
    names = {f"P{n}": f"Owner{n}" for n in range(30)}
    add_units(db, *((serial, "L1", "2.3") for serial in names), ("Q1", "L2", "2.3"), ("Q2", "L2", "2.3"))
    add_owners(db, names | {"Q1": "Ada", "Q2": "Bob"})
    with office(url, db) as opened:
        yield opened


class TestCampaigns:
    def test_a_small_recall_does_not_wait_for_a_large_one(self, at):
        large = at.publish()
        worker = at.new_worker(notify_batch=6)
        worker.turn()
        small = at.publish(audience={"by": "lots", "lots": ["L2"]})
        worker.turn()
        numbers = [number for number, *_ in at.notices()]
        assert numbers[:6] == [large["number"]] * 6
        assert sorted(numbers[6:]) == sorted([large["number"]] * 3 + [small["number"]] * 2)

    def test_its_text_is_stored_once_in_each_language_and_no_notice_has_a_copy(self, at):
        campaign = at.publish()
        at.work()
        assert column_values(at.db, "SELECT DISTINCT text FROM notice") == [None]
        kept = column_values(at.db, "SELECT kind, language, document->'text'->>'title' FROM campaign_text ORDER BY 2")
        assert kept == [
            ("recall", "de", "Die Pumpe kann Feuer fangen"),
            ("recall", "en", "The pump may catch fire"),
        ]
        assert column_values(at.db, "SELECT why - 'owned_since' FROM notice LIMIT 1") == [{"matched": "lot L1"}]
        assert len(at.events("notice.told")) == 30
        assert set(at.events("notice.told")[0]) == {"notice", "severity", "campaign"}
        assert at.events("notice.recorded") == []
        assert at.progress(campaign)["pending"] == 0

    def test_it_is_read_in_the_language_that_its_owner_has_now(self, at):
        at.publish()
        at.work()
        owner = at.world.as_("customer", "owner1@example.org")
        (notice,) = owner.get("/api/my/feed").json()["pinned"]
        assert notice["title"] == "The pump may catch fire"
        at.db.execute("UPDATE person SET language = 'de'")
        (notice,) = owner.get("/api/my/feed").json()["pinned"]
        assert (notice["title"], notice["campaign"]["matched"]) == ("Die Pumpe kann Feuer fangen", "Charge L1")

    def test_a_unit_that_breaks_is_alone_and_the_others_of_its_set_are_told(self, at, monkeypatch):
        def why_or_fail(subject, owner):
            if owner.name == "Owner7":
                raise LookupError("no words")
            return {"matched": subject.matched, "owned_since": owner.since.isoformat()}

        at.publish()
        with monkeypatch.context() as broken:
            broken.setattr(record, "why", why_or_fail)
            at.worker.turn()
        assert len(at.notices()) == 29
        assert column_values(at.db, "SELECT count(*) FROM campaign_unit WHERE tries > 0") == [1]
        at.later(timedelta(minutes=2))
        at.work()
        assert len({name for _, _, name, _ in at.notices()}) == len(at.notices()) == 30


def firmware_of_units(at, *serials: str) -> list[tuple[int, dict[str, str]]]:
    """Lets units have the firmware 2.4; returns the data of their events by unit."""
    query = "UPDATE unit SET firmware = '2.4' WHERE serial = ANY (%s) RETURNING id"
    return [(row["id"], {"firmware": "2.4", "before": "2.3"}) for row in at.db.execute(query, [list(serials)])]


class TestEventsOfUnits:
    def test_claims_and_reports_of_many_units_take_the_statements_of_one(self, at):
        at.publish()
        at.publish(UPDATE)
        at.work()
        counts = []
        for serials in (["P0"], [f"P{n}" for n in range(1, 30)]):
            reports = firmware_of_units(at, *serials)
            append_all(at.db, "unit.firmware_reported", reports, actor="test")
            append_all(at.db, "unit.claimed", [(unit_id, {}) for unit_id, _ in reports], actor="test")
            with counted_statements() as statements:
                assert at.worker.handle_events() >= 2 * len(serials)
            counts.append(len(statements))
        assert counts[0] == counts[1]
        of_kind = (
            "SELECT count(closed_at) AS closed, count(due_at) AS due"
            " FROM campaign_unit u JOIN campaign c ON c.id = u.campaign_id WHERE c.kind = "
        )
        assert column_values(at.db, f"{of_kind}'update'") == [(30, 0)]
        assert column_values(at.db, f"{of_kind}'recall'") == [(0, 30)]

    def test_a_report_closes_its_unit_only_in_the_updates_that_it_has_reached(self, at):
        """Two units, each with two updates: one reached the first of them, the other both."""
        early = at.publish(UPDATE)
        late = at.publish(UPDATE, audience={"by": "firmware", "below": "2.5"})
        at.work()
        for serial, firmware in (("P1", "2.4"), ("P2", "2.5")):
            at.report_firmware(serial, firmware)
        at.worker.handle_events()
        resolved = (
            "SELECT u.serial, c.number FROM notice n JOIN unit u ON u.id = n.unit_id"
            " JOIN campaign c ON c.id = n.campaign_id WHERE n.state = 'resolved' ORDER BY 1, 2"
        )
        numbers = sorted([early["number"], late["number"]])
        assert column_values(at.db, resolved) == [("P1", early["number"]), *(("P2", number) for number in numbers)]

    def test_one_that_breaks_is_alone_and_all_others_are_followed(self, at):
        at.publish(UPDATE)
        at.work()
        good = firmware_of_units(at, *(f"P{n}" for n in range(8)))
        (broken, _), *others = good
        append_all(at.db, "unit.firmware_reported", [(broken, {}), *others], actor="test")
        at.worker.handle_events()
        assert column_values(at.db, "SELECT count(*) FROM campaign_unit WHERE closed_at IS NOT NULL") == [7]
        assert column_values(at.db, "SELECT error FROM event_dead_letter") == ["KeyError: 'firmware'"]


def test_telling_ten_times_as_many_owners_takes_no_more_memory(db, database):
    make_fleet(db, units=1_200, owners=1_200)
    worker = Worker(Settings(**CHANNELS, notify_batch=40), database, system_clock)
    peaks = []
    tracemalloc.start()
    try:
        for lots in (1, 4, 40):  # of 24 owners each; the first time is for what is loaded and kept
            publish_recall(db, draft_of({"by": "lots", "lots": [f"L{number}" for number in range(lots)]}))
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            while worker.turn():
                pass
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert column_values(db, "SELECT count(*) FROM notice") == [45 * 24]
    assert peaks[2] < 1.5 * peaks[1]


def test_the_timing_of_a_fan_out_runs_and_its_counts_are_right(capsys):
    fanout.main(["--owners", "40", "--json"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    told = 4 + 40 + 10
    assert figures["rows"] == {"notice": told, "outbox": 2 * told, "ledger": told}
    assert figures["owners"] == 40
    assert min(figures[name] for name in ("told_s", "bare_s", "ratio", "other_first_s")) >= 0
    assert len(figures["max_rss_mb"]) == 2


def test_the_timing_of_a_storm_runs_and_tells_everybody(capsys):
    fanout.main(["--storm", "40", "--json"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["alarms"] == 40
    assert min(figures[name] for name in ("told_s", "bare_s", "ratio", "safety_s", "statements_per_set")) >= 0
    assert list(figures["max_rss_mb"]) == ["4", "40"]


def test_a_fan_out_for_too_few_owners_says_so():
    for few in (["--owners", "3"], ["--storm", "3"]):
        with pytest.raises(SystemExit, match="at least 20 owners"):
            fanout.main(few)
