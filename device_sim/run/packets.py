"""The MQTT packets of a device, versions 3.1.1 and 5: it publishes with QoS 1 and subscribes with QoS 0."""

from dataclasses import dataclass
from typing import Literal

Level = Literal[4, 5]
"""The protocol level of MQTT 3.1.1 and of MQTT 5."""
LEVELS: dict[str, Level] = {"3.1.1": 4, "5": 5}

PING = b"\xc0\x00"
GOODBYE = b"\xe0\x00"
PACKET_IDS = 65_535

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _PINGRESP, _DISCONNECT = 2, 3, 4, 9, 13, 14
_RETAINED = 1
_PLAIN_PUBACK, _PUBACK_BYTES = b"\x40\x02", 4
_MAX_BODY = 65_536  # the longest packet of a broker to a device; receipts are short
_RECEIVE_MAXIMUM = 0x21
_FAILED = 0x80
# The properties that a CONNACK may have, by the encoding of their values.
_ONE_BYTE = frozenset({0x24, 0x25, 0x28, 0x29, 0x2A})
_TWO_BYTES = frozenset({_RECEIVE_MAXIMUM, 0x22, 0x13})
_FOUR_BYTES = frozenset({0x11, 0x27})
_TEXT = frozenset({0x12, 0x1A, 0x1C, 0x1F, 0x15, 0x16})
_PAIR = 0x26
# The usual refusals: MQTT 3.1.1 numbers them from 1, MQTT 5 from 128.
_WORDS = {
    1: "unacceptable protocol version", 2: "client id rejected", 3: "server unavailable",
    4: "bad user name or password", 5: "not authorized", 0x80: "unspecified error", 0x81: "malformed packet",
    0x82: "protocol error", 0x84: "unsupported protocol version", 0x85: "client id not valid",
    0x86: "bad user name or password", 0x87: "not authorized", 0x88: "server unavailable", 0x89: "server busy",
    0x8A: "banned", 0x8B: "server shutting down", 0x8D: "keep alive timeout", 0x8E: "session taken over",
    0x93: "receive maximum exceeded", 0x95: "packet too large", 0x97: "quota exceeded",
    0x9F: "connection rate exceeded",
}  # fmt: skip


class Malformed(ValueError):
    """The bytes are not a packet that a broker may send to a device."""


@dataclass(frozen=True, slots=True)
class Connack:
    """The broker's answer to CONNECT; `window` is how many messages may be unacknowledged, if it says so."""

    code: int
    window: int | None

    @property
    def accepted(self) -> bool:
        """Whether the broker accepted the connection."""
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker has taken the message of that id, or refused it."""

    packet_id: int
    code: int

    @property
    def accepted(self) -> bool:
        """Whether the broker took the message."""
        return self.code < _FAILED


@dataclass(frozen=True, slots=True)
class Suback:
    """The broker has taken the subscription of that id, or refused it."""

    packet_id: int
    code: int

    @property
    def accepted(self) -> bool:
        """Whether the broker accepted the subscription."""
        return self.code < _FAILED


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to the device, QoS 0."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The broker ends the connection and says why."""

    code: int


Packet = Connack | Puback | Suback | Publish | Pong | Disconnect


def words(code: int) -> str:
    """Returns the text of a reason code."""
    return _WORDS.get(code, f"reason code {code}")


def connect(
    client_id: str, level: Level, keepalive: int, user: str | None = None, password: str | None = None
) -> bytes:
    """Returns a CONNECT with a clean session: the device itself keeps unacknowledged messages."""
    flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if user is not None and password is not None else 0)
    body = b"\x00\x04MQTT" + bytes((level, flags)) + keepalive.to_bytes(2, "big")
    body += (b"\x00" if level == 5 else b"") + _field(client_id.encode())
    for secret in (user, password if user is not None else None):
        body += _field(secret.encode()) if secret is not None else b""
    return b"\x10" + _length(len(body)) + body


def publish_head(topic: str) -> bytes:
    """Returns the topic field of a PUBLISH, which is made once for each device."""
    return _field(topic.encode())


def publish(head: bytes, payload: bytes, packet_id: int, level: Level) -> bytes:
    """Returns a PUBLISH with QoS 1."""
    rest = packet_id.to_bytes(2, "big") + b"\x00" if level == 5 else packet_id.to_bytes(2, "big")
    return b"\x32" + _length(len(head) + len(rest) + len(payload)) + head + rest + payload


def subscribe(topic: str, packet_id: int, level: Level) -> bytes:
    """Returns a SUBSCRIBE to one topic with QoS 0; a retained message there comes at once."""
    body = packet_id.to_bytes(2, "big") + (b"\x00" if level == 5 else b"") + _field(topic.encode()) + b"\x00"
    return b"\x82" + _length(len(body)) + body


class Parser:
    """Splits the bytes of a broker into packets; the bytes may arrive in any pieces."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Returns the packets that are complete with `data`. Raises Malformed."""
        if not self._rest and len(data) == _PUBACK_BYTES and data[:2] == _PLAIN_PUBACK:
            return [Puback(data[2] << 8 | data[3], 0)]  # nearly every packet
        data = self._rest + data if self._rest else data
        packets: list[Packet] = []
        place = 0
        while (body := _body(data, place)) is not None:
            begin, end = body
            packets.append(self._packet(data[place], data[begin:end]))
            place = end
        self._rest = data[place:]
        return packets

    def _packet(self, first: int, body: bytes) -> Packet:
        kind, flags = divmod(first, 16)
        if kind == _PUBLISH and flags in (0, _RETAINED):
            return self._publish(body)
        if flags:
            raise Malformed(f"flags {flags} on a packet of type {kind}")
        if kind == _PUBACK and len(body) >= 2 and (self._level == 5 or len(body) == 2):
            return Puback(int.from_bytes(body[:2], "big"), body[2] if len(body) > 2 else 0)
        if kind == _CONNACK and len(body) >= 2 and (self._level == 5 or len(body) == 2):
            return Connack(body[1], _receive_maximum(body[2:]) if len(body) > 2 else None)
        if kind == _SUBACK:
            return self._suback(body)
        if kind == _PINGRESP and not body:
            return Pong()
        if kind == _DISCONNECT and self._level == 5:
            return Disconnect(body[0] if body else 0)
        raise Malformed(f"a packet of type {kind} with {len(body)} bytes")

    def _suback(self, body: bytes) -> Suback:
        codes = self._after_properties(body, 2)
        if len(codes) != 1:
            raise Malformed(f"{len(codes)} answers to one subscription")
        return Suback(int.from_bytes(body[:2], "big"), codes[0])

    def _publish(self, body: bytes) -> Publish:
        end = 2 + int.from_bytes(body[:2], "big")
        if len(body) < end:
            raise Malformed("the topic of a message is cut off")
        try:
            topic = body[2:end].decode()
        except UnicodeDecodeError:
            raise Malformed("the topic of a message is not UTF-8") from None
        return Publish(topic, self._after_properties(body, end))

    def _after_properties(self, body: bytes, place: int) -> bytes:
        """Returns the bytes after the properties that MQTT 5 has at `place`."""
        if self._level == 4:
            return body[place:]
        bounds = _body(body, place - 1)
        if bounds is None:
            raise Malformed("properties are cut off")
        return body[bounds[1] :]


def _body(data: bytes, place: int) -> tuple[int, int] | None:
    """Where the body of the packet at `place` begins and ends; None while some of it is missing."""
    length = shift = 0
    for at in range(place + 1, min(place + 5, len(data))):
        length |= (data[at] & 0x7F) << shift
        if data[at] < 0x80:
            if length > _MAX_BODY:
                raise Malformed(f"a packet of {length} bytes")
            return (at + 1, at + 1 + length) if at + 1 + length <= len(data) else None
        shift += 7
    if len(data) >= place + 5:
        raise Malformed("a length of more than four bytes")
    return None


def _receive_maximum(properties: bytes) -> int | None:
    """The window among the properties of a CONNACK; the others are passed over."""
    body = _body(b"\x00" + properties, 0)
    if body is None or body[1] != len(properties) + 1:
        raise Malformed("the properties have another length than they say")
    place = body[0] - 1
    window: int | None = None
    while place < len(properties):
        name, value = properties[place], properties[place + 1 : place + 3]
        if name == _RECEIVE_MAXIMUM:
            window = int.from_bytes(value, "big")
        place += 1 + _size(name, properties, place + 1)
    if place != len(properties) or window == 0:
        raise Malformed("a property is cut off")
    return window


def _size(name: int, properties: bytes, place: int) -> int:
    """The number of bytes of a property's value."""
    for names, size in ((_ONE_BYTE, 1), (_TWO_BYTES, 2), (_FOUR_BYTES, 4)):
        if name in names:
            return size
    if name not in _TEXT and name != _PAIR:
        raise Malformed(f"a property {name} in a CONNACK")
    first = 2 + int.from_bytes(properties[place : place + 2], "big")
    if name in _TEXT:
        return first
    return first + 2 + int.from_bytes(properties[place + first : place + first + 2], "big")


def _field(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def _length(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    encoded = bytearray()
    while number:
        number, low = divmod(number, 0x80)
        encoded.append(low | (0x80 if number else 0))
    return bytes(encoded)
