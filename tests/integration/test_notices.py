"""From an alarm in the event log to a notice in the feed: in one transaction, once, and with its reason."""

import threading
from itertools import count

import pytest

from gateway.config import Settings
from gateway.core.reason import Reason
from gateway.events import append
from gateway.notify.held import tell_held
from gateway.roles.worker import Worker
from gateway.store import OperationalError
from tests.dsl.story import HOUR, MINUTE, NOON, SECOND, SERIALS, Story
from tests.factories import apply_hot_rule, make_fleet


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
    assert (notice["visible_at"], notice["is_held"], story.feed()) == (NOON, False, ["told"])
    assert story.ledger() == [("pass", "nothing spoke against it")]
    (steps,) = story.column("SELECT steps FROM ledger")
    assert [step["stage"] for step in steps] == ["address", "merge", "rate"]
    assert story.events() == ["notice.told"]
    owner = story.column(
        "SELECT p.name, e.data->>'notice' FROM event e JOIN person p ON p.id = e.person_id WHERE kind = 'notice.told'"
    )
    assert owner == [("Ada", notice["public_id"])]


def test_notice_delivery_ledger_and_events_are_of_one_transaction(story):
    story.raise_("P1")
    story.worker.turn()
    transactions = story.column(
        "SELECT xmin::text FROM notice UNION SELECT xmin::text FROM notice_alarm UNION SELECT xmin::text FROM ledger"
        " UNION SELECT xmin::text FROM event WHERE kind = 'notice.told'"
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
    assert story.events() == ["notice.told"]


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
    assert (told["of"], told["error"]) == ("alarm.raised", "ForeignKeyViolation")


def test_when_the_database_goes_away_in_the_middle_nothing_is_done_and_the_event_comes_again(story, monkeypatch):
    story.raise_("P1")
    with monkeypatch.context() as broken:
        broken.setattr("gateway.notify.service.record", _cut)
        with pytest.raises(OperationalError):
            story.worker.turn()
    assert story.notices() == story.ledger() == story.feed() == story.events() == []
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
    """The old notice is over for them; one more alarm must not vanish in it."""
    story.raise_("P1")
    story.work()
    (ada,) = story.column("SELECT id FROM person WHERE name = 'Ada'")
    story.later(MINUTE)
    _hand_over(story, "P1", to=ada)
    story.later(MINUTE)
    story.raise_("P1")
    story.work()
    assert story.events() == ["notice.told"] * 2


def test_what_was_held_is_not_sent_to_somebody_who_gave_the_unit_up(story):
    story.raise_("P1")
    story.work()
    story.db.execute("UPDATE notice SET is_held = true")
    _hand_over(story, "P1")
    story.later(MINUTE)
    story.work()
    assert story.column("SELECT is_held, skip_reason FROM notice") == [(False, Reason.of("not-theirs"))]
    assert story.events() == ["notice.told", "notice.skipped"]


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
    assert story.notices() == story.feed() == story.events() == []
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
    story.clear("P1", onset + SECOND)
    story.work()
    assert story.column("SELECT p.name, n.state FROM notice n JOIN person p ON p.id = n.person_id") == [
        ("Ada", "resolved")
    ]
    assert story.ledger()[-1] == ("drop", "the unit changed hands since")


def test_two_workers_tell_what_was_held_each_its_own_notices_without_waiting_for_the_other(story):
    story.raise_(*SERIALS[:20])
    story.work()
    story.db.execute("UPDATE notice SET is_held = true")
    with story.database.transaction() as one:
        assert tell_held(one, story.now, 12) == 12
        with story.database.transaction() as two:
            two.execute("SET LOCAL lock_timeout = '5s'")
            assert tell_held(two, story.now, 12) == 8
        assert story.feed().count("told") == 8
    assert story.feed() == ["told"] * 20
    assert story.events().count("notice.told") == 40


def test_two_workers_at_the_same_time_tell_each_alarm_once(story):
    others = [Worker(Settings(notify_batch=3), story.database, lambda: story.now) for _ in range(2)]
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
    assert story.feed() == ["told"] * 18
    assert story.events().count("notice.told") == 18


def test_an_import_of_many_units_does_not_hold_up_an_alarm(story):
    """A turn takes 200 events; it says that there was something, so that the next turn does not wait for a wake-up."""
    with story.db.transaction():
        for nth in range(450):
            append(story.db, "unit.imported", {"nth": nth})
    story.raise_("P1")
    turns = next(nth for nth in count(1) if not story.worker.turn())
    assert turns >= 3
    assert story.feed() == ["told"]
