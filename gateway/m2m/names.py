"""The names of a message's fields: those that are read, those that come near, and those that are ignored."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.m2m.message import Rejected

TELEMETRY = frozenset({"ts", "values", "seq", "boot", "from"})
STATUS = frozenset({"state", "firmware"})

SHOWN = 10
"""Names of one message that are kept for its unit's page."""
_SHOWN_CHARACTERS = 40

_LIKE_TS = frozenset(
    {"ts", "t", "time", "timestamp", "date", "datetime", "epoch", "unix", "unixtime", "utc", "when", "at"}
)
_LIKE_TS |= {"measuredat", "recordedat", "sampledat", "createdat", "tsms", "timems", "timestampms", "epochms", "unixms"}
_LIKE_FIRMWARE = frozenset({"firmware", "fw", "version", "fwver", "firmwarever"})
_LIKE_FIRMWARE |= {"firmwareversion", "fwversion", "swversion", "softwareversion"}
_NO_LETTER = re.compile(r"[^a-z]+")


def near_ts(entry: Mapping[str, Any]) -> Rejected | None:
    """Why an entry without `ts` is not taken as of now: it carries a time under another name."""
    name = _near(entry, TELEMETRY, _LIKE_TS)
    return Rejected("bad_time", f"{name} is not read, and there is no ts; call it ts") if name else None


def near_firmware(status: Mapping[str, Any]) -> Rejected | None:
    """Why a status without `firmware` is refused: it carries a version under another name."""
    name = _near(status, STATUS, _LIKE_FIRMWARE)
    return Rejected("bad_firmware", f"{name} is not read, and there is no firmware; call it firmware") if name else None


def ignored(names: Iterable[str], known: frozenset[str]) -> list[str]:
    """The names that nobody reads, in their order."""
    return [name for name in names if name not in known]


def shown(names: Sequence[str]) -> tuple[str, ...]:
    """The first of these names, each once, cut, and without what cannot be printed."""
    distinct = list(dict.fromkeys(names))[:SHOWN]
    return tuple("".join(c if c.isprintable() else "?" for c in name[:_SHOWN_CHARACTERS]) for name in distinct)


def _near(fields: Mapping[str, Any], known: frozenset[str], like: frozenset[str]) -> str | None:
    for name, value in fields.items():
        if name not in known and value is not None and _NO_LETTER.sub("", name[:_SHOWN_CHARACTERS].lower()) in like:
            return shown([name])[0]
    return None
