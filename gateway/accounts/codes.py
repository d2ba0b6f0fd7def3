"""Codes that are mailed: eight digits, kept as salt and digest, good for a while and for a few tries."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.accounts.repository import queries
from gateway.store import Connection, Jsonb

Purpose = Literal["confirm", "reset", "invite"]

_DIGITS = 8
_SALT = 16


def make(
    tx: Connection,
    email: str,
    purpose: Purpose,
    data: dict[str, Any],
    *,
    now: datetime,
    life: timedelta,
    usable: bool = True,
) -> str:
    """Keep a new code for an address and answer it; one that is not usable only takes as long to make."""
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    salt = secrets.token_bytes(_SALT)
    tx.execute(
        queries.insert_code,
        {
            "email": email,
            "purpose": purpose,
            "code_hash": salt + _digest(salt, code),
            "now": now,
            "expires_at": now + life,
            "used_at": None if usable else now,
            "data": Jsonb(data if usable else {}),
        },
    )
    return code


def redeem(
    tx: Connection, email: str, purpose: Purpose, code: str, *, now: datetime, tries: int, ticket: str | None = None
) -> dict[str, Any] | None:
    """What the code stands for, once; None for a wrong one, which counts as a try when `tx` is committed.

    With a ticket only codes that were asked for with it are looked at: nobody can spend another's tries.
    """
    open_codes = tx.execute(
        queries.try_codes,
        {"email": email, "purpose": purpose, "now": now, "tries": tries, "ticket": ticket and digest(ticket)},
    ).fetchall()
    found = None
    typed = "".join(filter(str.isdecimal, code))
    for row in open_codes or [{"id": 0, "code_hash": bytes(_SALT + 32), "data": None}]:
        salt, kept = row["code_hash"][:_SALT], row["code_hash"][_SALT:]
        if hmac.compare_digest(_digest(salt, typed), kept):
            found = row
    if found is None:
        return None
    tx.execute(queries.void_codes, {"email": email, "purpose": purpose, "now": now})
    return dict(found["data"])


def new_ticket() -> str:
    """What binds a sign-up to the browser that began it."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """How a ticket is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _digest(salt: bytes, code: str) -> bytes:
    return hashlib.sha256(salt + code.encode()).digest()
