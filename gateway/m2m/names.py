"""The names of a message's fields: known ones, ones that look like a known one, and ignored ones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.m2m.message import Rejected

TELEMETRY = frozenset({"ts", "values", "seq", "boot", "from"})
STATUS = frozenset({"state", "firmware"})

NAMES_KEPT = 10
"""The most unknown names of one message that its unit's page shows."""
_NAME_CHARACTERS = 40

_LIKE_TS = frozenset(
    {"ts", "t", "time", "timestamp", "date", "datetime", "epoch", "unix", "unixtime", "utc", "when", "at"}
)
_LIKE_TS |= {"measuredat", "recordedat", "sampledat", "createdat", "tsms", "timems", "timestampms", "epochms", "unixms"}
_LIKE_FIRMWARE = frozenset({"firmware", "fw", "version", "fwver", "firmwarever"})
_LIKE_FIRMWARE |= {"firmwareversion", "fwversion", "swversion", "softwareversion"}
_NO_LETTER = re.compile(r"[^a-z]+")


def near_ts(entry: Mapping[str, Any]) -> Rejected | None:
    """Returns why an entry without `ts` is refused: its time has another name. None when it has no time."""
    name = _similar(entry, TELEMETRY, _LIKE_TS)
    return Rejected("bad_time", f"{name} is not read, and there is no ts; call it ts") if name else None


def near_firmware(status: Mapping[str, Any]) -> Rejected | None:
    """Returns why a status without `firmware` is refused: its version has another name. None when it has no version."""
    name = _similar(status, STATUS, _LIKE_FIRMWARE)
    return Rejected("bad_firmware", f"{name} is not read, and there is no firmware; call it firmware") if name else None


def ignored(names: Iterable[str], known: frozenset[str]) -> list[str]:
    """The names that are not known, in their order."""
    return [name for name in names if name not in known]


def printable_names(names: Sequence[str]) -> tuple[str, ...]:
    """The first distinct names, shortened, with "?" for characters that cannot be printed."""
    first_names = list(dict.fromkeys(names))[:NAMES_KEPT]
    return tuple("".join(c if c.isprintable() else "?" for c in name[:_NAME_CHARACTERS]) for name in first_names)


def _similar(fields: Mapping[str, Any], known: frozenset[str], like: frozenset[str]) -> str | None:
    for name, value in fields.items():
        if name not in known and value is not None and _NO_LETTER.sub("", name[:_NAME_CHARACTERS].lower()) in like:
            return printable_names([name])[0]
    return None
