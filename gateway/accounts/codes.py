"""Codes that are mailed: eight digits, stored as salt and digest, valid for some time and a few tries."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.accounts.repository import queries
from gateway.store import Connection, Jsonb, Row

Purpose = Literal["confirm", "reset", "invite"]

NEWEST = 3
"""The number of newest codes that a code is compared with when another browser asked for it."""
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
    """Store a new code for an address and return it. With `usable` false it takes as long, and the code never works."""
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
            "data": Jsonb(data if usable else {"ticket": data.get("ticket")}),
        },
    )
    return code


def is_asked_by(connection: Connection, email: str, purpose: Purpose, ticket: str, now: datetime) -> bool:
    """Whether the browser with this ticket asked for a code that has not expired, with or without an account."""
    parameters = {"email": email, "purpose": purpose, "ticket": digest(ticket), "now": now}
    return bool(ticket) and connection.execute(queries.asked_for_code, parameters).fetchone() is not None


def redeem(
    tx: Connection, email: str, purpose: Purpose, code: str, ticket: str, now: datetime
) -> dict[str, Any] | None:
    """Use up a code that this browser asked for. Returns its data, or None for a wrong code."""
    parameters = {"email": email, "purpose": purpose, "ticket": digest(ticket), "now": now}
    return _redeem(tx, email, purpose, code, tx.execute(queries.codes_of_browser, parameters).fetchall(), now)


def redeem_open(tx: Connection, email: str, purpose: Purpose, code: str, now: datetime) -> dict[str, Any] | None:
    """Use up one of the newest codes, whichever browser asked for it. Returns its data, or None for a wrong code."""
    parameters = {"email": email, "purpose": purpose, "now": now, "most": NEWEST}
    return _redeem(tx, email, purpose, code, tx.execute(queries.newest_codes, parameters).fetchall(), now)


def _redeem(
    tx: Connection, email: str, purpose: Purpose, code: str, rows: list[Row], now: datetime
) -> dict[str, Any] | None:
    digits = "".join(filter(str.isdecimal, code))
    match = None
    for row in rows or [{"code_hash": bytes(_SALT + 32), "data": {}}]:
        salt, digest = row["code_hash"][:_SALT], row["code_hash"][_SALT:]
        if hmac.compare_digest(_digest(salt, digits), digest):
            match = row
    if match is None:
        return None
    tx.execute(queries.void_codes, {"email": email, "purpose": purpose, "now": now})
    return dict(match["data"])


def new_ticket() -> str:
    """Returns a random token that binds a code to the browser that asked for it."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Returns the digest under which a ticket is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def _digest(salt: bytes, code: str) -> bytes:
    return hashlib.sha256(salt + code.encode()).digest()
