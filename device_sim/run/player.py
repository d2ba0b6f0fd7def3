"""Plays a script against a broker in real time, and counts what happens."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass

from device_sim.live import Clock
from device_sim.run.folder import Folder
from device_sim.run.latency import Latency
from device_sim.run.scenario import span
from device_sim.run.script import Act, Script
from device_sim.run.sending import Sending
from device_sim.run.swarm import Swarm
from device_sim.times import SECOND

_BURST = 500  # the most messages in a row before the broker's answers are read, also when the run is late
_AHEAD = 500_000  # the most messages in memory; then the fleet waits for the broker
_SLICE_S = 0.05
_FLUSH_S = 0.25
_ANSWER_S = 10.0  # at the end, after this time without an answer, the other messages count as lost
_STATE = {"down": "offline", "vanish": "offline", "deaf": "half-open", "mute": "half-open"}


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a run for the screen."""

    elapsed_s: float
    lasts_s: float
    published: int
    acknowledged: int
    receipted: int | None
    """None in a run without receipts."""
    given_up: int
    waiting: int
    poison: int
    again: int
    refused: int
    lost: int
    connected: int
    devices: int
    troubles: dict[str, int]
    faults: list[str]
    p50: float | None
    p99: float | None
    behind_s: float
    draining: bool


class Player:
    """One run."""

    def __init__(
        self, script: Script, swarm: Swarm, folder: Folder, clock: Clock, speed: float, stopping: Callable[[], bool]
    ) -> None:
        self.latency = Latency()
        self.sent: Counter[str] = Counter()
        self._script = script
        self._swarm = swarm
        self._folder = folder
        self._clock = clock
        self._speed = speed
        self._stopping = stopping
        self._state: dict[int, str] = {}
        self._began_at = clock.monotonic()
        self._flushed_at = 0.0
        self._behind_s = 0.0
        self._draining = False

    def end_message(self, sending: Sending) -> None:
        """Record a message that is over, and how long the broker took."""
        if (latency_ms := sending.latency_ms) is not None:
            self.latency.add(latency_ms)
        self._folder.write(sending)

    def run(self, show: Callable[[Status], None]) -> None:
        """Send all messages, then wait for their answers or receipts while any arrive."""
        acts = iter(self._script.acts())
        act = next(acts, None)
        sendings = self._script.sendings()
        sending = next(sendings, None)
        while (act or sending) and not self._stopping():
            now = self._elapsed()
            for _ in range(_BURST):
                if act and act.at <= now and (sending is None or act.at <= sending.due):
                    self._do(act)
                    act = next(acts, None)
                elif sending and sending.due <= now and self._swarm.outstanding < _AHEAD:
                    self._publish(sending)
                    sending = next(sendings, None)
                else:
                    break
            due_times = ([act.at] if act else []) + ([sending.due] if sending else [])
            due = min(due_times, default=now)
            self._behind_s = max(0.0, (now - due) / 1_000)
            self._turn(max(0.0, due - self._elapsed()) / 1_000 / self._speed, show)
        self._drain(show)

    def status(self) -> Status:
        """Returns the present state of the run."""
        now = self._elapsed()
        counts = self._swarm.counts
        return Status(
            elapsed_s=now / 1_000 / self._speed,
            lasts_s=self._script.duration / 1_000 / self._speed,
            published=counts.published,
            acknowledged=counts.acknowledged,
            receipted=counts.receipted if self._script.scenario.receipts else None,
            given_up=counts.given_up,
            waiting=self._swarm.outstanding,
            poison=sum(number for kind, number in self.sent.items() if kind.startswith("poison:")),
            again=counts.again,
            refused=counts.refused,
            lost=counts.lost,
            connected=counts.connected,
            devices=len(self._script.units),
            troubles=dict(Counter(self._state.values())),
            faults=[
                f"{item.unit} {item.fault.name}" for item in self._script.expected if item.starts <= now < item.ends
            ],
            p50=self.latency.quantile(0.5),
            p99=self.latency.quantile(0.99),
            behind_s=self._behind_s,
            draining=self._draining,
        )

    def account(self) -> dict[str, object]:
        """Returns the numbers for run.json."""
        return {
            "counts": asdict(self._swarm.counts) | {"unanswered": self._swarm.outstanding},
            "kinds": dict(sorted(self.sent.items())),
            "acknowledged_after_ms": {
                "p50": self.latency.quantile(0.5),
                "p99": self.latency.quantile(0.99),
                "most": self.latency.most,
            },
            "elapsed_s": round(self._clock.monotonic() - self._began_at, 3),
        }

    def elapsed(self) -> int:
        """Scenario time since the run began, in milliseconds."""
        return self._elapsed()

    def _elapsed(self) -> int:
        return int((self._clock.monotonic() - self._began_at) * 1_000 * self._speed)

    def _publish(self, sending: Sending) -> None:
        self.sent[sending.kind if sending.values else f"poison:{sending.kind}"] += 1
        self._swarm.publish(sending)

    def _do(self, act: Act) -> None:
        if act.do == "up":
            self._state.pop(act.device, None)
            self._swarm.up(act.device)
            return
        self._state[act.device] = _STATE[act.do]
        if act.do in ("deaf", "mute"):
            self._swarm.half_open(act.device, deaf=act.do == "deaf")
        else:
            self._swarm.down(act.device, goodbye=act.do == "down")

    def _turn(self, timeout: float, show: Callable[[Status], None]) -> None:
        self._swarm.pump(min(timeout, _SLICE_S))
        now = self._clock.monotonic()
        if now - self._flushed_at > _FLUSH_S:
            self._flushed_at = now
            self._folder.flush()
            show(self.status())

    def _drain(self, show: Callable[[Status], None]) -> None:
        """Reconnect all devices at the end of the run, and wait while their answers or receipts arrive."""
        self._draining = True
        for index in list(self._state):
            self._do(Act(0, index, "up"))
        scenario = self._script.scenario
        patience = span(scenario.settle) / SECOND if scenario.receipts else _ANSWER_S
        outstanding, last_change = self._swarm.outstanding, self._clock.monotonic()
        while self._swarm.outstanding and not self._stopping() and self._clock.monotonic() - last_change < patience:
            self._turn(_SLICE_S, show)
            if self._swarm.outstanding != outstanding:
                outstanding, last_change = self._swarm.outstanding, self._clock.monotonic()
        for sending in self._swarm.unanswered():
            self._folder.write(sending)
        show(self.status())
