"""An active alarm passes to the unit's next owner: told at the claim or import, once, with nothing of before."""

import re
from datetime import datetime

import pytest

from gateway.events import append
from gateway.registrations.claims import release
from gateway.registrations.model import OwnerRow
from tests.dsl.owners import make_person, make_units, try_claim
from tests.dsl.people import site
from tests.dsl.story import HOUR, MINUTE, SECOND, Story
from tests.factories.campaigns import person
from tests.factories.imports import import_owners


@pytest.fixture
def story(story) -> Story:
    """As ever; and the pumps have claim codes, and Bob an address."""
    make_units(story.db, "P1", "P2", "P3")
    story.bob = make_person(story.db, "Bob")
    return story


def give_up(story: Story, serial: str = "P1") -> None:
    unit = story.db.execute("SELECT public_id FROM unit WHERE serial = %s", [serial]).fetchone()["public_id"]
    with story.db.transaction():
        release(story.db, person(story.db, "Ada"), "ada", unit, story.now)


def import_owner(story: Story, since: datetime, serial: str = "P1", name: str = "Bob") -> None:
    row = OwnerRow(person=name, email=f"{name.lower()}@example.org", unit=f"pump/{serial}", since=since)
    with story.db.transaction():
        import_owners(story.db, {2: row}, actor="test")


def notices(story: Story) -> list[object]:
    return story.column(
        "SELECT p.name, u.serial, n.state FROM notice n JOIN person p ON p.id = n.person_id"
        " JOIN unit u ON u.id = n.unit_id ORDER BY n.id"
    )


def test_who_claims_a_unit_with_an_active_alarm_is_told_at_the_claim(story):
    story.raise_("P1")
    story.work()
    story.later(MINUTE)
    give_up(story)
    story.later(MINUTE)
    try_claim(story.db, story.bob, now=story.now)
    story.work()
    assert notices(story) == [("Ada", "P1", "open"), ("Bob", "P1", "open")]
    assert story.events() == ["notice.told"] * 2
    text, why = story.column("SELECT text, why FROM notice ORDER BY id DESC LIMIT 1")[0]
    assert text == {
        "title": "Switch the pump off",
        "body": "This was so already when the unit became yours.",
        "action": "Let it cool.",
    }
    assert (why["value"], why["extreme"], why["onset"]) == (None, None, story.now.isoformat())


def test_nobody_is_told_twice_and_the_notice_ends_with_the_alarm(story):
    onset = story.raise_("P1")
    story.work()
    story.later(MINUTE)
    give_up(story)
    try_claim(story.db, story.bob, now=story.now + SECOND)
    story.later(MINUTE)
    story.work()
    append(story.db, "unit.claimed", {}, unit_id=story.units["P1"])
    append(story.db, "owners.imported", {})
    story.work()
    assert notices(story) == [("Ada", "P1", "open"), ("Bob", "P1", "open")]
    story.clear("P1", onset)
    story.work()
    assert notices(story) == [("Ada", "P1", "resolved"), ("Bob", "P1", "resolved")]


def test_an_alarm_that_nobody_was_there_for_is_told_at_the_first_registration(story):
    give_up(story)
    story.raise_("P1")
    story.work()
    assert story.ledger() == [("drop", "nobody is registered as the owner of this unit")]
    story.later(HOUR)
    try_claim(story.db, story.bob, now=story.now)
    story.work()
    assert notices(story) == [("Bob", "P1", "open")]


def test_an_owner_by_import_is_told_and_with_the_values_where_they_are_of_that_time(story):
    give_up(story)
    story.later(MINUTE)
    since = story.now
    story.later(MINUTE)
    story.raise_("P1")
    story.work()
    import_owner(story, since)
    story.work()
    assert notices(story) == [("Bob", "P1", "open")]
    assert story.column("SELECT why->'value' FROM notice") == [95]


def test_an_import_that_is_one_event_tells_all_new_owners(story):
    give_up(story, "P1")
    give_up(story, "P2")
    story.raise_("P1", "P2", "P3")
    story.work()
    story.later(MINUTE)
    for serial in ("P1", "P2"):
        story.db.execute(
            "INSERT INTO ownership (unit_id, person_id, during) VALUES (%s, %s, tstzrange(%s, NULL))",
            [story.units[serial], story.bob.person_id, story.now],
        )
    append(story.db, "owners.imported", {"began": 2})
    story.work()
    assert notices(story) == [("Ada", "P3", "open"), ("Bob", "P1", "open"), ("Bob", "P2", "open")]


def test_an_owner_of_tomorrow_is_told_tomorrow_also_of_an_alarm_of_today(story):
    import_owner(story, story.now + HOUR)
    story.work()
    story.raise_("P1")
    story.work()
    assert notices(story) == [("Ada", "P1", "open")]
    story.later(HOUR)
    story.work()
    assert notices(story) == [("Ada", "P1", "open"), ("Bob", "P1", "open")]
    assert story.column("SELECT count(*) FROM alarm_due") == [0]


def test_an_alarm_that_is_raised_right_after_the_claim_is_told_once(story):
    """The claim's event finds the alarm already, and so does the alarm's own."""
    give_up(story)
    try_claim(story.db, story.bob, now=story.now)
    story.later(SECOND)
    story.raise_("P1")
    story.work()
    assert notices(story) == [("Bob", "P1", "open")]
    assert story.ledger() == [("pass", "nothing spoke against it")]
    assert story.column("SELECT count(*) FROM event WHERE kind = 'event.unhandled'") == [0]


@pytest.mark.parametrize("over", ["cleared", "historic"])
def test_an_alarm_that_is_over_or_historic_is_not_told(story, over):
    onset = story.raise_("P1", onset=story.now - (2 * HOUR if over == "historic" else SECOND))
    story.work()
    story.later(MINUTE)
    if over == "cleared":
        story.clear("P1", onset)
    give_up(story)
    try_claim(story.db, story.bob, now=story.now + SECOND)
    story.later(MINUTE)
    story.work()
    assert [each for each in notices(story) if each[0] == "Bob"] == []


def test_one_that_cannot_be_told_is_tried_again_and_holds_up_no_other(story, monkeypatch):
    for serial in ("P1", "P2"):
        give_up(story, serial)
    story.raise_("P1", "P2")
    story.work()
    story.later(MINUTE)
    first = story.units["P1"]
    with monkeypatch.context() as broken:
        broken.setattr("gateway.notify.stages.record.notice_text", lambda subject, _: _breaks(subject, first))
        for serial in ("P1", "P2"):
            try_claim(story.db, story.bob, serial, now=story.now)
        for pause in (0, 1, 2, 4, 8):
            story.later(pause * MINUTE)
            story.work()
    assert notices(story) == [("Bob", "P2", "open")]
    assert story.column("SELECT tries FROM alarm_due") == [5], "each pause is twice the one before"
    (failed,) = story.column("SELECT data FROM event WHERE kind = 'event.unhandled'")
    assert (set(failed), failed["error"]) == ({"of", "alarm_id", "error"}, "LookupError")
    story.later(16 * MINUTE)
    story.work()
    assert notices(story) == [("Bob", "P2", "open"), ("Bob", "P1", "open")]


def _breaks(subject, unit_id):
    if subject.unit_id == unit_id:
        raise LookupError("no words")
    return {"title": "t", "body": "b", "action": "a"}


def test_the_pages_of_such_a_notice_show_no_value(url, story):
    story.raise_("P1")
    story.work()
    give_up(story)
    with site(url, story.db) as world:
        story.later(world.now() - story.now)
        try_claim(story.db, story.bob, now=story.now)
        story.work()
        bob = world.as_("customer", "bob@example.org")
        (notice,) = bob.get("/api/my/feed").json()["notices"]
        assert (notice["why"]["value"], notice["why"]["extreme"]) == (None, None)
        page = bob.get(f"/n/{notice['id']}")
        value = re.search(r">[^<]*\b95(\.0)?\b", page.text)  # in what a person reads, not in an id
        assert (page.status_code, "became yours" in page.text, value) == (200, True, None)
