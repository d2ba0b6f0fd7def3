"""The sockets of thousands of devices on one epoll, with connections that break on purpose."""

import errno
import heapq
import os
import resource
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from device_sim.errors import SimError
from device_sim.link import Broker, Say
from device_sim.run.device import BACKOFF_S, Counts, Device, Phase
from device_sim.run.packets import GOODBYE, PING, Level, Malformed, Packet, Parser, connect

KEEPALIVE_S = 60
_PING_AFTER_S = KEEPALIVE_S / 3
_ANSWER_S = 10.0  # the longest time until the broker accepts a connection
_OPENING = 200  # the most connections that are opened at the same time
_ABANDONED = 1_000  # the most half-open sockets; beyond it, the oldest are closed
_SPARE_FILES = 64
_EVENTS = 1_024
_READ = 16_384
_RESET = struct.pack("ii", 1, 0)  # with it close() sends RST, like a device that loses its power
_UNANSWERED = (Phase.OPENING, Phase.SUBSCRIBING)


class Sockets:
    """Connects devices to a broker; `counts` are shared with the swarm."""

    def __init__(
        self,
        broker: Broker,
        level: Level,
        devices: Sequence[Device],
        monotonic: Callable[[], float],
        counts: Counts,
        say: Say,
    ) -> None:
        self.counts = counts
        self._devices = devices
        self._broker = broker
        self._address = _address(broker)
        self._level = level
        self._monotonic = monotonic
        self._say = say
        self._epoll = select.epoll()
        self._by_file: dict[int, Device] = {}
        self._tries: list[tuple[float, int]] = []  # a heap: when to connect, and which device
        self._opening = 0
        self._abandoned: deque[socket.socket] = deque()
        self._printed: set[str] = set()

    # -- Commands for a device --------------------------------------------------------------------------------

    def up(self, device: Device) -> None:
        """Connect a device; a half-open connection stays, and a new one is made with the same client id."""
        if device.phase in (Phase.DEAF, Phase.MUTE) and device.sock is not None:
            self._abandoned.append(device.sock)
            while len(self._abandoned) > _ABANDONED:
                self._abandoned.popleft().close()
            device.sock = None
            device.forget()
        device.should_connect = True
        if device.phase is Phase.AWAY:
            heapq.heappush(self._tries, (self._monotonic(), device.index))

    def down(self, device: Device, *, goodbye: bool = True) -> None:
        """Disconnect a device until `up`; without `goodbye` by a reset, like a loss of power."""
        device.should_connect = False
        if device.sock is not None:
            if goodbye and device.phase is Phase.OPEN:
                self.push(device, GOODBYE)
            elif not goodbye:
                device.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._close(device)

    def half_open(self, device: Device, *, deaf: bool) -> None:
        """Read nothing from a device's connection until `up`; a `deaf` device still sends, any other does not."""
        if device.phase is Phase.OPEN and device.sock is not None:
            self._epoll.unregister(device.sock.fileno())
            del self._by_file[device.sock.fileno()]
            self.counts.connected -= 1
            device.phase = Phase.DEAF if deaf else Phase.MUTE

    def mark_open(self, device: Device) -> None:
        """Note that a connection is ready for messages."""
        self._opening -= 1
        device.phase, device.backoff = Phase.OPEN, BACKOFF_S[0]
        self.counts.connected += 1
        self.counts.connections += 1

    # -- The loop -----------------------------------------------------------------------------------------------

    def turn(self, timeout: float) -> Iterator[tuple[Device, list[Packet]]]:
        """Connect devices that are due, then wait up to `timeout` seconds; yields devices with packets for them."""
        now = self._monotonic()
        while self._tries and self._tries[0][0] <= now and self._opening < _OPENING:
            self._open(self._devices[heapq.heappop(self._tries)[1]], now)
        if self._tries:
            timeout = min(timeout, max(0.0, self._tries[0][0] - now) if self._opening < _OPENING else timeout)
        for number, events in self._epoll.poll(timeout, _EVENTS):
            device = self._by_file.get(number)
            if device is None:
                continue  # an earlier event closed it
            if events & select.EPOLLOUT:
                self._flush(device)
            if events & ~select.EPOLLOUT and device.sock is not None and device.parser is not None:
                try:
                    data = device.sock.recv(_READ)
                    packets = device.parser.feed(data)
                except BlockingIOError:
                    continue
                except (OSError, Malformed) as error:
                    self.handle_loss(device, getattr(error, "strerror", None) or str(error))
                    continue
                yield device, packets
                if not data:
                    self.handle_loss(device, "connection closed")

    def sweep(self, now: float) -> None:
        """Ping for silent devices, and drop connections that the broker does not answer."""
        for device in self._devices:
            if device.phase is Phase.OPEN and now - device.since > _PING_AFTER_S:
                device.since = now
                self.push(device, PING)
            elif device.phase in _UNANSWERED and now - device.since > _ANSWER_S:
                problem = (
                    "does not answer subscriptions" if device.phase is Phase.SUBSCRIBING else "does not speak MQTT"
                )
                self.handle_loss(device, f"it accepts connections but {problem}")

    def close(self) -> None:
        """Close the half-open sockets and the epoll."""
        for sock in self._abandoned:
            sock.close()
        self._epoll.close()

    # -- One connection -----------------------------------------------------------------------------------------

    def push(self, device: Device, packet: bytes) -> None:
        """Write bytes to the socket; bytes that it does not take are buffered."""
        if device.out or device.sock is None:
            device.out += packet
            return
        try:
            written = device.sock.send(packet)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self.handle_loss(device, error.strerror or str(error))
            return
        if written < len(packet):
            device.out += packet[written:]
            if device.phase in _UNANSWERED or device.phase is Phase.OPEN:
                self._epoll.modify(device.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def handle_loss(self, device: Device, reason: str) -> None:
        """Close a connection that broke without a plan, and connect again after a pause."""
        if device.phase is Phase.AWAY:
            return
        self.counts.lost += 1
        self._close(device)
        self._connect_later(device)
        self.say_once(f"a connection was lost: {reason}")

    def say_once(self, text: str) -> None:
        """Print a text that was not printed before."""
        if text not in self._printed:
            self._printed.add(text)
            self._say(text)

    def _open(self, device: Device, now: float) -> None:
        if not device.should_connect or device.phase is not Phase.AWAY:
            return
        family, address = self._address
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)  # noqa: FBT003 - socket's own signature
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            sock.close()
            self._connect_later(device)
            self.say_once(f"{self._broker} does not answer: {os.strerror(code)}")
            return
        device.sock, device.parser, device.since = sock, Parser(self._level), now
        device.phase = Phase.OPENING
        self._opening += 1
        self._by_file[sock.fileno()] = device
        self._epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLOUT)
        device.out += connect(device.client_id, self._level, KEEPALIVE_S, self._broker.user, self._broker.password)

    def _flush(self, device: Device) -> None:
        if device.sock is None:
            return
        if device.out:
            packet = bytes(device.out)
            device.out.clear()
            self.push(device, packet)
        if device.sock is not None and not device.out:
            self._epoll.modify(device.sock.fileno(), select.EPOLLIN)

    def _connect_later(self, device: Device) -> None:
        heapq.heappush(self._tries, (self._monotonic() + device.backoff, device.index))
        device.backoff = min(2 * device.backoff, BACKOFF_S[1])

    def _close(self, device: Device) -> None:
        sock, device.sock = device.sock, None
        if sock is not None:
            if self._by_file.pop(sock.fileno(), None) is not None:
                self._epoll.unregister(sock.fileno())
            sock.close()
        if device.phase is Phase.OPEN:
            self.counts.connected -= 1
        self._opening -= device.phase in _UNANSWERED
        device.forget()


def allow_files(devices: int) -> None:
    """Raise the limit on open files to a socket for each device. Raises SimError when the system refuses."""
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
    """Returns the family and address of the broker, looked up once."""
    try:
        family, _, _, _, address = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SimError(f"{broker}: {error.strerror or error}") from None
    return family, address
