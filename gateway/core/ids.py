"""Public ids: random, unguessable, and safe in a URL; no serial or row number is part of one."""

import base64
import secrets
from collections.abc import Callable

IdMaker = Callable[[], str]


def random_id() -> str:
    """Sixteen lower-case base32 characters: 80 random bits."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
