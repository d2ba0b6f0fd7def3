"""The messages of a timing: how many are late or sent twice, and that what is counted of them is so."""

import json
from collections import Counter

import pytest

from bench.backlog import Backlog

START = 1_800_000_000_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def backlog() -> Backlog:
    return Backlog(20_000, 500, START, history_days=30)


def payloads(backlog):
    return [json.loads(backlog.payload(number)) for number in range(backlog.first, backlog.messages)]


def test_two_of_a_hundred_messages_come_late_or_twice(backlog):
    messages = payloads(backlog)
    late = sum(message.get("ts", START) < START for message in messages)
    again = len(messages) - len({message["values"]["number"] for message in messages})
    assert late + again == pytest.approx(len(messages) * 0.02, rel=0.05)
    assert min(late, again) > len(messages) * 0.009
    assert backlog.different() == len(messages) - again


def test_what_is_sent_twice_is_the_same_message_of_the_same_unit(backlog):
    sent = Counter((backlog.topic(number), backlog.payload(number)) for number in range(backlog.messages))
    assert set(sent.values()) == {1, 2}
    assert all(b'"ts"' in payload for (_, payload), many in sent.items() if many == 2), "else it is another reading"


def test_late_messages_are_of_all_days_of_the_past_and_each_of_a_time_of_its_own(backlog):
    late = [
        (number % backlog.units, message["ts"])
        for number, message in enumerate(payloads(backlog))
        if message.get("ts", START) < START
    ]
    assert {-(-(START - ts) // DAY) for _, ts in late} == set(range(1, 31))
    assert len(set(late)) == len(late)


def test_the_newest_message_is_neither(backlog):
    assert backlog.newest() == 19_999
    assert Backlog(141, 40, START).newest() == 139
