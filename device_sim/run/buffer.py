"""What a device keeps until a receipt covers it, and when it sends it again: decided here, without socket or clock."""

from dataclasses import dataclass, field

import orjson

from device_sim.run.sending import Sending
from device_sim.times import MINUTE

LONGEST_MS = 5 * MINUTE
"""Nothing is sent again less often than that."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Every message of that boot up to that number is stored, or refused with a reason, or was given up."""

    boot: int
    upto: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """How the devices of a run keep their messages: under which boot, how many, and how long until the first repeat."""

    boot: int
    limit: int
    first_ms: int


@dataclass(slots=True)
class Buffer:
    """One device's; times are milliseconds since the run began."""

    keeping: Keeping
    taken: dict[int, Sending] = field(default_factory=dict)
    """What the broker has answered and no receipt covers, by the message's number in the run."""
    upto: int = 0
    floor: int = 0
    """The highest number that was given up: with it, all below."""
    _since: float = 0.0
    _repeats: int = 0

    def payload(self, sending: Sending) -> bytes:
        """The message as it goes out: with its number, and with `from` once something was given up."""
        given_up = b'"from":%d,' % (self.floor + 1) if self.floor else b""
        return b'{"boot":%d,"seq":%d,%b%b' % (self.keeping.boot, sending.seq, given_up, sending.payload[1:])

    def over(self, sending: Sending) -> bool:
        """Whether it need not go out any more; a copy goes out once, whatever the receipt says."""
        return sending.seq <= self.floor or (sending.seq <= self.upto and bool(sending.sent))

    def take(self, sending: Sending, now: float) -> None:
        """Keep what the broker has answered; the time until it is sent again begins with the first of them."""
        if not self.taken:
            self._since = now
        self.taken[sending.number] = sending

    def hear(self, receipt: Receipt, now: float) -> list[Sending]:
        """Those that need not be kept any more; one of another boot, or of less than the last, changes nothing."""
        if receipt.boot != self.keeping.boot or receipt.upto <= self.upto:
            return []
        self.upto = receipt.upto
        self._since, self._repeats = now, 0
        return self._released()

    def give_up(self, sending: Sending) -> list[Sending]:
        """Let go of a message and of all with a lower number. Returns those that the broker had answered."""
        self.floor = max(self.floor, sending.seq)
        return self._released()

    def repeat(self, now: float) -> list[Sending]:
        """What to send again because no receipt has moved for a while; the next while is twice as long."""
        wait = min(self.keeping.first_ms * 2**self._repeats, LONGEST_MS)
        if not self.taken or now - self._since < wait:
            return []
        self._repeats += 1
        return self.everything()

    def everything(self) -> list[Sending]:
        """What to send again after a connection broke, in the order it first went out."""
        again = [self.taken[number] for number in sorted(self.taken)]
        self.taken.clear()
        return again

    def _released(self) -> list[Sending]:
        released = [sending for sending in self.taken.values() if self.over(sending)]
        for sending in released:
            del self.taken[sending.number]
        return released


def read_receipt(payload: bytes) -> Receipt | None:
    """The receipt, or None when it is none."""
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    boot, upto = found.get("boot"), found.get("upto")
    if type(boot) is not int or type(upto) is not int or boot < 0 or upto < 0:
        return None
    return Receipt(boot, upto)
