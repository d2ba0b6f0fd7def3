"""A relay between the gateway and the broker, to see from outside when a message is acknowledged."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 262_144
_NUMBER = re.compile(rb'"number":(\d+)')
_PUBLISH, _PUBACK = 0x30, 0x40
_QOS = 0b110


class Relay:
    """Passes connections on; knows when each numbered message of QoS 1 was acknowledged, by time.monotonic()."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = [self._listener]
        self._numbers: dict[int, int] = {}
        self._threads = [threading.Thread(target=self._run, name="relay")]
        self.port: int = self._listener.getsockname()[1]
        self.acknowledged: dict[int, float] = {}

    def start(self) -> None:
        """Wait for connections from now on."""
        self._threads[0].start()

    def close(self) -> None:
        """End them and their threads."""
        self._end_all()
        self._threads[0].join()  # nobody new comes any more
        self._end_all()
        for thread in self._threads[1:]:
            thread.join()
        for end in self._ends:
            end.close()

    def _end_all(self) -> None:
        for end in self._ends:
            with suppress(OSError):  # it ended before
                end.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            forth = threading.Thread(target=self._pass_on, args=(near,), name="relay-forth")
            self._threads.append(forth)
            forth.start()

    def _pass_on(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._broker_port))
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ends += [near, far]
        back = threading.Thread(target=self._pass_acknowledgements, args=(near, far), name="relay-back")
        back.start()
        packets = _Packets()
        for data in _received(far):
            for header, body in packets.feed(data):
                if header & 0xF0 == _PUBLISH and header & _QOS and (number := _NUMBER.search(body)):
                    topic_end = 2 + int.from_bytes(body[:2])
                    self._numbers[int.from_bytes(body[topic_end : topic_end + 2])] = int(number[1])
            near.sendall(data)
        with suppress(OSError):  # it is gone
            near.shutdown(socket.SHUT_WR)
        back.join()

    def _pass_acknowledgements(self, near: socket.socket, far: socket.socket) -> None:
        packets = _Packets()
        for data in _received(near):
            now = time.monotonic()
            far.sendall(data)
            for header, body in packets.feed(data):
                if header == _PUBACK and (number := self._numbers.pop(int.from_bytes(body[:2]), None)) is not None:
                    self.acknowledged[number] = now
        with suppress(OSError):  # it is gone
            far.shutdown(socket.SHUT_WR)


@contextmanager
def relay(broker_port: int) -> Iterator[Relay]:
    """A relay to the broker for the time of the block."""
    made = Relay(broker_port)
    made.start()
    try:
        yield made
    finally:
        made.close()


class _Packets:
    """Cuts a stream into MQTT's packets (MQTT 5, 2.1)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """First byte and body of every packet that is whole by now."""
        self._rest += data
        place = 0
        while (packet := self._packet(place)) is not None:
            header, begin, place = packet
            yield header, self._rest[begin:place]
        self._rest = self._rest[place:]

    def _packet(self, place: int) -> tuple[int, int, int] | None:
        """First byte, and where the body begins and ends; None if it is not whole."""
        length, shift = 0, 0
        for begin in range(place + 1, min(place + 5, len(self._rest))):
            length |= (self._rest[begin] & 0x7F) << shift
            shift += 7
            if self._rest[begin] < 0x80:
                end = begin + 1 + length
                return (self._rest[place], begin + 1, end) if end <= len(self._rest) else None
        return None


def _received(end: socket.socket) -> Iterator[bytes]:
    try:
        while data := end.recv(_CHUNK):
            yield data
    except ConnectionError:
        return
