"""Claim codes: as printed, as compared, and as kept (salted and hashed; never in clear)."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

SALT_BYTES = 16
_LEFT_OUT = re.compile(r"[\s\-\u2010-\u2015]+")
_CODE = re.compile(r"[0-9A-Z]{8,32}")

Salt = Callable[[int], bytes]


def canonical_code(printed: str) -> str:
    """A claim code as it is compared: case, spaces and dashes do not count. Raises ValueError if it can be none."""
    code = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", printed)).upper()
    if not _CODE.fullmatch(code):
        raise ValueError("a claim code has 8 to 32 letters and digits, like ABCD-2345")
    return code


def hash_code(code: str, salt: bytes) -> bytes:
    """A canonical code as it is kept: its salt, then SHA-256 of both."""
    return salt + hashlib.sha256(salt + code.encode()).digest()


def is_code(code: str, digest: bytes) -> bool:
    """Whether a canonical code is the kept one; takes as long for a wrong one."""
    return hmac.compare_digest(hash_code(code, digest[:SALT_BYTES]), digest)
