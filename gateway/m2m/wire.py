"""paho over a buffered socket: it asks for a byte at a time, so the kernel is asked for 256 KB at once instead.

paho takes any object with a socket's methods, as it does for TLS and WebSockets. What it sends is gathered, too, and
leaves with `flush`, so that the acknowledgements of a batch are one write. A plain PUBLISH is taken apart here: paho
makes an object for the properties of each, though nearly none has any.
"""

import socket
from collections.abc import Callable, Iterable

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

_CHUNK = 262_144
_TYPE = 0xF0
_PUBLISH = 0x30
_GOES_ON = 0x80
_QOS = 0b110
_QOS_1 = 0b010
_RETAIN = 0b001

Publish = tuple[str, bytes, int, bool]
"""Topic, payload, packet id (0 with QoS 0), and whether the broker repeats what it retained."""

Take = Callable[[str, bytes, int, bool], None]
"""Gets the parts of each message."""


class BufferedSocket:
    """A connected socket, read in chunks and written at once; never waits."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""
        self._place = 0
        self._unsent = bytearray()

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; raises BlockingIOError when nothing is there, answers b"" at the end."""
        if self._place == len(self._received):
            self._received = self._socket.recv(_CHUNK)
            self._place = 0
        begin = self._place
        self._place = min(begin + size, len(self._received))
        return self._received[begin : self._place]

    def take_plain(self, take: Take, is_full: Callable[[], bool]) -> None:
        """Hand over the plain PUBLISH packets that are here whole, until another packet comes or there is no room."""
        received, place, end = self._received, self._place, len(self._received)
        while place + 2 < end and received[place] & _TYPE == _PUBLISH:
            length, begin = received[place + 1], place + 2
            if length & _GOES_ON:
                more, begin = received[begin], begin + 1
                if more & _GOES_ON:  # longer than 16 KB: left to paho
                    break
                length += (more << 7) - _GOES_ON
            if begin + length > end:
                break
            plain = plain_publish(received[place], received[begin : begin + length])
            if plain is None:
                break
            take(*plain)
            place = begin + length
            if is_full():
                break
        self._place = place

    def pending(self) -> int:
        """Bytes received that nobody has asked for yet."""
        return len(self._received) - self._place

    def send(self, data: bytes | bytearray) -> int:
        """Take all of it; it leaves with `flush`."""
        self._unsent += data
        return len(data)

    @property
    def has_unsent(self) -> bool:
        """Whether something waits for `flush`."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what the kernel takes now. Of a connection that broke paho learns by the next `recv`."""
        if not self._unsent:
            return
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()

    def fileno(self) -> int:
        """The descriptor, for select."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - a socket's method
        """What paho asks for; we never wait."""
        self._socket.setblocking(flag)

    def close(self) -> None:
        """Send what still waits, if that can be done at once, and close."""
        self.flush()
        self._socket.close()


class BufferedClient(Client):
    """paho's MQTT 5 client over a BufferedSocket, driven by its owner's loop; who takes a message acknowledges it."""

    def __init__(self, client_id: str, take: Take) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self._take = take
        self.on_message = lambda _client, _data, message: take(*_parts(message))

    def _create_socket(self) -> BufferedSocket:
        return BufferedSocket(self._create_socket_connection())

    def read(self, is_full: Callable[[], bool]) -> MQTTErrorCode:
        """Read one packet as paho does, and behind it at once the plain PUBLISH packets that came along."""
        result = self.loop_read()
        wire = self.wire
        if wire is not None and not self._in_packet["command"]:  # paho is not within a packet
            wire.take_plain(self._take, is_full)
        return result

    def _handle_publish(self) -> MQTTErrorCode:
        plain = plain_publish(self._in_packet["command"], self._in_packet["packet"])
        if plain is None:
            return super()._handle_publish()
        self._take(*plain)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    @property
    def wire(self) -> BufferedSocket | None:
        """The connection; None while there is none."""
        connection = self.socket()
        assert connection is None or isinstance(connection, BufferedSocket)  # noqa: S101 - made above
        return connection


def plain_publish(header: int, packet: bytes | bytearray) -> Publish | None:
    """The parts of a PUBLISH packet (MQTT 5, 3.3); None where it is for paho.

    That is with QoS 2, with properties, with a topic that is not UTF-8, and when it is malformed. `header` is its first
    byte, `packet` what follows the length.
    """
    qos = header & _QOS
    topic_end = 2 + int.from_bytes(packet[:2])
    properties = topic_end + 2 if qos else topic_end
    if qos > _QOS_1 or len(packet) <= properties or packet[properties]:
        return None
    try:
        topic = packet[2:topic_end].decode()
    except UnicodeDecodeError:
        return None
    payload, packet_id = bytes(packet[properties + 1 :]), int.from_bytes(packet[topic_end:properties])
    return topic, payload, packet_id, bool(header & _RETAIN)


def _parts(message: MQTTMessage) -> Publish:
    try:
        topic = message.topic
    except UnicodeDecodeError:
        topic = "(a topic that is not UTF-8)"
    return topic, bytes(message.payload), message.mid if message.qos else 0, bool(message.retain)


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """PUBACK packets for messages that were taken (MQTT 5, 3.4: without a reason code it is success)."""
    return b"".join(b"\x40\x02" + packet_id.to_bytes(2) for packet_id in packet_ids)
