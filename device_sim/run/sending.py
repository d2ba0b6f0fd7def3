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
    """The device's time of its reading, milliseconds since 1970; None in poison."""
    values: bytes
    """The readings as JSON, empty where nothing of the message may be stored."""
    kind: str
    """The kind: reading, late, duplicate, conflict, backlog, lost-clock, or the kind of poison."""
    refused: str | None = None
    heard: bool = True
    """Whether the gateway subscribes to the topic."""
    number: int = 0
    seq: int = 0
    """Its number at the device, from 1, where the device waits for receipts; else 0."""
    sent: list[float] = field(default_factory=list)
    acked: float | None = None
    """When the broker first answered it."""
    code: int = 0
    """The reason code with which the broker refused it; 0 when it did not."""
    receipted: float | None = None
    given_up: bool = False
    """Whether the device had no room to keep it."""

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds from the sending that the broker answered to the answer; None without an answer."""
        if self.acked is None:
            return None
        if len(self.sent) == 1:
            return self.acked - self.sent[0]
        return self.acked - max(at for at in self.sent if at <= self.acked)
