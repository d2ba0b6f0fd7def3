"""The queue and the batch are bounded by bytes as well as by messages."""

from datetime import timedelta

from gateway.ingest.batch import decode_batch
from gateway.m2m.device import Limits
from gateway.m2m.inbox import Inbox, memory_bytes
from gateway.m2m.message import Message
from tests.unit.test_decode import DEVICE, NOW_US

NOW = timedelta(0)


def publish(number: int, size: int = 10) -> Message:
    return Message("m2m/v1/pump/P1/telemetry", b"x" * size, number, 1, resumed=False, received_us=number)


def filled_inbox(inbox: Inbox, *sizes: int) -> Inbox:
    for number, size in enumerate(sizes, 1):
        inbox.put(publish(number, size))
    return inbox


def batch_ids(inbox: Inbox, messages: int, size: int) -> list[int]:
    return [message.packet_id for message in inbox.take(messages, NOW, NOW, size)]


def test_reading_stops_when_the_bytes_are_full_and_goes_on_when_they_were_taken():
    inbox = Inbox(max_messages=1_000, max_bytes=10 * memory_bytes(publish(1, 64_000)))
    filled_inbox(inbox, *[64_000] * 9)
    assert not inbox.full
    inbox.put(publish(10, 64_000))
    assert inbox.full
    assert batch_ids(inbox, 1, 10**9) == [1]
    assert not inbox.full


def test_many_small_messages_are_full_by_their_objects_too():
    """A message of nothing takes memory_bytes as well."""
    inbox = Inbox(max_messages=10**6, max_bytes=1_000_000)
    number = 0
    while not inbox.full:
        inbox.put(publish(number := number + 1, 0))
    assert 1_000 < number < 4_000


def test_five_thousand_messages_of_64_kb_are_many_batches_of_their_bytes():
    inbox = filled_inbox(Inbox(20_000, 64_000_000), *[64_000] * 900)
    sizes = []
    while batch := inbox.take(5_000, NOW, NOW, 8_000_000):
        sizes.append(sum(map(memory_bytes, batch)))
    assert len(sizes) == 8
    assert max(sizes) <= 8_000_000
    assert len(inbox) == 0
    assert not inbox.full


def test_a_message_larger_than_a_batch_goes_alone_in_its_turn():
    inbox = filled_inbox(Inbox(100, 10**9), 10, 5_000, 10, 10)
    assert batch_ids(inbox, 10, 2_000) == [1]
    assert batch_ids(inbox, 10, 2_000) == [2]
    assert batch_ids(inbox, 10, 2_000) == [3, 4]


def test_a_batch_is_closed_by_the_message_that_fills_it_with_readings():
    limits = Limits(65_536, 5_000, 600_000_000, 400 * 86_400_000_000, batch_readings=25)
    payload = b"[" + b",".join(b'{"ts": %d, "values": {"temp_c": 20}}' % (NOW_US // 1000 + n) for n in range(10)) + b"]"
    topic = "m2m/v1/pump/P1/telemetry"
    messages = [Message(topic, payload, number, 1, False, NOW_US) for number in range(1, 8)]
    batch = decode_batch(messages, {topic: DEVICE}, limits, bytes(10 * 7))
    assert (batch.messages, len(batch.readings), len(batch.heard), len(batch.entries)) == (3, 30, 3, 30)
