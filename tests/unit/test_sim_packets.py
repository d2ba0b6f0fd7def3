"""The small MQTT client's packets: whatever a broker sends, in whatever pieces, it is read right or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device_sim.run.packets import (
    Connack,
    Disconnect,
    Malformed,
    Parser,
    Pong,
    Puback,
    Publish,
    Suback,
    connect,
    publish,
    publish_head,
    subscribe,
)


def varint(number: int) -> bytes:
    made = b""
    while True:
        number, low = divmod(number, 128)
        made += bytes([low | (128 if number else 0)])
        if not number:
            return made


def puback(packet: Puback, level: int) -> bytes:
    code = bytes([packet.code]) if packet.code else b""
    return b"\x40" + varint(2 + len(code)) + packet.packet_id.to_bytes(2, "big") + (code if level == 5 else b"")


def connack(packet: Connack, level: int) -> bytes:
    properties = Properties(PacketTypes.CONNACK)
    if packet.window is not None:
        properties.ReceiveMaximum = packet.window
        properties.ReasonString = "so it is"
        properties.UserProperty = ("a", "b")
        properties.ServerKeepAlive = 30
        properties.MaximumPacketSize = 20_000
        properties.RetainAvailable = 1
    body = bytes([0, packet.code]) + (properties.pack() if level == 5 else b"")
    return b"\x20" + varint(len(body)) + body


def suback(packet: Suback, level: int) -> bytes:
    properties = Properties(PacketTypes.SUBACK)
    properties.ReasonString = "so it is"
    body = packet.packet_id.to_bytes(2, "big") + (properties.pack() if level == 5 else b"") + bytes([packet.code])
    return b"\x90" + varint(len(body)) + body


def retained_publish(packet: Publish, level: int) -> bytes:
    """Retained or not: as a broker does for one that it held, and for one that came just now."""
    properties = Properties(PacketTypes.PUBLISH)
    if len(packet.payload) % 2:
        properties.MessageExpiryInterval = 30
        properties.UserProperty = ("a", "b" * len(packet.topic))
    topic = packet.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic + (properties.pack() if level == 5 else b"") + packet.payload
    return bytes([0x30 | len(topic) % 2]) + varint(len(body)) + body


PUBLISHES = st.builds(Publish, st.text(st.characters(codec="utf-8"), max_size=80), st.binary(max_size=200))
SUBACKS = st.builds(Suback, st.integers(1, 65_535), st.sampled_from([0, 0x80]))
PUBACKS = st.builds(Puback, st.integers(1, 65_535), st.just(0))
PACKETS_5 = st.one_of(
    st.builds(Puback, st.integers(1, 65_535), st.sampled_from([0, 0x10, 0x87, 0x97])),
    st.builds(Connack, st.sampled_from([0, 0x87]), st.none() | st.integers(1, 65_535)),
    PUBLISHES,
    SUBACKS,
    st.just(Pong()),
    st.builds(Disconnect, st.sampled_from([0, 0x8B, 0x8E])),
)


def packet_bytes(packet, level: int) -> bytes:
    if isinstance(packet, Puback):
        return puback(packet, level)
    if isinstance(packet, Connack):
        return connack(packet, level)
    if isinstance(packet, Suback):
        return suback(packet, level)
    if isinstance(packet, Publish):
        return retained_publish(packet, level)
    if isinstance(packet, Disconnect):
        return b"\xe0\x01" + bytes([packet.code])
    return b"\xd0\x00"


def in_pieces(parser: Parser, data: bytes, cuts: list[int]) -> list:
    found, begin = [], 0
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        found += parser.feed(data[begin:end])
        begin = end
    return found


@given(st.lists(PACKETS_5), st.lists(st.integers(0, 400)))
def test_what_a_broker_says_in_mqtt_5_is_read_in_whatever_pieces_it_comes(packets, cuts):
    data = b"".join(packet_bytes(packet, 5) for packet in packets)
    assert in_pieces(Parser(5), data, cuts) == packets


@given(st.lists(PUBACKS | SUBACKS | PUBLISHES), st.integers(0, 5), st.lists(st.integers(0, 40)))
def test_the_same_in_mqtt_3(packets, code, cuts):
    data = connack(Connack(code, None), 4) + b"".join(packet_bytes(packet, 4) for packet in packets)
    assert in_pieces(Parser(4), data, cuts) == [Connack(code, None), *packets]


@given(st.binary(max_size=200), st.sampled_from([4, 5]), st.lists(st.integers(0, 200)))
def test_no_bytes_break_the_parser(data, level, cuts):
    """It answers packets or refuses them; nothing else ever comes out of it."""
    try:
        packets = in_pieces(Parser(level), data, cuts)
    except Malformed:
        return
    assert all(isinstance(packet, (Connack, Puback, Suback, Publish, Pong, Disconnect)) for packet in packets)


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (b"\x30\x03\x00\x01t", 5),  # a message without its properties
        (b"\x30\x02\x00\x01", 4),  # its topic is cut off
        (b"\x30\x03\x00\x01\xff", 4),  # its topic is not UTF-8
        (b"\x32\x05\x00\x01t\x00\x01", 4),  # QoS 1, and we asked for 0
        (b"\x90\x04\x00\x01\x00\x00", 4),  # two answers to one subscription
        (b"\x90\x02\x00\x01", 4),  # none
        (b"\x90\x04\x00\x01\x05\x00", 5),  # its properties are cut off
        (b"\x41\x02\x00\x01", 5),  # flags
        (b"\x40\x01\x00", 5),  # no room for a packet id
        (b"\x40\x03\x00\x01\x00", 4),  # 3.1.1 has no reason codes there
        (b"\xe0\x01\x8e", 4),  # 3.1.1's broker does not say goodbye
        (b"\x40\xff\xff\xff\xff\x01", 5),  # a length of five bytes
        (b"\x40\xff\xff\x7f", 5),  # two megabytes
        (b"\x20\x06\x00\x00\x03\x21\x00\x00", 5),  # a window of nothing
        (b"\x20\x05\x00\x00\x02\x21\x00", 5),  # cut off
        (b"\x20\x05\x00\x00\x02\x7f\x00", 5),  # no such property
        (b"\x20\x05\x00\x00\x09\x21\x00", 5),  # says it is longer than it is
    ],
)
def test_what_no_broker_may_say_is_refused(data, level):
    with pytest.raises(Malformed):
        Parser(level).feed(data)


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("size", [0, 1, 100, 20_000, 70_000])
def test_a_publish_says_how_long_it_is(level, size):
    packet = publish(publish_head("m2m/v1/a/b/telemetry"), b"x" * size, 513, level)
    rest = b"\x00\x14m2m/v1/a/b/telemetry\x02\x01" + (b"\x00" if level == 5 else b"") + b"x" * size
    assert packet == b"\x32" + varint(len(rest)) + rest


def test_a_connect_carries_user_and_password_and_asks_for_nothing_kept():
    packet = connect("d1", 5, 60, "u", "p")
    assert packet[2:] == b"\x00\x04MQTT\x05\xc2\x00\x3c\x00\x00\x02d1\x00\x01u\x00\x01p"
    assert packet[1] == len(packet) - 2
    assert connect("d1", 4, 60) == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02d1"


@pytest.mark.parametrize(("level", "properties"), [(4, b""), (5, b"\x00")])
def test_a_subscribe_asks_for_one_topic_with_qos_0(level, properties):
    assert (
        subscribe("a/b", 513, level)
        == b"\x82" + bytes([8 + len(properties)]) + b"\x02\x01" + properties + b"\x00\x03a/b\x00"
    )
