"""One message on its way: what is sent, what the run knows about it, when it went out and what became of it."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Sending:
    """Times are milliseconds since the run began; `refused` is the reason the gateway has to give, if any."""

    due: int
    device: int
    topic: str
    payload: bytes
    ts: int | None
    """The device's time of its reading, milliseconds since 1970; None in poison."""
    values: bytes
    """The readings as JSON, empty where nothing of the message may be stored."""
    kind: str
    """reading, or late, duplicate, conflict, backlog, or the kind of poison."""
    refused: str | None = None
    heard: bool = True
    """Whether the gateway listens to the topic at all."""
    number: int = 0
    seq: int = 0
    """Its number at the device, from 1, where the device waits for receipts; else 0."""
    sent: list[float] = field(default_factory=list)
    acked: float | None = None
    """When the broker first took it, or refused it."""
    code: int = 0
    """With which the broker refused it; 0 when it did not."""
    receipted: float | None = None
    given_up: bool = False
    """The device had no room to keep it."""

    @property
    def waited(self) -> float | None:
        """Milliseconds from when it went out to the broker's answer."""
        if self.acked is None:
            return None
        if len(self.sent) == 1:
            return self.acked - self.sent[0]
        return self.acked - max(at for at in self.sent if at <= self.acked)
