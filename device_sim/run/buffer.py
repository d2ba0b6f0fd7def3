"""The messages that a device keeps until a receipt covers them, and when it sends them again. Pure."""

from dataclasses import dataclass, field

import orjson

from device_sim.run.sending import Sending
from device_sim.times import MINUTE

LONGEST_MS = 5 * MINUTE
"""The longest time, in milliseconds, until kept messages are sent again."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Says that every message of a boot up to a number was stored, refused with a reason, or given up."""

    boot: int
    upto: int


@dataclass(frozen=True, slots=True)
class BufferRules:
    """How the devices of a run keep messages: the boot, the most messages, and the time until the first repeat."""

    boot: int
    limit: int
    first_ms: int


@dataclass(slots=True)
class Buffer:
    """The buffer of one device; times are milliseconds since the run began."""

    rules: BufferRules
    kept_messages: dict[int, Sending] = field(default_factory=dict)
    """The messages that the broker has answered and no receipt covers, by number in the run."""
    upto: int = 0
    floor: int = 0
    """The highest seq that was given up; all lower ones are given up too."""
    _waiting_since: float = 0.0
    _repeats: int = 0

    def payload(self, sending: Sending) -> bytes:
        """Returns the message as it is sent: with boot and seq, and with `from` once messages were given up."""
        given_up = b'"from":%d,' % (self.floor + 1) if self.floor else b""
        return b'{"boot":%d,"seq":%d,%b%b' % (self.rules.boot, sending.seq, given_up, sending.payload[1:])

    def is_over(self, sending: Sending) -> bool:
        """Whether a message need not be sent any more; each copy is sent once, also when a receipt covers it."""
        return sending.seq <= self.floor or (sending.seq <= self.upto and bool(sending.sent))

    def take(self, sending: Sending, now: float) -> None:
        """Keep a message that the broker has answered; the time until the repeat begins with the first one."""
        if not self.kept_messages:
            self._waiting_since = now
        self.kept_messages[sending.number] = sending

    def apply(self, receipt: Receipt, now: float) -> list[Sending]:
        """Returns the messages that a receipt covers; one of another boot, or below the last one, covers none."""
        if receipt.boot != self.rules.boot or receipt.upto <= self.upto:
            return []
        self.upto = receipt.upto
        self._waiting_since, self._repeats = now, 0
        return self._release()

    def give_up(self, sending: Sending) -> list[Sending]:
        """Give up a message and all with a lower seq. Returns those of them that the broker had answered."""
        self.floor = max(self.floor, sending.seq)
        return self._release()

    def repeat(self, now: float) -> list[Sending]:
        """Returns the messages to send again after a wait without a receipt; the wait doubles each time."""
        wait = min(self.rules.first_ms * 2**self._repeats, LONGEST_MS)
        if not self.kept_messages or now - self._waiting_since < wait:
            return []
        self._repeats += 1
        return self.take_all()

    def take_all(self) -> list[Sending]:
        """Empty the buffer. Returns its messages in their order, to be sent again."""
        messages = [self.kept_messages[number] for number in sorted(self.kept_messages)]
        self.kept_messages.clear()
        return messages

    def _release(self) -> list[Sending]:
        released = [sending for sending in self.kept_messages.values() if self.is_over(sending)]
        for sending in released:
            del self.kept_messages[sending.number]
        return released


def read_receipt(payload: bytes) -> Receipt | None:
    """Parse a receipt; None for an invalid payload."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    boot, upto = document.get("boot"), document.get("upto")
    if type(boot) is not int or type(upto) is not int or boot < 0 or upto < 0:
        return None
    return Receipt(boot, upto)
