"""One message of a run: its content, what is expected of it, when it was sent and how it ended."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Sending:
    """A message; times are milliseconds since the run began, `refused` is the reason the gateway must give, if any."""

    due: int
    device: int
    topic: str
    payload: bytes
    ts: int | None
    """The device's time of the reading, milliseconds since 1970; None for poison."""
    values: bytes
    """The readings as JSON; empty when nothing of the message may be stored."""
    kind: str
    """The kind: reading, late, duplicate, conflict, backlog, lost-clock, or the kind of poison."""
    refused: str | None = None
    heard: bool = True
    """Whether the gateway subscribes to the topic."""
    number: int = 0
    seq: int = 0
    """Its number at the device, from 1, if the device waits for receipts; else 0."""
    sent: list[float] = field(default_factory=list)
    acked: float | None = None
    """The time of the broker's first answer."""
    code: int = 0
    """The reason code of the broker's refusal; 0 when it was accepted."""
    receipted: float | None = None
    given_up: bool = False
    """Whether the device dropped it because its buffer was full."""

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds from the last sending before the broker's answer to the answer; None without one."""
        if self.acked is None:
            return None
        if len(self.sent) == 1:
            return self.acked - self.sent[0]
        return self.acked - max(at for at in self.sent if at <= self.acked)
