"""What a comparison finds: checks with their numbers, differences, and what cannot be told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as the run says it should be."""

    check: str
    unit: str
    time: str
    expected: str
    found: str


@dataclass(slots=True)
class Check:
    """One of the comparisons; `facts` are counts for people, by what they count."""

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
class Found:
    """A fault of the ground truth and the alarm it raised, if any."""

    unit: str
    fault: str
    begin: datetime
    end: datetime
    expect: str
    alarm: Row | None
    delay_s: float | None
    """From the fault's beginning, by our clock, to the alarm."""
    outcome: str
    """What the ledger says of the alarm."""


@dataclass(frozen=True, slots=True)
class Result:
    """All of it."""

    run: Row
    folder: str
    gateway: str
    checks: Sequence[Check]
    alarms: Sequence[Found]
    precision: float | None
    recall: float | None

    @property
    def differences(self) -> list[Difference]:
        """Of all checks."""
        return [each for check in self.checks for each in check.differences]

    @property
    def unclear(self) -> list[str]:
        """Of all checks."""
        return [each for check in self.checks for each in check.unclear]

    @property
    def exit_code(self) -> int:
        """0 when all agrees, 1 on a difference, 2 when it cannot be told."""
        return 1 if self.differences else 2 if self.unclear else 0
