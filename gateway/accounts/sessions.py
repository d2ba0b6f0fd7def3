"""Sessions: a browser has 32 random bytes, the database only their digest. A closed session ends at once."""

import hashlib
import secrets
from datetime import datetime, timedelta

from gateway.accounts import repository
from gateway.accounts.model import Account
from gateway.accounts.repository import queries
from gateway.events import append
from gateway.store import Connection

LIFE = timedelta(days=30)
MOST = 20
_TOUCH_AFTER = timedelta(minutes=5)

SIGNED_OUT = "account.signed_out"
"""One session ended; the event's data: account, session."""
SIGNED_OUT_EVERYWHERE = "account.signed_out_everywhere"
"""All sessions of an account ended; the event's data: account, reason."""


def open_session(tx: Connection, account: Account, now: datetime, *, life: timedelta = LIFE, most: int = MOST) -> str:
    """Open a session. Returns its token. The longest unused sessions beyond `most` end."""
    token = secrets.token_urlsafe(32)
    tx.execute(
        queries.insert_session,
        {"token_hash": _digest(token), "account_id": account.id, "now": now, "expires_at": now + life},
    )
    tx.execute(queries.trim_sessions, {"account_id": account.id, "most": most})
    return token


def session_account(connection: Connection, token: str, now: datetime) -> Account | None:
    """Returns the account of a session, whose life begins anew; None when it has ended or the account is disabled."""
    row = connection.execute(queries.session_account, {"token_hash": _digest(token), "now": now}).fetchone()
    if row is None:
        return None
    if now - row["seen_at"] >= _TOUCH_AFTER:
        connection.execute(queries.touch_session, {"token_hash": _digest(token), "now": now})
    return repository.account(row)


def session_id(token: str) -> str:
    """Returns the id of a session in events and streams; nobody can sign in with it."""
    return hashlib.sha256(_digest(token)).hexdigest()[:16]


def close_session(tx: Connection, token: str, now: datetime) -> None:
    """End the session of a token, if there is one; the event ends its streams."""
    account = session_account(tx, token, now)
    tx.execute(queries.delete_session, {"token_hash": _digest(token)})
    if account:
        append(
            tx,
            SIGNED_OUT,
            {"account": account.public_id, "session": session_id(token)},
            actor=account.person_public_id,
            person_id=account.person_id,
        )


def close_all_sessions(tx: Connection, account: Account, reason: str, *, actor: str | None = None) -> None:
    """End every session of an account; the event ends its streams."""
    tx.execute(queries.delete_sessions, {"account_id": account.id})
    append(
        tx,
        SIGNED_OUT_EVERYWHERE,
        {"account": account.public_id, "reason": reason},
        actor=actor or account.person_public_id,
        person_id=account.person_id,
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
