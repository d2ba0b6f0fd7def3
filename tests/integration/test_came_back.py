"""A grave alarm that comes back after its owner was told that it was over goes out again."""

import pytest

from gateway.config import Settings
from gateway.core.reason import Reason
from gateway.notify.model import Delivered
from gateway.notify.send.results import Answered
from gateway.roles.worker import Worker
from tests.dsl.campaigns import CHANNELS
from tests.dsl.reasons import in_words
from tests.dsl.story import MINUTE, SECOND, Story
from tests.factories import apply_hot_rule, make_fleet
from tests.factories.campaigns import confirm


def story_of(url, database, db, folder, severity, **settings) -> Story:
    make_fleet(url, ["P1"], owners={"P1": "Ada"})
    apply_hot_rule(url, folder, severity=severity)
    confirm(db, "Ada")
    story = Story(url, database, db)
    story.worker = Worker(Settings(**CHANNELS | settings), database, lambda: story.now)
    return story


def send(story: Story, channel: str) -> int:
    """Claim what is due on a channel and note that it arrived. Returns how many messages that were."""
    outbox = story.worker.senders.outbox
    with story.database.transaction() as tx:
        claims = outbox.claim(tx, channel, story.now, 10)
        answers = [
            Answered(claim, address, Delivered(Reason.of("mail-taken")))
            for claim in claims
            for address in claim.addresses
        ]
        for each in answers:
            each.claim.note(each.address, each.answer)
        outbox.results.record(tx, answers, claims, story.now)
    return len(claims)


def tell_and_clear(story: Story) -> None:
    onset = story.raise_("P1")
    story.work()
    assert send(story, "email") == 1
    story.later(22 * SECOND)
    story.clear("P1", onset)
    story.work()
    story.later(22 * SECOND)


@pytest.mark.parametrize("severity", ["safety", "critical"])
def test_it_joins_its_notice_and_is_sent_again_within_the_merge_window(url, database, db, tmp_path, severity):
    story = story_of(url, database, db, tmp_path, severity)
    tell_and_clear(story)
    db.execute("UPDATE notice SET read_at = now(), acknowledged_at = now()")
    story.raise_("P1")
    story.work()
    assert story.notices() == [("open", 2)]
    ((status, reason),) = story.column("SELECT status, reason FROM outbox WHERE channel = 'email'")
    assert (status, in_words(reason)) == ("waiting", "it came back after an all-clear")
    assert send(story, "email") == 1, "also to an address that had the first message"
    assert story.column("SELECT status, attempts FROM outbox WHERE channel = 'email'") == [("delivered", 1)]
    assert send(story, "email") == 0
    assert story.column("SELECT read_at, acknowledged_at FROM notice") == [(None, None)]
    assert story.events().count("notice.told") == 2
    assert story.column("SELECT count(*) FROM delivery_try") == [2]


def test_a_warning_joins_silently(url, database, db, tmp_path):
    story = story_of(url, database, db, tmp_path, "warning")
    tell_and_clear(story)
    story.raise_("P1")
    story.work()
    assert (story.notices(), send(story, "email")) == ([("open", 2)], 0)
    assert story.events()[-1] == "notice.updated"


def test_one_that_joins_while_another_alarm_of_it_is_active_is_not_sent_again(url, database, db, tmp_path):
    story = story_of(url, database, db, tmp_path, "safety")
    story.raise_("P1")
    story.work()
    send(story, "email")
    story.later(SECOND)
    story.raise_("P1")
    story.work()
    assert (story.notices(), send(story, "email")) == ([("open", 2)], 0)


def test_a_sensor_that_flaps_sends_no_more_in_an_hour_than_a_person_gets_notices(url, database, db, tmp_path):
    story = story_of(url, database, db, tmp_path, "safety", notices_per_hour=3)
    sent = 0
    for _ in range(6):
        onset = story.raise_("P1")
        story.work()
        sent += send(story, "email")
        story.later(MINUTE)
        story.clear("P1", onset)
        story.work()
        story.later(MINUTE)
    assert (sent, story.notices()) == (3, [("resolved", 6)])
