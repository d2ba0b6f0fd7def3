"""Spans of time as people write them: "90s", "5m", "1h30m", "2d"."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
MAX_DAYS = 36_500  # a few times this is still exact in 64 bits of microseconds
_LONGEST = MAX_DAYS * _UNITS["d"]
_PART = re.compile(r"(\d+)(ms|d|h|m|s)")


def parse_duration(text: object) -> timedelta:
    """A timedelta from "5m" or "1h30m"; raises ValueError that says how to write one."""
    if isinstance(text, timedelta):
        return text
    parts = _PART.findall(text) if isinstance(text, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 5m, 1h30m or 2d")
    milliseconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if milliseconds > _LONGEST:
        raise ValueError(f"{text[:40]!r} is too long for a duration; write {MAX_DAYS}d at most")
    return timedelta(milliseconds=milliseconds)


def format_duration(span: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as the same span, to the millisecond."""
    remaining = round(span / timedelta(milliseconds=1))
    text = ""
    for unit, size in _UNITS.items():
        count, remaining = divmod(remaining, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
]
