"""An event that cannot be handled is tried again, ever more seldom, listed for operators, and gone when it succeeds."""

from datetime import timedelta

import pytest

from gateway.cli import events as failed_events
from gateway.core.errors import NotFound
from gateway.events import append, dead_letters, place_events
from gateway.notify import alarms
from gateway.notify.service import tell
from gateway.notify.stages import record
from gateway.notify.text import notice_text
from tests.dsl.story import HOUR, MINUTE, SECOND


@pytest.fixture
def story(story):
    """With ownerships looked at: their alarms are told apart from the events of alarms."""
    story.work()
    return story


@pytest.fixture
def broken(monkeypatch):
    """Alarms of these units cannot be told, as by a fault of ours, until they are taken out."""
    units: set[int] = set()

    def text_or_fail(subject, owner):
        if subject.unit_id in units:
            raise ZeroDivisionError("no rule divides by zero\nDETAIL: ada@example.org")
        return notice_text(subject, owner)

    monkeypatch.setattr(record, "notice_text", text_or_fail)
    return units


def letters(story):
    return story.column("SELECT attempts, error, next_try_at - last_failed_at FROM event_dead_letter ORDER BY place")


def test_it_is_tried_again_after_a_minute_then_twice_as_long_and_told_once_it_can_be(story, broken):
    broken.add(story.units["P1"])
    story.raise_("P1", "P2")
    story.work()
    assert story.notices() == [("open", 1)], "nobody else's notice is held up"
    for attempts, minutes in ((1, 1), (2, 2), (3, 4)):
        assert letters(story) == [
            (attempts, "ZeroDivisionError: no rule divides by zero", timedelta(minutes=minutes)),
        ]
        story.later(timedelta(minutes=minutes) - SECOND)
        assert story.worker.turn() == 0
        story.later(SECOND)
        story.work()
    broken.clear()
    story.later(8 * MINUTE)
    story.work()
    assert letters(story) == []
    assert story.notices() == [("open", 1), ("open", 1)]
    assert story.column("SELECT count(*) FROM event WHERE kind = 'event.unhandled'") == [1]


def test_pauses_end_at_an_hour(story):
    assert [dead_letters.pause_after(n) for n in (1, 2, 6, 7, 8, 1_000_000)] == [
        MINUTE,
        2 * MINUTE,
        32 * MINUTE,
        HOUR,
        HOUR,
        HOUR,
    ]


def test_an_alarm_that_is_over_by_then_is_told_as_over(story, broken):
    """Its clearing was handled first and found no notice: the notice must not stay open for ever."""
    broken.add(story.units["P1"])
    onset = story.raise_("P1")
    story.work()
    story.later(10 * SECOND)
    story.clear("P1", onset)
    story.work()
    assert story.notices() == []
    broken.clear()
    story.later(MINUTE)
    story.work()
    assert story.notices() == [("resolved", 1)]
    assert story.column("SELECT kind FROM event WHERE kind ~ '^notice' ORDER BY id")[:2] == [
        "notice.recorded",
        "notice.resolved",
    ]


def test_an_alarm_that_was_raised_and_cleared_before_the_worker_came_is_resolved_once(story):
    onset = story.raise_("P1")
    story.clear("P1", onset)
    story.work()
    assert story.notices() == [("resolved", 1)]
    assert story.events().count("notice.resolved") == 1


def test_a_statement_that_is_always_cancelled_is_its_own_events_fault(story, monkeypatch):
    """Else the worker would try the same event for ever, and nobody would be told of anything."""

    def slow_or_tell(tx, batch, *args, **kwargs):
        if story.units["P1"] in {facts.subject.unit_id for facts in batch}:
            tx.execute("SET LOCAL statement_timeout = '10ms'")
            tx.execute("SELECT pg_sleep(5)")
        return tell(tx, batch, *args, **kwargs)

    monkeypatch.setattr(alarms, "tell", slow_or_tell)
    story.raise_("P1", "P2")
    story.work()
    assert story.notices() == [("open", 1)]
    assert [error for _, error, _ in letters(story)] == ["QueryCanceled: canceling statement due to statement timeout"]


def test_where_nothing_at_all_can_be_handled_failures_bring_forth_no_failures(story, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(alarms, "tell", fail)
    monkeypatch.setattr(dead_letters, "LETTERS_MAX", 5)
    story.raise_(*story.units)
    story.work()  # fails when it does not come to rest
    assert len(letters(story)) == 5


def test_the_list_is_bounded_and_what_is_given_up_is_said(story, monkeypatch):
    monkeypatch.setattr(dead_letters, "LETTERS_MAX", 2)
    for _ in range(4):
        append(story.db, "alarm.raised", {"alarm_id": 999_999})
    story.work()
    assert len(letters(story)) == 2
    given_up = story.column("SELECT (data->>'event')::bigint FROM event WHERE kind = 'event.given_up'")
    kept = story.column("SELECT place FROM event_dead_letter")
    assert len(given_up) == 2
    assert max(given_up) < min(kept), "the oldest go"


def test_neither_the_log_nor_the_list_keeps_what_an_error_says_of_a_person(story, broken):
    broken.add(story.units["P1"])
    story.raise_("P1")
    story.work()
    (data,) = story.column("SELECT data FROM event WHERE kind = 'event.unhandled'")
    assert data == {"event": data["event"], "of": "alarm.raised", "error": "ZeroDivisionError"}
    assert "ada@" not in str(letters(story))


def test_the_command_lists_them_and_has_them_tried_at_once(story, broken):
    broken.add(story.units["P1"])
    assert failed_events.failed_event_lines(story.url, 20) == ["0 events could not be handled and are tried again."]
    with pytest.raises(NotFound, match="no such failed event"):
        failed_events.retry_events(story.url, None, lambda: story.now)
    story.raise_("P1")
    story.work()
    count, line = failed_events.failed_event_lines(story.url, 20)
    assert count == "1 events could not be handled and are tried again."
    assert "alarm.raised" in line
    assert "1 attempts" in line
    assert line.endswith("ZeroDivisionError: no rule divides by zero")
    broken.clear()
    place = int(line.split()[0])
    with pytest.raises(NotFound):
        failed_events.retry_events(story.url, [place + 1], lambda: story.now)
    assert failed_events.retry_events(story.url, [place], lambda: story.now) == [
        "1 will be tried again by the worker; those that it can handle leave the list."
    ]
    story.work()
    assert story.notices() == [("open", 1)]
    assert failed_events.failed_event_lines(story.url, 20) == ["0 events could not be handled and are tried again."]


def test_the_staff_list_them_and_have_them_tried_at_once(world, story, broken):
    broken.add(story.units["P1"])
    story.raise_("P1")
    story.work()
    staff = world.as_("support")
    listed = staff.client.get("/api/dead-letters").json()
    (event,) = listed["events"]
    assert (event["kind"], event["attempts"]) == ("alarm.raised", 1)
    assert event["error"] == "ZeroDivisionError: no rule divides by zero"
    assert event["unit"] == story.column("SELECT public_id FROM unit WHERE serial = 'P1'")[0]
    headers = {"Sec-Fetch-Site": "same-origin"}
    asked = staff.client.post("/api/dead-letters/retry", json={"cursors": [event["cursor"]]}, headers=headers)
    assert (asked.status_code, asked.json()) == (202, {"asked": 1})
    refused = staff.client.post("/api/dead-letters/retry", json={"cursors": ["yesterday"]}, headers=headers)
    assert refused.status_code == 422
    place_events(story.db)
    assert story.column("SELECT kind FROM event ORDER BY id DESC LIMIT 1") == ["event.retry_asked"]
