"""What somebody typed into the search, read as each of the things that it can be."""

import re
import unicodedata
from typing import Any

from gateway.core.serial import canonical_serial

WORDS_MAX = 3
"""The words that count, the longest ones first."""
_PHONE = re.compile(r"[\d\s()+/.\-\u2010-\u2015]+")
_PHONE_MIN = 5
_NUMBER = re.compile(r"(?P<kind>[NA]?)[\s-]*(?P<digits>\d{1,18})", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def read(written: str) -> dict[str, Any] | None:
    """Returns the parameters of the searches; None when nothing is left that can be searched for."""
    text = " ".join(unicodedata.normalize("NFKC", written.replace("\0", " ")).split())
    words = _words(text)
    if not words:
        return None
    return {
        "words": text,
        "serial": _serial(text),
        "scanned": _serial(text.rpartition("/")[2]),
        "phone": text if _PHONE.fullmatch(text) and sum(map(str.isdigit, text)) >= _PHONE_MIN else None,
        **{f"word{n}": words[n - 1] if n <= len(words) else "" for n in range(1, WORDS_MAX + 1)},
        "notice": _number(text, "N"),
        "alarm": _number(text, "A"),
    }


def _words(text: str) -> list[str]:
    return sorted(dict.fromkeys(_WORD.findall(text)), key=len, reverse=True)[:WORDS_MAX]


def _serial(text: str) -> str | None:
    try:
        return canonical_serial(text)
    except ValueError:
        return None


def _number(text: str, kind: str) -> int | None:
    """The number of a notice (N-1042) or an alarm (A-1042), also without its letter."""
    match = _NUMBER.fullmatch(text)
    return int(match["digits"]) if match and match["kind"].upper() in ("", kind) else None
