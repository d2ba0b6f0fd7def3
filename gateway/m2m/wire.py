"""paho over a buffered socket: paho reads single bytes, and the socket reads 256 KB at once from the kernel.

paho takes any object with a socket's methods, as it does for TLS and WebSockets. What it sends is buffered too, until
`flush`, so that the acknowledgements of a batch are one write. A plain PUBLISH is parsed here: paho makes an object for
the properties of each, though nearly none has any.
"""

import socket
from collections.abc import Callable, Iterable

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

_CHUNK = 262_144
_TYPE = 0xF0
_PUBLISH = 0x30
_MORE_BYTES = 0x80
_QOS = 0b110
_QOS_1 = 0b010
_RETAIN = 0b001

Publish = tuple[str, bytes, int, bool]
"""Topic, payload, packet id (0 with QoS 0), and whether it is a retained message."""

Take = Callable[[str, bytes, int, bool], None]
"""Called with the parts of each message."""


class BufferedSocket:
    """A connected socket that reads and writes in large pieces and never waits."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""
        self._position = 0
        self._unsent = bytearray()

    def recv(self, size: int) -> bytes:
        """Returns up to `size` bytes, b"" at the end. Raises BlockingIOError when nothing is there yet."""
        if self._position == len(self._received):
            self._received = self._socket.recv(_CHUNK)
            self._position = 0
        begin = self._position
        self._position = min(begin + size, len(self._received))
        return self._received[begin : self._position]

    def take_plain(self, take: Take, is_full: Callable[[], bool]) -> None:
        """Pass on complete plain PUBLISH packets, until there is another packet or `is_full`."""
        received, position, end = self._received, self._position, len(self._received)
        while position + 2 < end and received[position] & _TYPE == _PUBLISH:
            length, begin = received[position + 1], position + 2
            if length & _MORE_BYTES:
                high_byte, begin = received[begin], begin + 1
                if high_byte & _MORE_BYTES:  # longer than 16 KB: left to paho
                    break
                length += (high_byte << 7) - _MORE_BYTES
            if begin + length > end:
                break
            plain = plain_publish(received[position], received[begin : begin + length])
            if plain is None:
                break
            take(*plain)
            position = begin + length
            if is_full():
                break
        self._position = position

    def pending(self) -> int:
        """The number of received bytes that were not read yet."""
        return len(self._received) - self._position

    def send(self, data: bytes | bytearray) -> int:
        """Buffer all of it until `flush`."""
        self._unsent += data
        return len(data)

    @property
    def has_unsent(self) -> bool:
        """Whether there is something to flush."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send as much as the kernel takes now. When the connection broke, the next `recv` tells paho."""
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
        """Paho calls this; the socket never waits anyway."""
        self._socket.setblocking(flag)

    def close(self) -> None:
        """Send what can be sent at once, and close."""
        self.flush()
        self._socket.close()


class BufferedClient(Client):
    """paho's MQTT 5 client over a BufferedSocket, driven by the caller's loop; `take` has to acknowledge messages."""

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
        """Read one packet as paho does, and then the plain PUBLISH packets that were received with it."""
        result = self.loop_read()
        wire = self.wire
        if wire is not None and not self._in_packet["command"]:  # paho is between two packets
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
    """Returns the parts of a PUBLISH packet (MQTT 5, 3.3); None for one that paho must parse.

    That is one with QoS 2, with properties, with a topic that is not UTF-8, and a malformed one. `header` is its first
    byte, `packet` the part after the length.
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
    """PUBACK packets for taken messages (MQTT 5, 3.4: no reason code means success)."""
    return b"".join(b"\x40\x02" + packet_id.to_bytes(2) for packet_id in packet_ids)
