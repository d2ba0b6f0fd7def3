"""A serial number as printed, in its one canonical form."""

import re
import unicodedata

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")
_ALLOWED = re.compile(r"[0-9A-Z][0-9A-Z._:]{0,63}")
PRINTED_MAX = 128
"""The longest serial as it is written, in characters, with its spaces and dashes."""


def canonical_serial(printed: str) -> str:
    """NFKC, upper case, without spaces and dashes: how a serial is compared and stored.

    Raises ValueError, saying what is wrong, for an empty serial, one that is too long, or one with characters that no
    plate carries.
    """
    if len(printed) > PRINTED_MAX:
        raise ValueError(f"the serial {printed[:40]!r}… has {len(printed)} characters; {PRINTED_MAX} at most")
    serial = _SEPARATORS.sub("", unicodedata.normalize("NFKC", printed)).upper()
    if not serial:
        raise ValueError("the serial is empty; write it as it is printed on the product")
    if not _ALLOWED.fullmatch(serial):
        raise ValueError(f"the serial {printed[:80]!r} may hold letters, digits, dots, colons and dashes, 64 at most")
    return serial
