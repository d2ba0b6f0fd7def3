"""A simulated device: the phase of its connection, and its waiting, unacknowledged and kept messages."""

import socket
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum

from device_sim.run.buffer import Buffer
from device_sim.run.packets import Parser
from device_sim.run.sending import Sending

WINDOW = 100  # unacknowledged messages of one device; the broker may grant fewer
BACKOFF_S = (0.5, 5.0)


class Phase(IntEnum):
    """The phase of a device's connection."""

    AWAY = 0
    OPENING = 1
    SUBSCRIBING = 2  # accepted; it gets its receipt before it sends
    OPEN = 3
    DEAF = 4  # sends but receives nothing: its messages arrive, their PUBACKs do not
    MUTE = 5  # neither sends nor receives


@dataclass(slots=True)
class Counts:
    """The numbers of messages and connections so far."""

    published: int = 0  # accepted from the caller
    acknowledged: int = 0
    refused: int = 0  # answered by the broker with an error
    again: int = 0  # sent again after a connection broke, or without a receipt
    receipted: int = 0
    given_up: int = 0  # because a device's buffer was full
    connected: int = 0  # now
    connections: int = 0  # accepted by the broker, ever
    lost: int = 0  # broken, but not by the scenario


@dataclass(slots=True, eq=False)
class Device:
    """One device: its connection, and its messages that are not acknowledged, or not covered by a receipt."""

    index: int
    client_id: str
    topic: str
    head: bytes
    receipt_topic: str
    buffer: Buffer | None
    """The messages that wait for receipts; None in a run without receipts."""
    waiting: deque[Sending] = field(default_factory=deque)
    flight: dict[int, Sending] = field(default_factory=dict)
    phase: Phase = Phase.AWAY
    should_connect: bool = True
    sock: socket.socket | None = None
    parser: Parser | None = None
    out: bytearray = field(default_factory=bytearray)
    packet_id: int = 0
    window: int = WINDOW
    backoff: float = BACKOFF_S[0]
    since: float = 0.0  # seconds of the monotonic clock: the time of opening, then of the last sending

    def forget(self) -> None:
        """Drop the connection; its unacknowledged messages go back to the front of the queue, in their order."""
        messages = list(self.flight.values())
        if self.buffer is not None:
            messages = sorted(messages + self.buffer.take_all(), key=lambda sending: sending.number)
        self.waiting.extendleft(reversed(messages))
        self.flight.clear()
        self.out.clear()
        self.parser = None
        self.phase = Phase.AWAY

    def repeat(self, now: float) -> bool:
        """Queue messages without a receipt again, in front. Returns whether there were any."""
        messages = self.buffer.repeat(now) if self.buffer is not None else []
        self.waiting.extendleft(reversed(messages))
        return bool(messages)

    def unanswered(self) -> list[Sending]:
        """Returns the messages that are not over yet, in any order."""
        return [
            *self.flight.values(),
            *self.waiting,
            *(self.buffer.kept_messages.values() if self.buffer is not None else ()),
        ]
