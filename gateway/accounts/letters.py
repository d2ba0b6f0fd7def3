"""Service mail is written here and sent by notify/send/letters.py; `data` has the values for a template."""

from datetime import datetime
from typing import Any, Literal

from gateway.accounts.repository import queries
from gateway.core.documents import DocumentKind
from gateway.store import Connection, Jsonb

Template = Literal[
    "confirm",  # name, code, minutes: prove the address that signed up
    "account_exists",  # name: somebody signed up with an address that has an account
    "reset",  # name, code, minutes: choose a new password
    "password_changed",  # name: it was changed; ask for a reset if it was not you
    "invite",  # name, code, days, role, invited_by (None from the command line): join the staff
]

LETTER = DocumentKind("letter")
"""The values for a letter's template; removed when the letter is sent or has failed."""

NO_ACCOUNT = "no account has this address"


def write(
    tx: Connection,
    template: Template,
    to_email: str,
    language: str,
    data: dict[str, Any],
    now: datetime,
) -> None:
    """Have a letter sent."""
    tx.execute(queries.insert_letter, _letter(template, to_email, language, data, now) | {"status": "waiting"})


def withhold(tx: Connection, template: Template, to_email: str, now: datetime) -> None:
    """Store a failed letter for an address without an account; it takes as long as writing a letter."""
    tx.execute(
        queries.insert_letter,
        _letter(template, to_email, "en", {}, now) | {"status": "failed", "finished_at": now, "reason": NO_ACCOUNT},
    )


def _letter(template: Template, to_email: str, language: str, data: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "to_email": to_email,
        "template": template,
        "language": language,
        "data": Jsonb(data),
        "schema": LETTER.schema,
        "now": now,
        "finished_at": None,
        "reason": None,
    }
