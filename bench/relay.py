"""A relay between the gateway and the broker that records when messages are acknowledged."""

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
    """Relays connections and records, by number, when messages of QoS 1 were acknowledged (time.monotonic())."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = [self._listener]
        self._numbers: dict[int, int] = {}
        self._threads = [threading.Thread(target=self._run, name="relay")]
        self.port: int = self._listener.getsockname()[1]
        self.acknowledged: dict[int, float] = {}

    def start(self) -> None:
        """Begin to accept connections."""
        self._threads[0].start()

    def close(self) -> None:
        """End the connections and their threads."""
        self._end_all()
        self._threads[0].join()  # after that there is no new connection
        self._end_all()
        for thread in self._threads[1:]:
            thread.join()
        for end in self._ends:
            end.close()

    def _end_all(self) -> None:
        for end in self._ends:
            with suppress(OSError):  # it has ended already
                end.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while True:
            try:
                gateway_side, _ = self._listener.accept()
            except OSError:
                return  # `close` was called
            thread = threading.Thread(target=self._pass_on, args=(gateway_side,), name="relay-forth")
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, gateway_side: socket.socket) -> None:
        broker_side = socket.create_connection(("127.0.0.1", self._broker_port))
        for end in (gateway_side, broker_side):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ends += [gateway_side, broker_side]
        acknowledgements = threading.Thread(
            target=self._pass_acknowledgements, args=(gateway_side, broker_side), name="relay-back"
        )
        acknowledgements.start()
        packets = _Packets()
        for data in _received(broker_side):
            for header, body in packets.feed(data):
                if header & 0xF0 == _PUBLISH and header & _QOS and (number := _NUMBER.search(body)):
                    topic_end = 2 + int.from_bytes(body[:2])
                    self._numbers[int.from_bytes(body[topic_end : topic_end + 2])] = int(number[1])
            gateway_side.sendall(data)
        with suppress(OSError):  # it is closed
            gateway_side.shutdown(socket.SHUT_WR)
        acknowledgements.join()

    def _pass_acknowledgements(self, gateway_side: socket.socket, broker_side: socket.socket) -> None:
        packets = _Packets()
        for data in _received(gateway_side):
            now = time.monotonic()
            broker_side.sendall(data)
            for header, body in packets.feed(data):
                if header == _PUBACK and (number := self._numbers.pop(int.from_bytes(body[:2]), None)) is not None:
                    self.acknowledged[number] = now
        with suppress(OSError):  # it is closed
            broker_side.shutdown(socket.SHUT_WR)


@contextmanager
def relay(broker_port: int) -> Iterator[Relay]:
    """Run a relay to the broker until the block ends."""
    running_relay = Relay(broker_port)
    running_relay.start()
    try:
        yield running_relay
    finally:
        running_relay.close()


class _Packets:
    """Splits a stream into MQTT packets (MQTT 5, 2.1)."""

    def __init__(self) -> None:
        self._unparsed = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yields first byte and body of each packet that is complete."""
        self._unparsed += data
        position = 0
        while (packet := self._packet(position)) is not None:
            header, begin, position = packet
            yield header, self._unparsed[begin:position]
        self._unparsed = self._unparsed[position:]

    def _packet(self, position: int) -> tuple[int, int, int] | None:
        """Returns first byte, begin and end of the body; None when the packet is not complete."""
        length, shift = 0, 0
        for begin in range(position + 1, min(position + 5, len(self._unparsed))):
            length |= (self._unparsed[begin] & 0x7F) << shift
            shift += 7
            if self._unparsed[begin] < 0x80:
                end = begin + 1 + length
                return (self._unparsed[position], begin + 1, end) if end <= len(self._unparsed) else None
        return None


def _received(end: socket.socket) -> Iterator[bytes]:
    try:
        while data := end.recv(_CHUNK):
            yield data
    except ConnectionError:
        return
