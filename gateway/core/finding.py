"""What a probe found out about one thing that the gateway stands on."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured, and what to change where it is not well."""

    name: str
    state: State
    measured: str
    change: str = ""


def ok(name: str, measured: str) -> Finding:
    """As it should be."""
    return Finding(name, "ok", measured)


def warning(name: str, measured: str, change: str) -> Finding:
    """It works, and will cost something."""
    return Finding(name, "warning", measured, change)


def problem(name: str, measured: str, change: str) -> Finding:
    """It does not work, or loses what the gateway promises to keep."""
    return Finding(name, "problem", measured, change)
