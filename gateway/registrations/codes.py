"""Claim codes: as printed, as compared, and as stored (salted and hashed; never in clear)."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

SALT_BYTES = 16
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")
_CODE = re.compile(r"[0-9A-Z]{8,32}")

Salt = Callable[[int], bytes]


def canonical_code(printed: str) -> str:
    """A claim code as it is compared: case, spaces and dashes do not count. Raises ValueError for other texts."""
    code = _SEPARATORS.sub("", unicodedata.normalize("NFKC", printed)).upper()
    if not _CODE.fullmatch(code):
        raise ValueError("a claim code has 8 to 32 letters and digits, like ABCD-2345")
    return code


def hash_code(code: str, salt: bytes) -> bytes:
    """Returns a canonical code as it is stored: the salt, then the SHA-256 of salt and code."""
    return salt + hashlib.sha256(salt + code.encode()).digest()


def is_code(code: str, digest: bytes) -> bool:
    """Whether a canonical code is the stored one; a wrong code takes as long."""
    return hmac.compare_digest(hash_code(code, digest[:SALT_BYTES]), digest)
