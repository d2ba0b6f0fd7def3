"""Thousands of connections on one epoll: each device keeps what the broker has not acknowledged, and sends it again."""

# One thread, no callbacks of a library between a message and its socket: paho takes five times the CPU for the same
# (docs/adr/0020). A device is up, away, or half open: its socket lives, and it does not notice that nothing comes back.

import errno
import heapq
import os
import resource
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from device_sim.errors import SimError
from device_sim.link import Broker, Say
from device_sim.run.packets import (
    GOODBYE,
    PACKET_IDS,
    PING,
    Connack,
    Disconnect,
    Level,
    Malformed,
    Parser,
    Puback,
    connect,
    publish,
    publish_head,
    words,
)
from device_sim.run.sending import Sending

WINDOW = 100  # unacknowledged messages of one device; the broker may grant fewer
KEEPALIVE_S = 60
_PING_AFTER_S = KEEPALIVE_S / 3
_SWEEP_S = 1.0
_ANSWER_S = 10.0  # for the broker to accept a connection
_OPENING = 200  # connections being made at the same time
_BACKOFF_S = (0.5, 5.0)
_ABANDONED = 1_000  # half-open sockets kept; the oldest are closed then
_SPARE_FILES = 64
_EVENTS = 1_024
_READ = 16_384
_RESET = struct.pack("ii", 1, 0)  # close() then sends RST, as a device that loses its power never says goodbye


class Phase(IntEnum):
    """Where a device's connection is."""

    AWAY = 0
    OPENING = 1
    OPEN = 2
    DEAF = 3  # sends, and hears nothing: its messages arrive, their PUBACKs do not
    MUTE = 4  # neither sends nor hears


@dataclass(slots=True, eq=False)
class Device:
    """One device's connection, and its memory of what was not acknowledged."""

    index: int
    client_id: str
    topic: str
    head: bytes
    waiting: deque[Sending] = field(default_factory=deque)
    flight: dict[int, Sending] = field(default_factory=dict)
    phase: Phase = Phase.AWAY
    wanted: bool = True
    sock: socket.socket | None = None
    parser: Parser | None = None
    out: bytearray = field(default_factory=bytearray)
    packet_id: int = 0
    window: int = WINDOW
    backoff: float = _BACKOFF_S[0]
    since: float = 0.0  # when it was opened, then when it last sent


@dataclass(slots=True)
class Counts:
    """What happened so far."""

    published: int = 0  # accepted from the caller
    acknowledged: int = 0
    refused: int = 0  # answered by the broker with an error
    again: int = 0  # sent once more after a connection broke
    connected: int = 0  # now
    connections: int = 0  # accepted by the broker, ever
    lost: int = 0  # broken without our doing


class Swarm:
    """Publishes for many devices with QoS 1; the caller pumps."""

    def __init__(
        self,
        broker: Broker,
        level: Level,
        names: Sequence[tuple[str, str]],
        monotonic: Callable[[], float],
        acknowledged: Callable[[Sending], None],
        say: Say,
    ) -> None:
        """`names` are client id and topic of each device; `acknowledged` hears of each message the broker answered."""
        if broker.tls:
            raise SimError("device-sim run speaks plain MQTT only; use mqtt:// (device-sim fleet knows mqtts://)")
        allow_files(len(names))
        self.counts = Counts()
        self.outstanding = 0
        self._broker = broker
        self._address = _address(broker)
        self._level = level
        self._monotonic = monotonic
        self._acknowledged = acknowledged
        self._say = say
        self._epoll = select.epoll()
        self._devices = [
            Device(index, client_id, topic, publish_head(topic)) for index, (client_id, topic) in enumerate(names)
        ]
        self._by_file: dict[int, Device] = {}
        self._tries: list[tuple[float, int]] = []  # a heap: when to connect, and which device
        self._opening = 0
        self._abandoned: deque[socket.socket] = deque()
        self._swept = self._began = monotonic()
        self._told: set[str] = set()

    def begin(self) -> None:
        """Count from now on."""
        self.counts = Counts(connected=self.counts.connected)
        self._began = self._monotonic()

    @property
    def now(self) -> float:
        """Milliseconds since the beginning."""
        return (self._monotonic() - self._began) * 1_000

    # -- What a device is told to do ----------------------------------------------------------------------------

    def publish(self, sending: Sending) -> None:
        """Accept a message: it goes out now, or when its device is up again."""
        device = self._devices[sending.device]
        self.counts.published += 1
        self.outstanding += 1
        if (
            (device.phase is Phase.OPEN or device.phase is Phase.DEAF)
            and not device.waiting
            and len(device.flight) < device.window
        ):
            self._send(device, sending)
        else:
            device.waiting.append(sending)

    def up(self, index: int) -> None:
        """Connect; a half-open connection is left as it is and a new one made with the same client id."""
        device = self._devices[index]
        if device.phase in (Phase.DEAF, Phase.MUTE) and device.sock is not None:
            self._abandoned.append(device.sock)
            while len(self._abandoned) > _ABANDONED:
                self._abandoned.popleft().close()
            device.sock = None
            self._forget(device)
        device.wanted = True
        if device.phase is Phase.AWAY:
            heapq.heappush(self._tries, (self._monotonic(), index))

    def down(self, index: int, *, goodbye: bool = True) -> None:
        """Disconnect, or vanish without a word, and stay away until `up`."""
        device = self._devices[index]
        device.wanted = False
        if device.sock is not None:
            if goodbye and device.phase is Phase.OPEN:
                self._push(device, GOODBYE)
            elif not goodbye:
                device.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._close(device)

    def half_open(self, index: int, *, deaf: bool) -> None:
        """Hear nothing any more; `deaf` still sends, else the device is silent too. It lasts until `up`."""
        device = self._devices[index]
        if device.phase is Phase.OPEN and device.sock is not None:
            self._epoll.unregister(device.sock.fileno())
            del self._by_file[device.sock.fileno()]
            self.counts.connected -= 1
            device.phase = Phase.DEAF if deaf else Phase.MUTE

    # -- The wheel ----------------------------------------------------------------------------------------------

    def pump(self, timeout: float) -> None:
        """Connect who is due, then wait up to `timeout` seconds for the broker and do what it says."""
        now = self._monotonic()
        if now - self._swept >= _SWEEP_S:
            self._sweep(now)
        while self._tries and self._tries[0][0] <= now and self._opening < _OPENING:
            self._open(self._devices[heapq.heappop(self._tries)[1]], now)
        if self._tries:
            timeout = min(timeout, max(0.0, self._tries[0][0] - now) if self._opening < _OPENING else timeout)
        for number, events in self._epoll.poll(timeout, _EVENTS):
            device = self._by_file.get(number)
            if device is None:
                continue  # closed by an event before this one
            if events & select.EPOLLOUT:
                self._flush(device)
            if events & ~select.EPOLLOUT and device.sock is not None:
                self._read(device)

    def close(self) -> None:
        """Say goodbye and leave."""
        for device in self._devices:
            if device.sock is not None:
                self.down(device.index)
        for sock in self._abandoned:
            sock.close()
        self._epoll.close()

    def unanswered(self) -> list[Sending]:
        """The messages that the broker has not acknowledged, in no order."""
        return [each for device in self._devices for each in (*device.flight.values(), *device.waiting)]

    # -- Inside -------------------------------------------------------------------------------------------------

    def _send(self, device: Device, sending: Sending) -> None:
        packet_id = device.packet_id % PACKET_IDS + 1
        device.packet_id = packet_id
        device.flight[packet_id] = sending
        head = device.head if sending.topic == device.topic else publish_head(sending.topic)
        now = self._monotonic()
        if sending.sent:
            self.counts.again += 1
        sending.sent.append((now - self._began) * 1_000)
        device.since = now
        self._push(device, publish(head, sending.payload, packet_id, self._level))

    def _push(self, device: Device, packet: bytes) -> None:
        """Hand bytes to the socket; what it does not take waits."""
        if device.out or device.sock is None:
            device.out += packet
            return
        try:
            taken = device.sock.send(packet)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            self._lost(device, error.strerror or str(error))
            return
        if taken < len(packet):
            device.out += packet[taken:]
            if device.phase in (Phase.OPENING, Phase.OPEN):
                self._epoll.modify(device.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _flush(self, device: Device) -> None:
        if device.sock is None:
            return
        if device.out:
            packet = bytes(device.out)
            device.out.clear()
            self._push(device, packet)
        if device.sock is not None and not device.out:
            self._epoll.modify(device.sock.fileno(), select.EPOLLIN)

    def _read(self, device: Device) -> None:
        if device.sock is None or device.parser is None:
            return
        try:
            data = device.sock.recv(_READ)
            packets = device.parser.feed(data)
        except BlockingIOError:
            return
        except (OSError, Malformed) as error:
            self._lost(device, getattr(error, "strerror", None) or str(error))
            return
        for packet in packets:
            if isinstance(packet, Puback):
                self._answered(device, packet)
            elif isinstance(packet, Connack):
                self._accepted(device, packet)
            elif isinstance(packet, Disconnect):
                self._lost(device, words(packet.code))
        if not data:
            self._lost(device, "connection closed")

    def _answered(self, device: Device, packet: Puback) -> None:
        sending = device.flight.pop(packet.packet_id, None)
        if sending is None:
            return
        self.outstanding -= 1
        sending.acked = self.now
        if packet.accepted:
            self.counts.acknowledged += 1
        else:
            sending.code = packet.code
            self.counts.refused += 1
            self._tell(f"the broker refuses messages: {words(packet.code)}")
        self._acknowledged(sending)
        if device.waiting and device.phase is Phase.OPEN:
            self._send(device, device.waiting.popleft())

    def _accepted(self, device: Device, packet: Connack) -> None:
        if device.phase is not Phase.OPENING:
            self._lost(device, "a second CONNACK")
        elif not packet.accepted:
            self._lost(device, f"refused the connection: {words(packet.code)}")
        else:
            self._opening -= 1
            device.phase, device.backoff = Phase.OPEN, _BACKOFF_S[0]
            device.window = min(WINDOW, packet.window or WINDOW)
            self.counts.connected += 1
            self.counts.connections += 1
            while device.waiting and len(device.flight) < device.window and device.phase is Phase.OPEN:
                self._send(device, device.waiting.popleft())

    def _open(self, device: Device, now: float) -> None:
        if not device.wanted or device.phase is not Phase.AWAY:
            return
        family, address = self._address
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)  # noqa: FBT003 - socket's own signature
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = sock.connect_ex(address)
        if failed not in (0, errno.EINPROGRESS):
            sock.close()
            self._later(device)
            self._tell(f"{self._broker} does not answer: {_words(failed)}")
            return
        device.sock, device.parser, device.since = sock, Parser(self._level), now
        device.phase = Phase.OPENING
        self._opening += 1
        self._by_file[sock.fileno()] = device
        self._epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLOUT)
        device.out += connect(device.client_id, self._level, KEEPALIVE_S, self._broker.user, self._broker.password)

    def _lost(self, device: Device, why: str) -> None:
        """A connection broke, and not by our doing: try again after a while."""
        if device.phase is Phase.AWAY:
            return
        self.counts.lost += 1
        self._close(device)
        self._later(device)
        self._tell(f"a connection was lost: {why}")

    def _later(self, device: Device) -> None:
        heapq.heappush(self._tries, (self._monotonic() + device.backoff, device.index))
        device.backoff = min(2 * device.backoff, _BACKOFF_S[1])

    def _close(self, device: Device) -> None:
        sock, device.sock = device.sock, None
        if sock is not None:
            if self._by_file.pop(sock.fileno(), None) is not None:
                self._epoll.unregister(sock.fileno())
            sock.close()
        if device.phase is Phase.OPEN:
            self.counts.connected -= 1
        self._opening -= device.phase is Phase.OPENING
        self._forget(device)

    def _forget(self, device: Device) -> None:
        """The connection is over for the device: what it sent in vain waits in front again, in its order."""
        device.waiting.extendleft(reversed(device.flight.values()))
        device.flight.clear()
        device.out.clear()
        device.parser = None
        device.phase = Phase.AWAY

    def _sweep(self, now: float) -> None:
        """Ping who was silent, give up on who is not answered."""
        self._swept = now
        for device in self._devices:
            if device.phase is Phase.OPEN and now - device.since > _PING_AFTER_S:
                device.since = now
                self._push(device, PING)
            elif device.phase is Phase.OPENING and now - device.since > _ANSWER_S:
                self._lost(device, "it accepts connections but does not speak MQTT")

    def _tell(self, text: str) -> None:
        """Say what happens thousands of times once."""
        if text not in self._told:
            self._told.add(text)
            self._say(text)


def allow_files(devices: int) -> None:
    """Have the system let us open a socket for each device; raises SimError when it does not."""
    needed = devices + min(devices, _ABANDONED) + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        try:
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (needed, max(needed, hard) if hard != resource.RLIM_INFINITY else hard)
            )
        except (ValueError, OSError):
            raise SimError(
                f"{devices:,} devices need {needed:,} open files, the system allows {hard:,}; "
                f"raise it (as root: ulimit -n {needed}), or take fewer units with --limit"
            ) from None


def _address(broker: Broker) -> tuple[socket.AddressFamily, Any]:
    """Where to connect, looked up once."""
    try:
        family, _, _, _, address = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SimError(f"{broker}: {error.strerror or error}") from None
    return family, address


def _words(number: int) -> str:
    return os.strerror(number)
