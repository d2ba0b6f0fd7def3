"""The time that a device sends: milliseconds since 1970, or RFC 3339 and no similar format."""

import math
import re
from datetime import datetime, timedelta
from typing import Any

from gateway.core.clock import to_us
from gateway.m2m.message import Rejected

# RFC 3339, 5.6: T and Z in either case, or a space for T; a leap second; any number of digits of a second.
_RFC_3339 = re.compile(
    r"(?P<minute>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:)(?P<second>[0-9]{2})(?:\.[0-9]+)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_LEAP = "60"
_DAY_US = 86_400_000_000


def microseconds(ts: Any) -> int | Rejected:  # noqa: ANN401 - whatever JSON can hold
    """Microseconds since 1970 of a `ts`, or why it cannot be read."""
    if isinstance(ts, str):
        return _from_text(ts)
    # Finite also as microseconds: the multiplication may overflow.
    if isinstance(ts, bool) or not isinstance(ts, (int, float)) or not math.isfinite(ts * 1000):
        return Rejected("bad_time", "send ts as milliseconds since 1970 or RFC 3339")
    return round(ts * 1000)


def _from_text(ts: str) -> int | Rejected:
    parts = _RFC_3339.fullmatch(ts)
    if parts is None:
        return Rejected("bad_time", f"ts is {ts[:40]!r}; send milliseconds since 1970 or RFC 3339")
    if parts["zone"] is None:
        return Rejected("bad_time", f"ts is {ts[:40]!r} without a zone; end it with Z or an offset")
    try:
        return to_us(datetime.fromisoformat(ts.upper())) if parts["second"] != _LEAP else _after_leap(parts)
    except (ValueError, OverflowError):
        return Rejected(
            "bad_time", f"ts is {ts[:40]!r}, which no calendar has; send milliseconds since 1970 or RFC 3339"
        )


def _after_leap(parts: re.Match[str]) -> int:
    """The second after a leap second, which begins a day. Raises ValueError when there is no leap second then."""
    moment = datetime.fromisoformat(f"{parts['minute'].upper()}59{parts['zone'].upper()}") + timedelta(seconds=1)
    us = to_us(moment)
    if us % _DAY_US:
        raise ValueError(f"{parts[0]} is no leap second")
    return us
