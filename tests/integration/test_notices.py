"""From an alarm in the event log to a notice in the feed: in one transaction, once, and with its reason."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from gateway import flow
from gateway.app.imports import retire_rules
from gateway.app.worker import Worker
from gateway.config import Settings
from gateway.core.clock import to_us
from gateway.core.ids import random_id
from gateway.events import append, read_next
from gateway.notify import outbox
from gateway.notify.model import Policy
from gateway.notify.service import handle
from gateway.rules import repository as rules
from gateway.rules.evaluator import Change
from gateway.store import Connection, Database, OperationalError
from tests.factories import apply_hot_rule, make_fleet

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SERIALS = [f"P{n}" for n in range(1, 26)]


class Story:
    """Alarms as ingest writes them, a worker that handles them, and a clock that the test moves."""

    def __init__(self, url: str, database: Database, db: Connection) -> None:
        self.url, self.database, self.db = url, database, db
        self.now = NOON
        self.worker = Worker(Settings(), database, lambda: self.now)
        self.refresh()
        rows = db.execute("SELECT id, serial FROM unit").fetchall()
        self.units = {row["serial"]: row["id"] for row in rows}

    def refresh(self) -> None:
        """Take over the rules now in force."""
        in_force = rules.in_force(self.db).versions
        self.versions = {version.id: version for version in rules.versions(self.db, in_force)}

    def _change(self, kind: str, serial: str, onset: datetime, value: float) -> Change:
        (version,) = self.versions
        at = to_us(self.now)
        return Change(kind, version, self.units[serial], to_us(onset), at, value, 91.0, max(value, 96.0))

    def record(self, *changes: Change) -> None:
        with self.db.transaction():
            rules.record_changes(self.db, changes, self.versions, now=self.now, historic_after=HOUR, new_id=random_id)

    def raise_(self, *serials: str, onset: datetime | None = None) -> datetime:
        onset = onset or self.now
        self.record(*(self._change("raised", serial, onset, 95.0) for serial in serials))
        return onset

    def clear(self, serial: str, onset: datetime) -> None:
        self.record(self._change("cleared", serial, onset, 80.0))

    def later(self, span: timedelta) -> None:
        self.now += span

    def work(self) -> None:
        """As the worker does: turn after turn, until there is nothing to do."""
        for _ in range(20):
            if not self.worker.turn():
                return
        pytest.fail("the worker does not come to rest")

    def column(self, query: str) -> list[object]:
        return [next(iter(row.values())) if len(row) == 1 else tuple(row.values()) for row in self.db.execute(query)]

    def notices(self) -> list[object]:
        return self.column("SELECT state, count FROM notice ORDER BY id")

    def ledger(self) -> list[object]:
        return self.column("SELECT outcome, reason FROM ledger ORDER BY id")

    def deliveries(self) -> list[object]:
        return self.column("SELECT status FROM outbox ORDER BY id")

    def events(self) -> list[object]:
        return self.column("SELECT kind FROM event WHERE kind ~ '^(notice|delivery)' ORDER BY xid, id")


@pytest.fixture
def database(url) -> Iterator[Database]:
    with Database(url, "test", max_size=4) as opened:
        yield opened


@pytest.fixture
def story(url, database, db, tmp_path) -> Story:
    make_fleet(url, SERIALS)
    apply_hot_rule(url, tmp_path)
    return Story(url, database, db)


def test_an_alarm_becomes_notice_delivery_ledger_line_and_events(story):
    onset = story.raise_("P1")
    story.work()
    (notice,) = story.db.execute("SELECT * FROM notice").fetchall()
    assert (notice["state"], notice["count"], notice["severity"], notice["rule_id"]) == (
        "open",
        1,
        "warning",
        "pump-hot",
    )
    assert notice["text"] == {"title": "Switch the pump off", "body": "It is 95 °C.", "action": "Let it cool."}
    assert (notice["why"]["value"], notice["why"]["limit"], notice["why"]["onset"]) == (95, 90, onset.isoformat())
    assert story.column("SELECT channel, status, due_at FROM outbox") == [("feed", "delivered", NOON)]
    assert story.ledger() == [("pass", "nothing spoke against it")]
    (steps,) = story.column("SELECT steps FROM ledger")
    assert [step["stage"] for step in steps] == ["address", "merge", "rate"]
    assert story.events() == ["notice.recorded", "notice.told"]
    owner = story.column(
        "SELECT p.name, e.data->>'notice' FROM event e JOIN person p ON p.id = e.person_id WHERE kind = 'notice.told'"
    )
    assert owner == [("Ada", notice["public_id"])]


def test_notice_delivery_ledger_and_events_are_of_one_transaction(story):
    story.raise_("P1")
    story.worker.turn()
    transactions = story.column(
        "SELECT xmin::text FROM notice UNION SELECT xmin::text FROM notice_alarm UNION SELECT xmin::text FROM ledger"
        " UNION SELECT xmin::text FROM event WHERE kind = 'notice.recorded'"
    )
    assert len(transactions) == 1


def test_an_alarm_that_stands_twice_in_the_log_is_told_once(story):
    story.raise_("P1")
    story.work()
    (told,) = story.column("SELECT data FROM event WHERE kind = 'alarm.raised'")
    append(story.db, "alarm.raised", told, unit_id=story.units["P1"])
    story.work()
    assert story.notices() == [("open", 1)]
    assert len(story.ledger()) == 1
    assert story.events() == ["notice.recorded", "notice.told"]


def test_an_alarm_that_is_found_again_after_a_restart_is_one_alarm(story):
    onset = story.raise_("P1")
    story.later(SECOND)
    story.raise_("P1", onset=onset)
    assert story.column("SELECT count(*) FROM event WHERE kind = 'alarm.raised'") == [1]


def test_an_event_that_cannot_be_handled_is_told_in_the_log_and_holds_up_nobody(story):
    """One broken alarm must not keep everybody's notices back, for ever, restart after restart."""
    story.raise_("P1")
    append(story.db, "alarm.raised", {"alarm_id": 999_999})
    story.raise_("P2")
    story.work()
    assert story.notices() == [("open", 1), ("open", 1)]
    (told,) = story.column("SELECT data FROM event WHERE kind = 'event.unhandled'")
    assert (told["of"], told["error"]) == ("alarm.raised", "LookupError('no alarm has the number 999999')")


def test_when_the_database_goes_away_in_the_middle_nothing_is_done_and_the_event_comes_again(story, monkeypatch):
    story.raise_("P1")
    with monkeypatch.context() as broken:
        broken.setattr("gateway.notify.service.record", _cut)
        with pytest.raises(OperationalError):
            story.worker.turn()
    assert story.notices() == story.ledger() == story.deliveries() == story.events() == []
    story.work()
    assert story.notices() == [("open", 1)]


def _cut(tx, *_args):
    """The connection breaks before the record is written."""
    tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _hand_over(story, serial, to=None):
    """End the ownership of a unit now; let another begin at once."""
    key = {"unit": story.units[serial], "now": story.now}
    story.db.execute(
        "UPDATE ownership SET during = tstzrange(lower(during), %(now)s)"
        " WHERE unit_id = %(unit)s AND upper_inf(during)",
        key,
    )
    if to is not None:
        story.db.execute(
            "INSERT INTO ownership (unit_id, person_id, during) VALUES (%(unit)s, %(to)s, tstzrange(%(now)s, NULL))",
            key | {"to": to},
        )


def test_who_gave_a_unit_up_and_took_it_again_is_told_of_it_anew(story):
    """The old notice is over for him; one more alarm must not vanish in it."""
    story.raise_("P1")
    story.work()
    (ada,) = story.column("SELECT id FROM person WHERE name = 'Ada'")
    story.later(MINUTE)
    _hand_over(story, "P1", to=ada)
    story.later(MINUTE)
    story.raise_("P1")
    story.work()
    assert story.events() == ["notice.recorded", "notice.told"] * 2


def test_what_was_held_is_not_sent_to_somebody_who_gave_the_unit_up(story):
    story.raise_("P1")
    story.work()
    story.db.execute("UPDATE outbox SET status = 'waiting', finished_at = NULL")  # as if it had been held
    _hand_over(story, "P1")
    story.later(MINUTE)
    story.work()
    assert story.column("SELECT DISTINCT status, reason FROM outbox") == [
        ("skipped", "the unit is no longer this person's")
    ]


def test_a_cleared_alarm_resolves_its_notice(story):
    onset = story.raise_("P1")
    story.work()
    story.later(5 * MINUTE)
    story.clear("P1", onset)
    story.work()
    assert story.notices() == [("resolved", 1)]
    (notice,) = story.db.execute("SELECT resolved_at, why FROM notice").fetchall()
    assert notice["resolved_at"] == story.now
    assert (notice["why"]["cleared_value"], notice["why"]["cleared_at"]) == (80, story.now.isoformat())
    assert story.events() == ["notice.recorded", "notice.told", "notice.resolved"]
    story.clear("P1", onset)
    story.work()
    assert story.events()[3:] == []


def test_a_flapping_sensor_is_one_notice_that_counts_reopens_and_resolves(story):
    for nth in range(1, 5):
        onset = story.raise_("P1")
        story.work()
        assert story.notices() == [("open", nth)]
        assert story.column("SELECT resolved_at FROM notice") == [None]
        story.later(MINUTE)
        story.clear("P1", onset)
        story.work()
        assert story.notices() == [("resolved", nth)]
        story.later(MINUTE)
    assert story.deliveries() == ["delivered"], "told once"
    (reason,) = set(story.ledger()[1:])
    assert reason[0] == "drop"
    assert reason[1].startswith("joined notice ")
    assert story.column("SELECT count(*) FROM notice_alarm") == [4]


def test_after_the_merge_window_it_is_a_notice_of_its_own(story):
    story.clear("P1", story.raise_("P1"))
    story.work()
    story.later(HOUR)
    story.raise_("P1")
    story.work()
    assert story.notices() == [("resolved", 1), ("open", 1)]


def test_a_notice_stays_open_while_another_alarm_of_it_is_active(story):
    first = story.raise_("P1")
    story.later(SECOND)
    second = story.raise_("P1")
    story.work()
    story.clear("P1", first)
    story.work()
    assert story.notices() == [("open", 2)]
    story.clear("P1", second)
    story.work()
    assert story.notices() == [("resolved", 2)]


def test_who_was_told_nothing_is_told_when_it_comes_again(story):
    """The first alarm was over before its notice went out; the second one must not count as told already."""
    story.clear("P1", story.raise_("P1"))
    story.work()
    assert story.deliveries() == ["skipped"]
    story.later(MINUTE)
    story.raise_("P1")
    story.work()
    assert story.notices() == [("open", 2)]
    assert story.deliveries() == ["delivered"]
    assert story.events() == [
        *("notice.recorded", "notice.resolved", "delivery.skipped"),
        *("notice.updated", "notice.told"),
    ]


def test_a_flood_for_one_person_is_held_with_its_reason_and_told_when_the_hour_has_room(story):
    onset = story.raise_(*SERIALS)
    story.work()
    assert story.deliveries() == ["delivered"] * 20 + ["waiting"] * 5
    held = [line for line in story.ledger() if line[0] == "hold"]
    assert held == [("hold", "20 notices in the last hour are enough")] * 5
    assert story.column("SELECT DISTINCT due_at FROM outbox WHERE status = 'waiting'") == [NOON + HOUR]
    assert len(story.notices()) == 25, "the feed has them all the same"
    steps = story.column("SELECT steps->-1 FROM ledger WHERE outcome = 'hold' LIMIT 1")
    assert steps[0]["until"] == (NOON + HOUR).isoformat()
    story.later(HOUR - SECOND)
    story.clear("P25", onset)
    story.work()
    assert story.deliveries().count("waiting") == 5
    story.later(SECOND)
    story.work()
    assert story.deliveries() == ["delivered"] * 24 + ["skipped"]
    assert story.column("SELECT reason FROM outbox WHERE status = 'skipped'") == ["back to normal before it was due"]
    assert story.events().count("notice.told") == 24
    assert story.events().count("delivery.skipped") == 1


def test_the_flood_of_one_person_does_not_hold_anothers_notice(url, database, db, tmp_path):
    owners = dict.fromkeys(SERIALS, "Ada") | {"P25": "Bob"}
    make_fleet(url, SERIALS, owners=owners)
    apply_hot_rule(url, tmp_path)
    story = Story(url, database, db)
    story.raise_(*SERIALS)
    story.work()
    assert story.deliveries() == ["delivered"] * 20 + ["waiting"] * 4 + ["delivered"]


def test_safety_is_told_at_once_and_even_when_it_is_over(url, database, db, tmp_path):
    make_fleet(url, SERIALS)
    apply_hot_rule(url, tmp_path, severity="safety")
    story = Story(url, database, db)
    onset = story.raise_(*SERIALS)
    story.clear("P1", onset)
    story.work()
    assert story.deliveries() == ["delivered"] * 25


def test_a_rule_that_becomes_graver_is_told_anew(story, tmp_path):
    onset = story.raise_("P1")
    story.work()
    apply_hot_rule(story.url, tmp_path, severity="safety")
    with story.db.transaction():
        rules.clear_retired(story.db, rules.in_force(story.db).versions, story.now)
    story.refresh()
    story.raise_("P1", onset=onset)
    story.work()
    assert story.column("SELECT severity, state FROM notice ORDER BY id") == [
        ("warning", "resolved"),
        ("safety", "open"),
    ]
    assert story.deliveries() == ["delivered"] * 2


def test_a_retired_rule_resolves_its_notices_with_that_reason(story):
    story.raise_("P1")
    story.work()
    retire_rules(story.url, ["pump-hot"], actor="test")
    with story.db.transaction():
        rules.clear_retired(story.db, rules.in_force(story.db).versions, story.now)
    story.work()
    assert story.notices() == [("resolved", 1)]
    assert story.column("SELECT why->>'cleared_reason' FROM notice") == ["the rule was changed or taken out of force"]


def test_what_is_told_to_nobody_leaves_a_ledger_line_with_the_reason(url, database, db, tmp_path):
    make_fleet(url, ["P1", "P2"], owners={"P1": "Ada"})
    apply_hot_rule(url, tmp_path)
    story = Story(url, database, db)
    story.clear("P1", story.raise_("P1", onset=NOON - 2 * HOUR))
    story.raise_("P2")
    apply_hot_rule(url, tmp_path, audience="support")
    story.refresh()
    story.raise_("P1")
    story.work()
    assert story.notices() == story.deliveries() == story.events() == []
    assert story.ledger() == [
        ("drop", "historic: it was too old when it was judged"),
        ("drop", "nobody is registered as the owner of this unit"),
        ("drop", "the rule tells support only"),
    ]


def test_who_sold_the_unit_is_still_told_that_it_is_over_and_the_buyer_is_not_bothered(story):
    onset = story.raise_("P1")
    story.work()
    story.later(MINUTE)
    story.db.execute(
        "UPDATE ownership SET during = tstzrange(lower(during), %s) WHERE unit_id = %s", [story.now, story.units["P1"]]
    )
    story.db.execute("INSERT INTO person (public_id, name, email) VALUES ('bob', 'Bob', 'bob@example.org')")
    story.db.execute(
        "INSERT INTO ownership SELECT %s, id, tstzrange(%s, NULL) FROM person WHERE name = 'Bob'",
        [story.units["P1"], story.now],
    )
    story.raise_("P1", onset=onset + SECOND)
    story.db.execute("UPDATE alarm SET raised_at = onset")
    story.clear("P1", onset)
    story.work()
    assert story.column("SELECT p.name, n.state FROM notice n JOIN person p ON p.id = n.person_id") == [
        ("Ada", "resolved")
    ]
    assert story.ledger()[-1] == ("drop", "the unit changed hands since")


def test_two_workers_drain_one_outbox_and_each_delivery_ends_once(story):
    """Each takes its own rows, without waiting for the other."""
    story.raise_(*SERIALS[:20])
    with story.database.transaction() as tx:
        for event in read_next(tx, "notify", 100):
            handle(tx, event, flow.NOTICE, now=story.now, policy=Policy(HOUR, 20))
    with story.database.transaction() as one:
        assert outbox.drain(one, story.now, 12) == 12
        with story.database.transaction() as two:
            two.execute("SET LOCAL lock_timeout = '5s'")
            assert outbox.drain(two, story.now, 12) == 8
        assert story.deliveries().count("delivered") == 8
    assert story.deliveries() == ["delivered"] * 20
    assert story.events().count("notice.told") == 20


def test_two_workers_at_the_same_time_tell_each_alarm_once(story):
    others = [Worker(Settings(outbox_batch=3), story.database, lambda: story.now) for _ in range(2)]
    story.raise_(*SERIALS[:18])
    raised: list[Exception] = []

    def run(worker: Worker) -> None:
        try:
            while worker.turn():
                pass
        except Exception as error:  # noqa: BLE001 - shown below
            raised.append(error)

    threads = [threading.Thread(target=run, args=[worker]) for worker in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert raised == []
    assert len(story.ledger()) == len(story.notices()) == 18
    assert story.deliveries() == ["delivered"] * 18
    assert story.events().count("notice.told") == 18


def test_an_import_of_many_units_does_not_hold_up_an_alarm(story):
    """A turn takes 200 events; it says that there was something, so that the next turn does not wait for a wake-up."""
    with story.db.transaction():
        for nth in range(450):
            append(story.db, "unit.imported", {"nth": nth})
    story.raise_("P1")
    turns = next(nth for nth in count(1) if not story.worker.turn())
    assert turns >= 3
    assert story.deliveries() == ["delivered"]
