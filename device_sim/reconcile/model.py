"""The result of a comparison: checks with their numbers, differences, and what is unclear."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between the run and the gateway."""

    check: str
    unit: str
    time: str
    expected: str
    found: str


@dataclass(slots=True)
class Check:
    """One of the comparisons; `facts` are further counts by description."""

    name: str
    sentence: str
    expected: int = 0
    found: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    def differs(self, unit: str, time: str, expected: str, found: str) -> None:
        """Note a difference."""
        self.differences.append(Difference(self.name, unit, time, expected, found))


@dataclass(frozen=True, slots=True)
class FaultAlarm:
    """A fault of the ground truth and the alarm that it raised, if any."""

    unit: str
    fault: str
    begin: datetime
    end: datetime
    expect: str
    alarm: Row | None
    delay_s: float | None
    """Seconds from the fault's begin, by our clock, to the alarm; None without an alarm."""
    outcome: str
    """The outcome and reason of the ledger for the alarm."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of all checks of a run."""

    run: Row
    folder: str
    gateway: str
    checks: Sequence[Check]
    alarms: Sequence[FaultAlarm]
    precision: float | None
    recall: float | None

    @property
    def differences(self) -> list[Difference]:
        """The differences of all checks."""
        return [difference for check in self.checks for difference in check.differences]

    @property
    def unclear(self) -> list[str]:
        """The unclear points of all checks."""
        return [text for check in self.checks for text in check.unclear]

    @property
    def exit_code(self) -> int:
        """0 when all agrees, 1 on a difference, 2 when something is unclear."""
        return 1 if self.differences else 2 if self.unclear else 0
