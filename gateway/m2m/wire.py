"""paho over a buffered socket: it asks for a byte at a time, so the kernel is asked for 256 KB at once instead.

paho takes any object with a socket's methods, as it does for TLS and WebSockets. What it sends is gathered, too, and
leaves with `flush`, so that the acknowledgements of a batch are one write.
"""

import socket
from collections.abc import Iterable

from paho.mqtt.client import Client

_CHUNK = 262_144


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
    """paho's client over a BufferedSocket, driven by its owner's loop."""

    def _create_socket(self) -> BufferedSocket:
        return BufferedSocket(self._create_socket_connection())

    @property
    def wire(self) -> BufferedSocket | None:
        """The connection; None while there is none."""
        connection = self.socket()
        assert connection is None or isinstance(connection, BufferedSocket)  # noqa: S101 - made above
        return connection


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """PUBACK packets for messages that were taken (MQTT 5, 3.4: without a reason code it is success)."""
    return b"".join(b"\x40\x02" + packet_id.to_bytes(2) for packet_id in packet_ids)
