"""Whose stream gets an event, and what ends it: pure, so every case can be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.api.stream.filters import EventAndOwner, end_of_session, events_of_person
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.core.errors import Unavailable
from gateway.events import Event, Position
from gateway.readings.connection import connection

ADA, BOB = 1, 2
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def event_of(kind, *, person=None, owner=None, unit=7, **data):
    event = Event(Position(1), NOW, kind, "gateway", unit, person, "u", "p", data)
    return EventAndOwner(event, owner)


@pytest.mark.parametrize(
    ("event", "gets"),
    [
        (event_of("notice.told", person=ADA, owner=ADA), True),
        (event_of("notice.told", person=BOB, owner=ADA), False),
        (event_of("notice.resolved", person=ADA, owner=BOB), False),
        (event_of("notice.resolved", person=ADA, owner=None), False),
        (event_of("notice.told", person=None, owner=ADA), False),
        (event_of("alarm.raised", owner=ADA), True),
        (event_of("alarm.raised", owner=BOB), False),
        (event_of("alarm.raised", owner=None), False),
        (event_of("unit.claimed", person=ADA, owner=ADA), True),
        (event_of("unit.claimed", person=BOB, owner=ADA), False),
        (event_of("unit.released", person=ADA, owner=None), True),
        (event_of("unit.claim_attempts", person=ADA, owner=ADA), True),
        (event_of("unit.claim_attempts", person=None, owner=ADA), False),
        (event_of("unit.firmware_reported", person=ADA, owner=ADA), False),
        (event_of("account.signed_in", person=ADA, owner=None, unit=None), False),
        (event_of("delivery.failed", person=ADA, owner=ADA), False),
        (event_of("rule.activated", unit=None), False),
    ],
)
def test_a_person_gets_his_own_notices_and_the_alarms_of_what_he_owned(event, gets):
    assert events_of_person(ADA)(event) is gets


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (event_of("account.signed_out", account="a", session="s"), True),
        (event_of("account.signed_out", account="a", session="another browser"), False),
        (event_of("account.signed_out", account="b", session="s"), False),
        (event_of("account.signed_out_everywhere", account="a"), True),
        (event_of("account.signed_out_everywhere", account="b"), False),
        (event_of("account.signed_in", account="a", session="s"), False),
    ],
)
def test_a_stream_ends_with_its_session_and_with_all_of_them(event, ends):
    assert end_of_session("a", "s")(event) is ends


@pytest.mark.parametrize(
    ("silent", "state"), [(0, "online"), (15, "online"), (16, "unhealthy"), (150, "unhealthy"), (151, "offline")]
)
def test_a_unit_is_online_for_three_cadences_and_unhealthy_for_thirty(silent, state):
    assert connection(NOW - timedelta(seconds=silent), timedelta(seconds=5), NOW) == state


def test_a_unit_that_was_never_heard_is_unknown():
    assert connection(None, timedelta(seconds=5), NOW) == "unknown"


def test_one_person_cannot_take_every_stream():
    hub = Hub("", Settings(streams_max=4, person_streams_max=2))
    first = hub.subscribe(events_of_person(ADA), person_id=ADA)
    hub.subscribe(events_of_person(ADA), person_id=ADA)
    with pytest.raises(Unavailable, match="too many pages"):
        hub.subscribe(events_of_person(ADA), person_id=ADA)
    hub.subscribe(events_of_person(BOB), person_id=BOB)
    hub.unsubscribe(first)
    hub.subscribe(events_of_person(ADA), person_id=ADA)


def test_a_stream_gets_nothing_behind_its_sign_out():
    hub = Hub("", Settings())
    stream = hub.subscribe(events_of_person(ADA), end_of_session("a", "s"), ADA)
    told = event_of("notice.told", person=ADA, owner=ADA)
    hub.publish(
        [
            event_of("notice.told", person=BOB, owner=BOB),
            told,
            event_of("account.signed_out_everywhere", person=ADA, account="a"),
            told,
        ]
    )
    hub.publish([told])
    assert (stream.take(), stream.is_over) == ([told.event], True)


def test_what_a_person_does_not_get_does_not_make_him_slow():
    hub = Hub("", Settings(stream_queue_max=3))
    slow, staff = hub.subscribe(events_of_person(ADA), person_id=ADA), hub.subscribe()
    hub.publish([event_of("alarm.raised", owner=BOB)] * 5)
    assert (slow.take(), slow.is_over) == ([], False)
    assert (staff.take(), staff.is_over) == ([], True)
