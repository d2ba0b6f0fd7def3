"""What the staff do about an alarm, decided: where it stands then, or why nothing changes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms.acts import Act, Refusal, Work, decide

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
KINDS = ("acknowledge", "unacknowledge", "assign", "comment", "verdict", "resolve", "reopen")
ACTIVE = Work(revision=1, is_cleared=False)
CLEARED = Work(revision=2, is_cleared=True)
MAX = 20


def act(kind, work, **given):
    return Act(kind=kind, key="k", person_id=7, at=NOW, revision=work.revision, **given)


def done(work, *kinds, **given):
    for kind in kinds:
        work = decide(work, act(kind, work, **given), MAX)
        assert isinstance(work, Work), (kind, work)
    return work


def test_an_alarm_has_four_standings():
    assert ACTIVE.standing == "active"
    assert done(ACTIVE, "acknowledge").standing == "acknowledged"
    assert CLEARED.standing == "cleared"
    assert done(CLEARED, "acknowledge").standing == "closed"
    assert done(ACTIVE, "resolve", text="The sensor is loose.").standing == "closed"


def test_resolving_an_active_alarm_wants_to_know_why_and_acknowledges_it():
    assert decide(ACTIVE, act("resolve", ACTIVE), MAX) == Refusal("alarm_why")
    resolved = done(ACTIVE, "resolve", text="The sensor is loose.")
    assert (resolved.resolved_at, resolved.acknowledged_at, resolved.acknowledged_by) == (NOW, NOW, 7)
    assert done(CLEARED, "resolve").resolved_at == NOW


def test_the_readings_alone_say_whether_it_is_active():
    for kind in KINDS:
        after = decide(ACTIVE, act(kind, ACTIVE, text="x", value="real"), MAX)
        assert isinstance(after, Refusal) or not after.is_cleared


def test_an_act_on_what_changed_meanwhile_is_refused_but_a_comment_is_not():
    seen = act("acknowledge", ACTIVE)
    assigned = done(ACTIVE, "assign", assignee_id=8)
    assert decide(assigned, seen, MAX) == Refusal("alarm_changed")
    commented = decide(assigned, replace(seen, kind="comment", text="Called."), MAX)
    assert commented.revision == assigned.revision, "who is about to act need not look again"
    assert decide(commented, act("acknowledge", assigned), MAX).standing == "acknowledged"


def test_acknowledging_can_be_taken_back_and_a_closed_alarm_opened_again():
    assert done(ACTIVE, "acknowledge", "unacknowledge").standing == "active"
    assert done(CLEARED, "acknowledge", "unacknowledge").standing == "cleared"
    assert done(ACTIVE, "resolve", "reopen", text="No.").standing == "active"
    resolved = done(ACTIVE, "resolve", text="Over.")
    assert decide(resolved, act("unacknowledge", resolved), MAX) == Refusal("alarm_closed")


@pytest.mark.parametrize("kind", ["acknowledge", "assign", "resolve"])
def test_nothing_is_begun_on_a_closed_alarm(kind):
    closed = done(CLEARED, "acknowledge")
    assert decide(closed, act(kind, closed, assignee_id=8, text="x"), MAX) == Refusal("alarm_closed")


def test_a_verdict_is_one_of_three_and_can_be_taken_back_also_later():
    closed = done(CLEARED, "acknowledge")
    assert done(closed, "verdict", value="false").verdict == "false"
    assert done(done(closed, "verdict", value="known"), "verdict").verdict is None
    assert decide(closed, act("verdict", closed, value="perhaps"), MAX) == Refusal("alarm_value")


def test_what_is_so_already_is_said():
    for kind, work in (("unacknowledge", ACTIVE), ("assign", ACTIVE), ("reopen", ACTIVE), ("verdict", ACTIVE)):
        assert decide(work, act(kind, work), MAX) == Refusal("alarm_already_so")
    seen = done(ACTIVE, "acknowledge")
    assert decide(seen, act("acknowledge", seen), MAX) == Refusal("alarm_already_so")


def test_a_comment_says_something():
    assert decide(ACTIVE, act("comment", ACTIVE), MAX) == Refusal("alarm_why")


def test_a_full_alarm_can_still_be_ended():
    full = replace(ACTIVE, acts=MAX)
    assert decide(full, act("comment", full, text="x"), MAX) == Refusal("alarm_acts_full")
    ended = done(full, "acknowledge", "resolve", text="Over.")
    assert ended.acts == MAX + 2
    refused = [decide(ended, act(kind, ended, text="x", value="real"), MAX) for kind in KINDS]
    assert all(isinstance(each, Refusal) for each in refused), "the number of acts has an end"


ACTS = st.tuples(
    st.sampled_from(KINDS), st.sampled_from([7, 8]), st.sampled_from(["real", "known", None]), st.booleans()
)


@given(st.lists(ACTS, max_size=30), st.booleans())
def test_whatever_two_people_do_every_act_counts_once(doing, is_cleared):
    """Each accepted act is one more; each but a comment is one more revision; a stale one changes nothing."""
    work = replace(ACTIVE, is_cleared=is_cleared)
    seen = {7: work.revision, 8: work.revision}
    for kind, person, value, looks in doing:
        if looks:
            seen[person] = work.revision
        given_act = Act(kind, "k", person, NOW, seen[person], value, assignee_id=person, text="x")
        after = decide(work, given_act, MAX)
        if isinstance(after, Refusal):
            assert kind == "comment" or after.code != "alarm_changed" or seen[person] != work.revision
            continue
        assert after.acts == work.acts + 1
        assert after.revision == work.revision + (kind != "comment")
        assert (after.acknowledged_at is None) == (after.acknowledged_by is None)
        assert after.is_cleared == is_cleared
        assert not (after.resolved_at and not after.acknowledged_at), "what is resolved was acknowledged"
        work = after
    assert work.acts <= MAX + 2
