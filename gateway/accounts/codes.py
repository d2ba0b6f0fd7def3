"""Codes that are mailed: eight digits, kept as salt and digest, good for a while and for a few tries."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.accounts.repository import queries
from gateway.store import Connection, Jsonb, Row

Purpose = Literal["confirm", "reset", "invite"]

NEWEST = 3
"""Codes that a browser which did not ask for one is compared with: people type what the newest letters say."""
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
    """Keep a new code for an address and return it; one that is not usable only takes as long to make."""
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


def asked_here(connection: Connection, email: str, purpose: Purpose, ticket: str, now: datetime) -> bool:
    """Whether a browser asked for a code of an address that has not expired; also where there is no account."""
    parameters = {"email": email, "purpose": purpose, "ticket": digest(ticket), "now": now}
    return bool(ticket) and connection.execute(queries.asked_for_code, parameters).fetchone() is not None


def redeem(
    tx: Connection, email: str, purpose: Purpose, code: str, ticket: str, now: datetime
) -> dict[str, Any] | None:
    """What a code stands for that this browser asked for, once; None for a wrong one."""
    parameters = {"email": email, "purpose": purpose, "ticket": digest(ticket), "now": now}
    return _redeem(tx, email, purpose, code, tx.execute(queries.codes_of_browser, parameters).fetchall(), now)


def redeem_open(tx: Connection, email: str, purpose: Purpose, code: str, now: datetime) -> dict[str, Any] | None:
    """What a code stands for that any browser may tell: one of the newest. None for a wrong one."""
    parameters = {"email": email, "purpose": purpose, "now": now, "most": NEWEST}
    return _redeem(tx, email, purpose, code, tx.execute(queries.newest_codes, parameters).fetchall(), now)


def _redeem(
    tx: Connection, email: str, purpose: Purpose, code: str, rows: list[Row], now: datetime
) -> dict[str, Any] | None:
    typed = "".join(filter(str.isdecimal, code))
    usable = None
    for row in rows or [{"code_hash": bytes(_SALT + 32), "data": {}}]:
        salt, digest = row["code_hash"][:_SALT], row["code_hash"][_SALT:]
        if hmac.compare_digest(_digest(salt, typed), digest):
            usable = row
    if usable is None:
        return None
    tx.execute(queries.void_codes, {"email": email, "purpose": purpose, "now": now})
    return dict(usable["data"])


def new_ticket() -> str:
    """What binds a code to the browser that asked for it."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """How a ticket is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _digest(salt: bytes, code: str) -> bytes:
    return hashlib.sha256(salt + code.encode()).digest()
