"""The catalogue of faults, when each is on, and how far it has moved its metric."""

# A fault pulls its metric from the healthy value (0) to the fault's level (1), first order with a time constant well
# under a second: not a jump, yet past the alarm level by the second sample at one sample a second, so that nobody waits
# in a demonstration. The pull depends on the times only, and not on earlier calls.

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from device_sim.errors import SimError
from device_sim.times import SECOND, iso_ms, parse_duration
from device_sim.units import Unit, parse_unit

SILENCE = "silence"
_PULL = 0.4 * SECOND
_SETTLE = 6 * SECOND  # 15 time constants: then no decimal of a metric changes any more


@dataclass(frozen=True, slots=True)
class Fault:
    """One way a product fails, and the metric's level when it does."""

    product: str
    name: str
    metric: str
    level: float
    effect: str


CATALOGUE = (
    Fault("hp-90", "pressure-loss", "water_pressure_bar", 0.8, "water pressure falls to about 0.8 bar (alarm < 1.0)"),
    Fault("hp-90", "overheating", "flow_temp_c", 78.0, "flow temperature rises to about 78 °C (alarm > 65)"),
    Fault("rm-500", "blocked-blade", "blade_current_a", 8.5, "blade motor current rises to about 8.5 A (alarm > 6)"),
    Fault("rm-500", "overheating", "motor_temp_c", 112.0, "drive motor heats up to about 112 °C (alarm > 95)"),
    Fault("ac-24", "overheating", "motor_temp_c", 130.0, "motor heats up to about 130 °C (alarm > 120)"),
    Fault("ac-24", "bearing-wear", "vibration_mm_s", 14.0, "vibration rises to about 14 mm/s (alarm > 11.2)"),
)
_SILENT = "sends nothing while it lasts"


def fault_of(product: str, name: str) -> Fault:
    """Returns the fault of that name for a product. Raises SimError with the existing names."""
    faults = {fault.name: fault for fault in CATALOGUE if fault.product == product}
    faults[SILENCE] = Fault(product, SILENCE, "", 0.0, _SILENT)
    if name not in faults:
        raise SimError(f"no fault {name!r} for {product}; there are: {', '.join(faults)}")
    return faults[name]


def table() -> str:
    """The catalogue as lines for the terminal."""
    rows = [("PRODUCT", "FAULT", "EFFECT")]
    rows += [(fault.product, fault.name, fault.effect) for fault in CATALOGUE]
    rows += [("all", SILENCE, _SILENT)]
    return "\n".join(f"{product:<9}{name:<15}{effect}" for product, name, effect in rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned fault: times in milliseconds from the fleet's start; `lasts` None means until the end."""

    unit: Unit
    fault: Fault
    at: int = 0
    lasts: int | None = None


def parse_plan(text: str) -> Plan:
    """A plan from "hp-90/SERIAL pressure-loss at=10s for=30s"; both times may be left out."""
    unit_name, *words = text.split() or [""]
    times = dict(word.partition("=")[::2] for word in words[1:])
    if not words or set(times) - {"at", "for"}:
        raise SimError(f'cannot read the fault {text!r}; write "hp-90/SERIAL pressure-loss at=10s for=30s"')
    unit = parse_unit(unit_name)
    lasts = parse_duration(times["for"]) if "for" in times else None
    return Plan(unit, fault_of(unit.product, words[0]), parse_duration(times.get("at", "0s")), lasts)


@dataclass(frozen=True, slots=True)
class Episode:
    """A fault on a unit, in milliseconds from the fleet's start; `end` None means until a command ends it."""

    plan: Plan
    begin: int
    end: int | None
    is_begin_recorded: bool = False
    is_end_recorded: bool = False

    def active(self, elapsed: int) -> bool:
        """Whether the fault is active at that time."""
        return self.begin <= elapsed and (self.end is None or elapsed < self.end)

    def pull(self, elapsed: int) -> float:
        """How far the metric has gone from its healthy value (0) to the fault's level (1)."""
        if elapsed <= self.begin:
            return 0.0
        pull_at_end = 1 - math.exp(-(min(elapsed, self.end or elapsed) - self.begin) / _PULL)
        if self.end is None or elapsed <= self.end:
            return pull_at_end
        return pull_at_end * math.exp(-(elapsed - self.end) / _PULL) if elapsed - self.end < _SETTLE else 0.0


# Called with the episode's id, the unit, the fault, and ISO times; the second is None while the fault is active.
Record = Callable[[str, str, str, str, str | None], None]


class FaultBook:
    """All faults of a run: planned, active and just ended. Calls `record` when one begins and when it ends."""

    def __init__(self, start: int, record: Record) -> None:
        self._start = start
        self._record = record
        self._episodes: dict[Unit, list[Episode]] = {}

    def plan(self, plan: Plan) -> None:
        """Plan a fault. Raises SimError when it would overlap the same fault on the same unit."""
        end = None if plan.lasts is None else plan.at + plan.lasts
        episodes = self._episodes.setdefault(plan.unit, [])
        for episode in episodes:
            is_after = episode.end is not None and episode.end <= plan.at
            is_before = end is not None and end <= episode.begin
            if episode.plan.fault == plan.fault and not is_after and not is_before:
                raise SimError(f"{plan.unit} has {plan.fault.name} already, from {self._iso(episode.begin)}")
        episodes.append(Episode(plan, plan.at, end))

    def end(self, unit: Unit, elapsed: int, name: str | None = None) -> list[str]:
        """End the unit's active faults, or the one of that name; returns the names of those that ended."""
        names = []
        episodes = self._episodes.get(unit, [])
        for position, episode in enumerate(episodes):
            if episode.active(elapsed) and name in (None, episode.plan.fault.name):
                episodes[position] = replace(episode, end=elapsed)
                names.append(episode.plan.fault.name)
        self.advance(elapsed)
        return names

    def advance(self, elapsed: int) -> None:
        """Record faults that began or ended by now, and delete those without effect."""
        for unit, episodes in self._episodes.items():
            recorded = [self._record_changes(episode, elapsed) for episode in episodes]
            self._episodes[unit] = [item for item in recorded if item.end is None or elapsed - item.end < _SETTLE]

    def close(self, elapsed: int) -> None:
        """End every open fault at the end of the run, and record that."""
        for unit in self._episodes:
            self.end(unit, elapsed)

    def pulls(self, unit: Unit, elapsed: int) -> list[tuple[Fault, float]]:
        """The faults that change the unit's values at that time, with their pull."""
        pulls = []
        for episode in self._episodes.get(unit, ()):
            if episode.plan.fault.name == SILENCE:
                pull = 1.0 if episode.active(elapsed) else 0.0
            else:
                pull = episode.pull(elapsed)
            if pull:
                pulls.append((episode.plan.fault, pull))
        return pulls

    def active(self, elapsed: int) -> list[str]:
        """The active faults as text: "hp-90/HP90-23-001256 pressure-loss since …"."""
        active = (item for episodes in self._episodes.values() for item in episodes if item.active(elapsed))
        return [f"{item.plan.unit} {item.plan.fault.name} since {self._iso(item.begin)}" for item in active]

    def _record_changes(self, episode: Episode, elapsed: int) -> Episode:
        begins = not episode.is_begin_recorded and episode.begin <= elapsed
        ends = not episode.is_end_recorded and episode.end is not None and episode.end <= elapsed
        unit, name, begin = str(episode.plan.unit), episode.plan.fault.name, self._iso(episode.begin)
        identity = f"{unit}:{name}:{begin}"
        if begins:
            self._record(identity, unit, name, begin, None)
        if ends and episode.end is not None:
            self._record(identity, unit, name, begin, self._iso(episode.end))
        if not (begins or ends):
            return episode
        return replace(
            episode,
            is_begin_recorded=episode.is_begin_recorded or begins,
            is_end_recorded=episode.is_end_recorded or ends,
        )

    def _iso(self, elapsed: int) -> str:
        return iso_ms(self._start + elapsed)
