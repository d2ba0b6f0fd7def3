"""The preferred network: own choice, what is learned with decay, a written reason, never an address nobody gave."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.network import Engagement, choose
from tests.dsl.reasons import in_words

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
BOTH = ("email", "push")


def engagements(channel: str, count: int, days_ago: float = 1, kind: str = "opened") -> list[Engagement]:
    return [Engagement(channel, kind, NOW - timedelta(days=days_ago, minutes=n)) for n in range(count)]


def test_the_own_choice_wins_over_everything_that_was_learned():
    order = choose("email", engagements("push", 8), BOTH, NOW)
    assert (order.channels, in_words(order.reason)) == (("email", "push"), "you chose email")


def test_a_choice_without_an_address_says_so_and_the_other_is_used():
    order = choose("push", [], ("email",), NOW)
    assert order.channels == ("email",)
    assert in_words(order.reason) == "you chose push, but no phone is registered; email is the only way you gave us"


def test_opens_teach_and_the_sentence_counts_the_last_eight():
    order = choose(None, engagements("push", 7) + engagements("email", 1, days_ago=0.5), BOTH, NOW)
    assert (order.channels, in_words(order.reason)) == (("push", "email"), "you opened 7 of the last 8 by push")
    order = choose(None, engagements("email", 20) + engagements("push", 3, days_ago=9), BOTH, NOW)
    assert (order.channels[0], in_words(order.reason)) == ("email", "you opened 8 of the last 8 by email")


def test_what_is_long_ago_counts_half_each_thirty_days():
    old, new = engagements("push", 4, days_ago=90), engagements("email", 1, days_ago=0)
    order = choose(None, old + new, BOTH, NOW)
    assert order.channels[0] == "email"
    assert in_words(order.reason) == "lately you were reached best by email"
    assert choose(None, engagements("push", 4, days_ago=30) + new, BOTH, NOW).channels[0] == "push"


def test_after_half_a_year_nothing_is_known_any_more():
    order = choose(None, engagements("email", 50, days_ago=181), BOTH, NOW)
    assert (order.channels, in_words(order.reason)) == (
        ("push", "email"),
        "we start with push, until we know what reaches you",
    )


def test_sign_ins_say_a_little_and_several_of_them_enough():
    assert choose(None, engagements("email", 1, kind="signed_in"), BOTH, NOW).channels[0] == "push"
    order = choose(None, engagements("email", 3, kind="signed_in"), BOTH, NOW)
    assert (order.channels[0], in_words(order.reason)) == ("email", "you signed in by email 3 of the last 3 times")


def test_acknowledging_weighs_more_than_opening():
    order = choose(None, engagements("push", 1) + engagements("email", 1, kind="acknowledged"), BOTH, NOW)
    assert (order.channels[0], in_words(order.reason)) == ("email", "you acknowledged 1 of the last 1 by email")


def test_without_any_address_there_is_no_channel():
    order = choose("push", engagements("push", 8), (), NOW)
    assert (order.channels, in_words(order.reason)) == ((), "there is no confirmed address and no registered phone")


def test_german_has_its_own_sentences():
    order = choose(None, engagements("email", 2), BOTH, NOW)
    assert in_words(order.reason, "de") == "Sie haben 2 der letzten 2 per E-Mail geöffnet"
    order = choose("push", [], ("email",), NOW)
    assert in_words(order.reason, "fr").startswith("you chose push")


ENGAGEMENTS = st.lists(
    st.builds(
        Engagement,
        st.sampled_from(["email", "push", "feed"]),
        st.sampled_from(["opened", "acknowledged", "signed_in", "else"]),
        st.timedeltas(timedelta(days=-400), timedelta(days=1)).map(lambda ago: NOW + ago),
    ),
    max_size=30,
)


@given(
    st.sampled_from([None, "email", "push"]),
    ENGAGEMENTS,
    st.sets(st.sampled_from(BOTH)),
    st.sampled_from(["en", "de"]),
)
def test_learning_never_adds_an_address_and_always_gives_a_reason(choice, engagements, available, language):
    order = choose(choice, engagements, available, NOW)
    assert set(order.channels) == available
    assert len(order.channels) == len(available)
    assert in_words(order.reason, language)
    assert "{" not in in_words(order.reason, language)
    if choice in available:
        assert order.channels[0] == choice


@pytest.mark.parametrize("channel", BOTH)
@given(ENGAGEMENTS)
def test_one_more_open_never_moves_a_channel_back(channel, engagements):
    before = choose(None, engagements, BOTH, NOW).channels
    after = choose(None, [*engagements, Engagement(channel, "opened", NOW)], BOTH, NOW).channels
    assert after.index(channel) <= before.index(channel)
