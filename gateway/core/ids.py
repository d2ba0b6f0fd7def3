"""Public ids: random, unguessable, and safe in a URL, with no serial or row number in them. Traces: one a batch."""

import base64
import secrets
from collections.abc import Callable

IdMaker = Callable[[], str]


def random_id() -> str:
    """Sixteen lower-case base32 characters: 80 random bits."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def trace_of(seq: int) -> str:
    """The trace that log lines, events and notices carry which come of batch `seq`."""
    return f"b-{seq}"


def notice_number(row: int) -> str:
    """The number by which people name a notice, like N-1042; it opens nothing."""
    return f"N-{row}"


def alarm_number(row: int) -> str:
    """The number by which people name an alarm, like A-1042; it opens nothing."""
    return f"A-{row}"
