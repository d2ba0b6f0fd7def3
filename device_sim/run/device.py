"""A simulated device as its connection sees it: where that stands, what waits, what is on its way, what it keeps."""

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
    """Where a device's connection is."""

    AWAY = 0
    OPENING = 1
    SUBSCRIBING = 2  # accepted; it hears its receipt before it sends
    OPEN = 3
    DEAF = 4  # sends, and hears nothing: its messages arrive, their PUBACKs do not
    MUTE = 5  # neither sends nor hears


@dataclass(slots=True)
class Counts:
    """What happened so far."""

    published: int = 0  # accepted from the caller
    acknowledged: int = 0
    refused: int = 0  # answered by the broker with an error
    again: int = 0  # sent once more: after a connection broke, or for want of a receipt
    receipted: int = 0
    given_up: int = 0  # for want of room in a device's buffer
    connected: int = 0  # now
    connections: int = 0  # accepted by the broker, ever
    lost: int = 0  # broken without our doing


@dataclass(slots=True, eq=False)
class Device:
    """One device's connection, and its memory of what was not acknowledged, or not receipted."""

    index: int
    client_id: str
    topic: str
    head: bytes
    receipt_topic: str
    buffer: Buffer | None
    """Where it waits for receipts."""
    waiting: deque[Sending] = field(default_factory=deque)
    flight: dict[int, Sending] = field(default_factory=dict)
    phase: Phase = Phase.AWAY
    wanted: bool = True
    sock: socket.socket | None = None
    parser: Parser | None = None
    out: bytearray = field(default_factory=bytearray)
    packet_id: int = 0
    window: int = WINDOW
    backoff: float = BACKOFF_S[0]
    since: float = 0.0  # when it was opened, then when it last sent

    def forget(self) -> None:
        """The connection is over for the device: what it sent in vain waits in front again, in its order."""
        again = list(self.flight.values())
        if self.buffer is not None:
            again = sorted(again + self.buffer.everything(), key=lambda sending: sending.number)
        self.waiting.extendleft(reversed(again))
        self.flight.clear()
        self.out.clear()
        self.parser = None
        self.phase = Phase.AWAY

    def repeat(self, now: float) -> bool:
        """Put what has waited for a receipt too long in front again; whether there is any."""
        again = self.buffer.repeat(now) if self.buffer is not None else []
        self.waiting.extendleft(reversed(again))
        return bool(again)

    def unanswered(self) -> list[Sending]:
        """What is not over yet, in no order."""
        return [*self.flight.values(), *self.waiting, *(self.buffer.taken.values() if self.buffer is not None else ())]
