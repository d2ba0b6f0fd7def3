"""What a probe measured of one thing that the gateway needs."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured, and what to change where the state is not `ok`."""

    name: str
    state: State
    measured: str
    change: str = ""


def ok(name: str, measured: str) -> Finding:
    """Returns the finding for a thing that is as it should be."""
    return Finding(name, "ok", measured)


def warning(name: str, measured: str, change: str) -> Finding:
    """Returns the finding for a thing that works, but not as well as it could."""
    return Finding(name, "warning", measured, change)


def problem(name: str, measured: str, change: str) -> Finding:
    """Returns the finding for a thing that does not work, or that loses what the gateway promises to keep."""
    return Finding(name, "problem", measured, change)
