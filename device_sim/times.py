"""Converts times and durations between text and integers: spans in ms, times in us since 1970."""

# Integers, because a shift or a sum of them is exact and prints the same bytes everywhere.

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from device_sim.errors import SimError

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SPANS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")
# Lower numbers are seconds, others milliseconds: seconds reach it in the year 5138, milliseconds reached it in 1973.
_MILLISECONDS_FROM = Decimal(100_000_000_000)


def parse_duration(text: str) -> int:
    """Milliseconds from "30s", "5m", "1h30m" or "500ms"."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise SimError(f"{text!r} is not a duration; write it like 30s, 5m, 1h30m or 500ms")
    return round(sum(Decimal(number) * _SPANS[unit] for number, unit in parts))


def format_duration(span: float) -> str:
    """Returns a span of milliseconds as text in at most two units: "1h 5m", "42s", "500ms"."""
    remaining, parts = round(span), []
    for unit, size in _SPANS.items():
        count, remaining = divmod(remaining, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def parse_zone(name: str) -> tzinfo:
    """A time zone by its IANA name, such as Europe/Berlin."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SimError(f"{name!r} is not a time zone; use a name like UTC or Europe/Berlin") from None


def parse_moment(text: str, zone: tzinfo = UTC) -> int:
    """Microseconds since 1970 from ISO 8601, "YYYY-MM-DD HH:MM:SS" (in `zone` without its own) or unix s or ms."""
    text = text.strip()
    try:
        moment = _microseconds(text, zone)
        iso(moment)  # a time outside the calendar cannot be formatted
    except (ValueError, ArithmeticError):  # among them NaN, infinity and the year 10000
        raise SimError(
            f"{text!r} is not a time; write 2026-01-15T08:00:00Z, 2026-01-15 08:00:00 or unix seconds or milliseconds"
        ) from None
    return moment


def _microseconds(text: str, zone: tzinfo) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        pass
    else:
        return round(number * (1_000 if abs(number) >= _MILLISECONDS_FROM else 1_000_000))
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware.astimezone(UTC) - _EPOCH) // _MICROSECOND


def iso(microseconds: int) -> str:
    """RFC 3339 in UTC, with milliseconds unless the time is finer."""
    moment = _EPOCH + microseconds * _MICROSECOND
    fine = "microseconds" if microseconds % 1_000 else "milliseconds"
    return moment.isoformat(timespec=fine).replace("+00:00", "Z")


def iso_ms(milliseconds: int) -> str:
    """RFC 3339 in UTC of milliseconds since 1970."""
    return iso(milliseconds * 1_000)
