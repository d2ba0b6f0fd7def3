"""A serial number as printed, in its one canonical form."""

import re
import unicodedata

_LEFT_OUT = re.compile(r"[\s\-\u2010-\u2015]+")
_ALLOWED = re.compile(r"[0-9A-Z][0-9A-Z._:]{0,63}")


def canonical_serial(printed: str) -> str:
    """NFKC, upper case, without spaces and dashes: how a serial is compared and stored.

    Raises ValueError, saying what is wrong, for an empty serial or one with characters that no plate carries.
    """
    serial = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", printed)).upper()
    if not serial:
        raise ValueError("the serial is empty; write it as it is printed on the product")
    if not _ALLOWED.fullmatch(serial):
        raise ValueError(f"the serial {printed[:80]!r} may hold letters, digits, dots, colons and dashes, 64 at most")
    return serial
