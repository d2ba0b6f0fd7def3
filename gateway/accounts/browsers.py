"""Browsers that an account was used from, recognised by a random token of which only the digest is stored."""

import hashlib
import secrets
from datetime import datetime, timedelta

from gateway.accounts.model import Account
from gateway.accounts.repository import queries
from gateway.store import Connection


def key_of(connection: Connection, token: str, email: str, now: datetime) -> str | None:
    """Returns the browser's key in the limits; None when the account of this address was not used from it."""
    parameters = {"token_hash": _digest(token), "email": email, "now": now}
    row = connection.execute(queries.known_browser, parameters).fetchone()
    return _digest(token).hex() if row else None


def remember(tx: Connection, token: str | None, account: Account, now: datetime, *, life: timedelta, most: int) -> str:
    """Note that an account is used from a browser. Returns the browser's new token.

    The token changes each time, so that a planted one is worth nothing once it was used.
    """
    new_token = secrets.token_urlsafe(32)
    if token:
        tx.execute(queries.rename_browser, {"token_hash": _digest(token), "fresh": _digest(new_token)})
    tx.execute(
        queries.upsert_browser,
        {"token_hash": _digest(new_token), "account_id": account.id, "now": now, "expires_at": now + life},
    )
    tx.execute(queries.trim_browsers, {"account_id": account.id, "most": most})
    return new_token


def forget_all(tx: Connection, account: Account) -> None:
    """Forget every browser of an account; its password has changed."""
    tx.execute(queries.forget_browsers_of, {"account_id": account.id})


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
