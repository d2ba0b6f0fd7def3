import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt._packet import decode_publish
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket

from gateway.m2m.wire import BufferedClient, BufferedSocket, plain_publish, pubacks


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    wire = BufferedSocket(near)
    wire.setblocking(False)
    yield wire, far
    wire.close()
    far.close()


def test_reads_a_chunk_once_and_hands_it_out_in_pieces(pair):
    wire, far = pair
    far.send(b"abcdef")
    assert wire.recv(1) == b"a"
    assert wire.pending() == 5
    far.send(b"gh")
    assert wire.recv(10) == b"bcdef"
    assert wire.pending() == 0
    assert wire.recv(10) == b"gh"


def test_says_that_nothing_is_there_and_that_the_end_came(pair):
    wire, far = pair
    with pytest.raises(BlockingIOError):
        wire.recv(1)
    far.send(b"z")
    far.close()
    assert wire.recv(5) == b"z"
    assert wire.recv(5) == b""


def test_sends_nothing_before_it_is_flushed(pair):
    wire, far = pair
    far.setblocking(False)
    assert wire.send(b"abc") == 3
    wire.send(b"def")
    assert wire.has_unsent
    with pytest.raises(BlockingIOError):
        far.recv(10)
    wire.flush()
    assert far.recv(10) == b"abcdef"
    assert not wire.has_unsent


def test_keeps_what_the_kernel_does_not_take(pair):
    wire, far = pair
    sent = bytes(range(256)) * 40_000
    wire.send(sent)
    wire.flush()
    assert wire.has_unsent
    came = bytearray()
    while wire.has_unsent:
        came += far.recv(1_000_000)
        wire.flush()
    while len(came) < len(sent):
        came += far.recv(1_000_000)
    assert came == sent


def test_a_broken_connection_is_told_by_the_next_read(pair):
    wire, far = pair
    far.close()
    wire.send(b"abc")
    wire.flush()
    wire.send(b"def")
    wire.flush()
    assert not wire.has_unsent
    assert wire.recv(1) == b""


def test_closing_sends_what_still_waits(pair):
    wire, far = pair
    wire.send(b"bye")
    wire.close()
    assert far.recv(10) == b"bye"


def test_pubacks_are_mqtt_5_packets_in_order():
    assert pubacks([1, 0x1234, 65535]) == b"\x40\x02\x00\x01\x40\x02\x12\x34\x40\x02\xff\xff"
    assert pubacks([]) == b""


def packet(topic: bytes, packet_id: bytes, properties: bytes, payload: bytes) -> bytes:
    return len(topic).to_bytes(2) + topic + packet_id + properties + payload


@given(
    header=st.sampled_from([0x30, 0x31, 0x32, 0x33, 0x3A, 0x3B]),
    topic=st.text(max_size=300),
    packet_id=st.binary(min_size=2, max_size=2),
    payload=st.binary(max_size=300),
)
def test_a_plain_publish_says_what_paho_finds_in_it(header, topic, packet_id, payload):
    has_id = header & 0b110 > 0
    whole = bytearray(packet(topic.encode(), packet_id if has_id else b"", b"\0", payload))
    found = decode_publish(header, whole, MQTTProtocolVersion.MQTTv5)
    assert plain_publish(header, whole) == (topic, payload, found.mid, bool(header & 1))
    assert (found.topic.decode(), bytes(found.payload)) == (topic, payload)


@given(header=st.integers(0x30, 0x3F), whole=st.binary(max_size=60))
@example(0x32, b"")
@example(0x32, b"\0")
@example(0x30, b"\0\0\0")
@example(0x32, packet(b"a", b"\0\1", b"", b""))
@example(0x32, packet(b"\xff", b"\0\1", b"\0", b"x"))
@example(0x34, packet(b"a", b"\0\1", b"\0", b"x"))
@example(0x36, packet(b"a", b"\0\1", b"\0", b"x"))
@example(0x32, packet(b"a", b"\0\1", b"\2\1\1", b"x"))
def test_whatever_comes_it_agrees_with_paho_or_leaves_it_to_paho(header, whole):
    plain = plain_publish(header, whole)
    if plain is None:
        return
    found = decode_publish(header, whole, MQTTProtocolVersion.MQTTv5)
    assert found.qos < 2
    assert found.properties.isEmpty()
    assert plain == (found.topic.decode(), bytes(found.payload), found.mid, found.retain)


@pytest.mark.parametrize(
    ("header", "whole"),
    [
        (0x34, packet(b"a", b"\0\1", b"\0", b"x")),
        (0x32, packet(b"a", b"\0\1", b"\2\1\1", b"x")),
        (0x32, packet(b"\xff", b"\0\1", b"\0", b"x")),
    ],
    ids=["QoS 2", "properties", "a topic that is not UTF-8"],
)
def test_what_is_not_plain_is_for_paho(header, whole):
    assert plain_publish(header, whole) is None
    decode_publish(header, whole, MQTTProtocolVersion.MQTTv5)


def test_a_malformed_publish_is_for_paho_too():
    cut = packet(b"topic", b"\0\1", b"", b"")[:4]
    assert plain_publish(0x32, cut) is None
    with pytest.raises(MalformedPacket):
        decode_publish(0x32, cut, MQTTProtocolVersion.MQTTv5)


class PairedClient(BufferedClient):
    """A client whose broker is the other end of a pair of sockets."""

    def __init__(self, near: socket.socket, take) -> None:
        super().__init__("wired", take)
        self._near = near
        self.connect("nowhere")

    def _create_socket(self) -> BufferedSocket:
        wire = BufferedSocket(self._near)
        wire.setblocking(False)
        return wire

    def read_all(self, is_full) -> None:
        while not is_full():
            self.read(is_full)
            if not self.wire.pending():
                return


def framed(header: int, whole: bytes) -> bytes:
    """A packet with its length before it, MQTT 5, 1.5.5."""
    length, digits = len(whole), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([header, *digits]) + whole


PING_RESPONSE = b"\xd0\x00"
SIZES = st.sampled_from([0, 1, 90, 120, 127, 128, 16_370, 16_384, 40_000])


@given(
    messages=st.lists(st.tuples(SIZES, st.sampled_from(["plain", "without id", "properties", "ping"])), max_size=12),
    cuts=st.lists(st.integers(1, 60_000), max_size=20),
)
@example(messages=[(1, "plain")] * 3, cuts=[1, 1, 1, 1, 1, 1])
@example(messages=[(1, "plain"), (40_000, "plain"), (1, "ping"), (1, "plain")], cuts=[14, 20_000])
def test_wherever_the_stream_is_cut_every_message_is_taken_once_and_in_order(messages, cuts):
    stream, expected = b"", []
    for number, (size, kind) in enumerate(messages, 1):
        payload, mid = bytes([number]) * size, number.to_bytes(2)
        if kind == "ping":
            stream += PING_RESPONSE
            continue
        if kind == "without id":
            stream += framed(0x30, packet(b"t", b"", b"\0", payload))
        else:
            properties = b"\2\1\1" if kind == "properties" else b"\0"
            stream += framed(0x32, packet(b"t", mid, properties, payload))
        expected.append(("t", payload, 0 if kind == "without id" else number, False))
    near, far = socket.socketpair()
    with far:
        taken = []
        client = PairedClient(near, lambda *parts: taken.append(parts))
        for end in [*cuts, *[60_000] * 8]:
            piece, stream = stream[:end], stream[end:]
            far.sendall(piece)
            client.read_all(lambda: False)
        assert taken == expected
        client.wire.close()


def test_reading_stops_as_soon_as_there_is_no_room_and_goes_on_from_there():
    near, far = socket.socketpair()
    with far:
        taken = []
        client = PairedClient(near, lambda *parts: taken.append(parts[2]))
        far.sendall(b"".join(framed(0x32, packet(b"t", n.to_bytes(2), b"\0", b"x")) for n in range(1, 101)))
        client.read_all(lambda: len(taken) >= 7)
        assert taken == [1, 2, 3, 4, 5, 6, 7]
        client.read_all(lambda: False)
        assert taken == list(range(1, 101))
        client.wire.close()
