"""What was stored and not acknowledged comes again after a reconnect: nothing is taken twice, nothing new is lost."""

from collections import deque
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.m2m.message import Message
from gateway.m2m.redelivery import ENTRY_BYTES, Redelivery

WINDOW = 8


def publish(payload: str, packet_id: int, connection: int = 1, *, resumed: bool = True) -> Message:
    return Message("m2m/v1/pump/P1/telemetry", payload.encode(), packet_id, connection, resumed=resumed, received_us=0)


def first(*payloads: str, packet_id: int = 20) -> list[Message]:
    """Messages of the first connection, numbered from `packet_id`."""
    return [publish(payload, nth, resumed=False) for nth, payload in enumerate(payloads, packet_id)]


def payloads(messages: list[Message]) -> str:
    return "".join(message.payload.decode() for message in messages)


def new_payloads(redelivery: Redelivery, *messages: Message) -> str:
    return payloads(redelivery.sift(messages)[0])


def test_a_broker_that_keeps_ids_repeats_what_was_not_acknowledged():
    redelivery = Redelivery(WINDOW)
    assert new_payloads(redelivery, *first(*"abcd")) == "abcd"
    again = [publish("c", 22, 2), publish("d", 23, 2), publish("e", 24, 2)]
    assert new_payloads(redelivery, *again) == "e"


def test_a_broker_that_numbers_anew_repeats_from_one():
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"abcd"))
    again = [publish("c", 1, 2), publish("d", 2, 2), publish("e", 3, 2)]
    assert new_payloads(redelivery, *again) == "e"


def test_repeats_may_come_in_many_batches():
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"abcd"))
    again = [publish("b", 21, 2), publish("c", 22, 2), publish("d", 23, 2), publish("e", 24, 2)]
    assert [new_payloads(redelivery, message) for message in again] == ["", "", "", "e"]


def test_an_equal_payload_under_another_id_is_new():
    """A device that stands still sends the same bytes for hours; they are readings all the same."""
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"aaa"))
    assert new_payloads(redelivery, publish("a", 23, 2), publish("a", 24, 2)) == "aa"


def test_an_equal_payload_after_the_repeats_is_new():
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"aaa"))
    again = [publish("a", 21, 2), publish("a", 22, 2), publish("a", 23, 2)]
    assert new_payloads(redelivery, *again) == "a"


def test_an_equal_payload_within_one_connection_is_new():
    redelivery = Redelivery(WINDOW)
    assert new_payloads(redelivery, *first(*"aa"), publish("a", 20, 1, resumed=False)) == "aaa"


def test_another_topic_is_another_message():
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first("a"))
    other = replace(publish("a", 20, 2), topic="m2m/v1/pump/P2/telemetry")
    assert new_payloads(redelivery, other) == "a"


def test_once_something_new_came_nothing_is_a_repeat_any_more():
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"abc"))
    assert new_payloads(redelivery, publish("x", 30, 2), publish("b", 21, 2)) == "xb"


def test_after_a_lost_session_nothing_is_a_repeat():
    """The broker forgot what it held, so an equal message with an equal id is a new one."""
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"ab", packet_id=1))
    assert new_payloads(redelivery, publish("a", 1, 2, resumed=False), publish("b", 2, 2, resumed=False)) == "ab"


@pytest.mark.parametrize("ids", [(21, 22, 23, 24), (1, 2, 3, 4)], ids=["keeps ids", "numbers anew"])
def test_a_second_reconnect_in_the_middle_of_the_repeats_begins_them_again(ids: tuple[int, ...]):
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"abcd"))
    assert new_payloads(redelivery, publish("b", ids[0], 2), publish("c", ids[1], 2)) == ""
    again = [publish(payload, packet_id, 3) for payload, packet_id in zip("bcde", ids, strict=True)]
    assert new_payloads(redelivery, *again) == "e"


def test_what_was_acknowledged_during_the_repeats_is_not_awaited_again():
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"abcd"))
    redelivery.sift([publish("b", 21, 2), publish("c", 22, 2)])
    assert new_payloads(redelivery, publish("d", 23, 3), publish("e", 24, 3)) == "e"


def test_a_connection_may_change_in_the_middle_of_a_batch():
    redelivery = Redelivery(WINDOW)
    batch = [*first(*"abc"), publish("b", 21, 2), publish("c", 22, 2), publish("d", 23, 2), publish("d", 23, 3)]
    fresh, entries = redelivery.sift(batch)
    assert payloads(fresh) == "abcd"
    assert len(entries) == 4 * ENTRY_BYTES


def test_a_batch_may_end_within_the_repeats_of_what_it_began_with():
    """What the window forgets must not move the places that the repeats are laid against."""
    redelivery = Redelivery(3)
    redelivery.sift(first(*"abc"))
    assert new_payloads(redelivery, *first(*"def", packet_id=23), publish("d", 23, 2)) == "def"
    assert new_payloads(redelivery, publish("e", 24, 2), publish("f", 25, 2), publish("g", 26, 2)) == "g"


def test_of_several_places_that_look_alike_each_stays_possible():
    """A broker that numbers anew repeats "aab": after two times "a" the third place may follow."""
    redelivery = Redelivery(WINDOW)
    redelivery.sift(first(*"aaab"))
    again = [publish(payload, packet_id, 2) for packet_id, payload in enumerate("aabc", 1)]
    assert [new_payloads(redelivery, message) for message in again] == ["", "", "", "c"]


def test_only_as_many_as_may_be_in_flight_are_remembered():
    redelivery = Redelivery(3)
    redelivery.sift(first(*"abcde"))
    assert new_payloads(redelivery, publish("b", 21, 2)) == "b", "the broker had two more in flight than it may"
    redelivery = Redelivery(3)
    redelivery.sift(first(*"abcde"))
    assert new_payloads(redelivery, publish("c", 22, 2), publish("d", 23, 2), publish("e", 24, 2)) == ""


def test_the_window_stays_bounded_over_many_batches():
    redelivery = Redelivery(3)
    for nth in range(50):
        redelivery.sift(first(*"ab", packet_id=2 * nth + 1))
    assert new_payloads(redelivery, publish("a", 97, 2)) == "a", "three came behind it"
    assert new_payloads(redelivery, publish("a", 99, 3)) == ""


def test_quality_0_messages_come_once_or_never_and_leave_no_entry():
    redelivery = Redelivery(WINDOW)
    fresh, entries = redelivery.sift([publish("a", 0), *first(*"b"), publish("a", 0)])
    assert payloads(fresh) == "aba"
    assert len(entries) == ENTRY_BYTES
    assert (
        new_payloads(redelivery, publish("a", 0, 2), publish("b", 20, 2), publish("a", 0, 2), publish("c", 21, 2))
        == "aac"
    )


def status(payload: str, packet_id: int, connection: int = 1, *, resumed: bool = True) -> Message:
    return replace(publish(payload, packet_id, connection, resumed=resumed), topic="m2m/v1/pump/P1/status")


@pytest.mark.parametrize("restarted", [False, True])
def test_two_subscriptions_that_come_back_one_after_the_other_are_each_known_again(restarted: bool):
    """As rumqttd does it: first all of the one, then all of the other, numbered anew."""
    redelivery = Redelivery(WINDOW)
    mixed = [make(payload, nth, resumed=False) for nth, (make, payload) in enumerate(zip(
        (publish, status, publish, status, publish), "aAbBc", strict=True), 30)]  # fmt: skip
    _, journal = redelivery.sift(mixed)
    if restarted:
        redelivery = Redelivery(WINDOW, journal)
    again = [publish("a", 1, 2), publish("b", 2, 2), publish("c", 3, 2), publish("d", 4, 2)]
    again += [status("A", 5, 2), status("B", 6, 2), status("C", 7, 2)]
    assert new_payloads(redelivery, *again) == "dC"


def test_a_retained_status_that_comes_with_every_subscription_hides_no_repeat():
    """Mosquitto sends what was under way with its old id, and then what is retained with a new one."""
    redelivery = Redelivery(WINDOW)
    redelivery.sift([publish("a", 20, resumed=False), status("A", 21, resumed=False), publish("b", 22, resumed=False)])
    again = [publish("a", 20, 2), status("A", 21, 2), publish("b", 22, 2), status("A", 23, 2), publish("c", 24, 2)]
    assert new_payloads(redelivery, *again) == "Ac"


def test_entries_in_the_journal_hold_over_a_restart():
    """A new process counts its connections from one again, and knows only what was committed."""
    redelivery = Redelivery(WINDOW)
    committed = redelivery.sift(first(*"ab"))[1] + redelivery.sift(first(*"c", packet_id=22))[1]
    redelivery.sift(first(*"d", packet_id=23))
    restarted = Redelivery(WINDOW, committed)
    again = [publish(payload, packet_id, 1) for packet_id, payload in enumerate("bcd", 21)]
    assert new_payloads(restarted, *again) == "d", "d was not committed"


def test_of_a_long_journal_the_end_counts():
    redelivery = Redelivery(WINDOW)
    journal = redelivery.sift(first(*"abcdef"))[1]
    restarted = Redelivery(2, journal)
    assert new_payloads(restarted, publish("e", 24), publish("f", 25), publish("g", 26)) == "g"


class Broker:
    """A session: what is published waits, what is delivered stays in `unacknowledged` until its acknowledgement."""

    def __init__(self, *, keeps_ids: bool) -> None:
        self.keeps_ids = keeps_ids
        self.waiting: deque[str] = deque()
        self.unacknowledged: list[tuple[int, str]] = []
        self.sent = 0
        self._last_id = 0

    def reconnect(self) -> None:
        self.sent = 0
        if not self.keeps_ids:
            self.unacknowledged = [(nth, payload) for nth, (_, payload) in enumerate(self.unacknowledged, 1)]
            self._last_id = len(self.unacknowledged)

    def deliver(self) -> tuple[int, str] | None:
        if self.sent == len(self.unacknowledged):
            if not self.waiting or len(self.unacknowledged) == WINDOW:
                return None
            used = {packet_id for packet_id, _ in self.unacknowledged}
            self._last_id = next(nth for n in count(1) if (nth := (self._last_id + n - 1) % 19 + 1) not in used)
            self.unacknowledged.append((self._last_id, self.waiting.popleft()))
        self.sent += 1
        return self.unacknowledged[self.sent - 1]

    def acknowledge(self, packet_id: int) -> None:
        assert self.unacknowledged[0][0] == packet_id, "acknowledgements go out in the order of arrival"
        self.unacknowledged.pop(0)
        self.sent -= 1


class Gateway:
    """Ingest in small: an inbox, batches that are committed or not, acknowledgements of the present connection."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.journal = b""
        self.stored: list[str] = []
        self._sessions = 0
        self.restart()

    def restart(self) -> None:
        """What a kill -9 leaves: the broker's session and what was committed."""
        self.inbox: deque[Message] = deque()
        self.redelivery = Redelivery(WINDOW, self.journal)
        self._connection = 0
        self.reconnect()

    def reconnect(self) -> None:
        self._connection += 1
        self._sessions += 1
        self.broker.reconnect()

    def receive(self, messages: int) -> None:
        for _ in range(messages):
            if (delivered := self.broker.deliver()) is None:
                return
            packet_id, payload = delivered
            self.inbox.append(publish(payload, packet_id, self._connection, resumed=self._sessions > 1))

    def take(self, messages: int, *, commit: bool = True, acknowledge: bool = True) -> None:
        batch = [self.inbox.popleft() for _ in range(min(messages, len(self.inbox)))]
        fresh, entries = self.redelivery.sift(batch)
        if commit:
            self.journal = (self.journal + entries)[-(WINDOW + 3) * ENTRY_BYTES :]
            self.stored += [message.payload.decode() for message in fresh]
        if not (commit and acknowledge):
            self.restart()
            return
        for message in batch:
            if message.connection == self._connection:
                self.broker.acknowledge(message.packet_id)


sizes = st.integers(1, WINDOW + 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), sizes),
        st.tuples(st.just("receive"), sizes),
        st.tuples(st.just("take"), sizes),
        st.tuples(st.sampled_from(["reconnect", "restart"]), st.just(0)),
        st.tuples(st.sampled_from(["fail to commit", "die before acknowledging"]), sizes),
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(steps, st.booleans())
def test_every_message_is_taken_once_and_in_order_whatever_breaks(steps: list[tuple[str, int]], keeps_ids: bool):
    broker = Broker(keeps_ids=keeps_ids)
    gateway = Gateway(broker)
    published = 0
    for step, size in [*steps, ("reconnect", 0)]:
        match step:
            case "publish":
                broker.waiting += [f"{published + nth}" for nth in range(size)]
                published += size
            case "receive":
                gateway.receive(size)
            case "take":
                gateway.take(size)
            case "reconnect":
                gateway.reconnect()
            case "restart":
                gateway.restart()
            case "fail to commit":
                gateway.take(size, commit=False)
            case "die before acknowledging":
                gateway.take(size, acknowledge=False)
    for _ in range(published + 2):
        gateway.receive(WINDOW)
        gateway.take(WINDOW * 10)
    assert gateway.stored == [str(nth) for nth in range(published)]
    assert broker.unacknowledged == []
