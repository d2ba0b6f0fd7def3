"""What comes again, is over or is too much: alarms join a notice, resolve it, or are held."""

from gateway.core.reason import Reason
from gateway.imports.service import retire_rules
from gateway.rules import repository as rules
from tests.dsl.people import site
from tests.dsl.story import HOUR, MINUTE, NOON, SECOND, SERIALS, Story
from tests.factories import apply_hot_rule, make_fleet


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
    assert story.events() == ["notice.told", "notice.resolved"]
    story.clear("P1", onset)
    story.work()
    assert story.events()[2:] == []


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
    assert story.feed() == ["told"], "told once"
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
    assert story.feed() == ["skipped"]
    story.later(MINUTE)
    story.raise_("P1")
    story.work()
    assert story.notices() == [("open", 2)]
    assert story.feed() == ["told"]
    assert story.events() == [
        *("notice.recorded", "notice.resolved"),
        "notice.told",
    ]


def test_a_flood_for_one_person_is_held_with_its_reason_and_told_when_the_hour_has_room(story):
    onset = story.raise_(*SERIALS)
    story.work()
    assert story.feed() == ["told"] * 20 + ["held"] * 5
    held = [line for line in story.ledger() if line[0] == "hold"]
    assert held == [("hold", "20 notices in the last hour are enough")] * 5
    assert story.column("SELECT DISTINCT visible_at FROM notice WHERE is_held") == [NOON + HOUR]
    assert len(story.notices()) == 25, "the feed has them all the same"
    steps = story.column("SELECT steps->-1 FROM ledger WHERE outcome = 'hold' LIMIT 1")
    assert steps[0]["until"] == (NOON + HOUR).isoformat()
    story.later(HOUR - SECOND)
    story.clear("P25", onset)
    story.work()
    assert story.feed().count("held") == 5
    story.later(SECOND)
    story.work()
    assert story.feed() == ["told"] * 24 + ["skipped"]
    assert story.column("SELECT skip_reason FROM notice WHERE skip_reason IS NOT NULL") == [Reason.of("over-before")]
    assert story.events().count("notice.told") == 24
    assert story.events().count("notice.skipped") == 1


def test_the_flood_of_one_person_does_not_hold_anothers_notice(url, database, db, tmp_path):
    owners = dict.fromkeys(SERIALS, "Ada") | {"P25": "Bob"}
    make_fleet(url, SERIALS, owners=owners)
    apply_hot_rule(url, tmp_path)
    story = Story(url, database, db)
    story.raise_(*SERIALS)
    story.work()
    assert story.feed() == ["told"] * 20 + ["held"] * 4 + ["told"]


def test_safety_is_told_at_once_and_even_when_it_is_over(url, database, db, tmp_path):
    make_fleet(url, SERIALS)
    apply_hot_rule(url, tmp_path, severity="safety")
    story = Story(url, database, db)
    onset = story.raise_(*SERIALS)
    story.clear("P1", onset)
    story.work()
    assert story.feed() == ["told"] * 25


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
    assert story.feed() == ["told"] * 2


def test_a_retired_rule_resolves_its_notices_with_that_reason(story):
    story.raise_("P1")
    story.work()
    retire_rules(story.url, ["pump-hot"], actor="test")
    with story.db.transaction():
        rules.clear_retired(story.db, rules.in_force(story.db).versions, story.now)
    story.work()
    assert story.notices() == [("resolved", 1)]
    assert story.column("SELECT why->>'cleared_reason' FROM notice") == ["the rule was changed or taken out of force"]


def test_the_page_of_a_notice_that_is_over_speaks_of_the_past_and_asks_for_nothing(url, story):
    with site(url, story.db) as world:
        story.later(world.now() - story.now)
        onset = story.raise_("P1")
        story.work()
        (notice,) = story.column("SELECT public_id FROM notice")
        ada = world.as_("customer", "ada@example.org")
        open_page = ada.get(f"/n/{notice}").text
        story.later(2 * MINUTE)
        story.clear("P1", onset)
        story.work()
        over_page = ada.get(f"/n/{notice}").text
    assert ("Switch the pump off" in open_page, "Let it cool." in open_page, 'method="post"' in open_page) == (
        True,
    ) * 3
    assert "Temperature is right again" in over_page
    assert f"It is 80.0 °C now. It was not right from {onset:%H:%M} to {story.now:%H:%M}." in over_page
    assert ("Let it cool." in over_page, 'method="post"' in over_page) == (False, False)


def test_the_page_of_a_notice_that_ended_without_a_measurement_does_not_say_that_all_is_well(url, story):
    with site(url, story.db) as world:
        story.later(world.now() - story.now)
        story.raise_("P1")
        story.work()
        retire_rules(story.url, ["pump-hot"], actor="test")
        with story.db.transaction():
            rules.clear_retired(story.db, rules.in_force(story.db).versions, story.now)
        story.work()
        (notice,) = story.column("SELECT public_id FROM notice")
        page = world.as_("customer", "ada@example.org").get(f"/n/{notice}").text
    assert ("No longer active: Switch the pump off" in page, "right again" in page) == (True, False)
