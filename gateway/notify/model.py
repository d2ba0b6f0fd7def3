"""What the stages decide upon."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.core.outcome import Outcome
from gateway.registrations.model import Owner
from gateway.rules.document import RuleDocument


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm with what a notice tells of it."""

    id: int
    unit_id: int
    severity: str
    onset: datetime
    raised_at: datetime
    historic: bool
    evidence: dict[str, Any]
    cleared_at: datetime | None
    clearing: dict[str, Any] | None
    rule: RuleDocument
    version: int
    serial: str
    product_name: dict[str, str]
    metric_title: dict[str, str]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The last notice of the same rule and unit to the same person."""

    id: int
    public_id: str
    severity: str
    state: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits that the stages keep."""

    merge_window: timedelta
    notices_per_hour: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a stage may look at; stages are pure."""

    alarm: Alarm
    owner: Owner | None
    earlier: Earlier | None
    told_within_hour: tuple[datetime, ...]
    """When this person was, or will be, told something in the hour before now; the earliest first."""
    now: datetime
    policy: Policy


Decide = Callable[[Facts], Outcome]


@dataclass(frozen=True, slots=True)
class Stage:
    """A named step of a road, in one sentence; `decide` where it is a decision on a notice."""

    name: str
    sentence: str
    decide: Decide | None = None
