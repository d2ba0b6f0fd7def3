"""Service mail is written here and sent by notify/send/letters.py; `data` is what the text of a template may name."""

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
"""What a letter's text may name; emptied when the letter ends."""


NOBODY = "no account has this address"


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
    """Write down that no letter goes to an address without an account; it takes as long as writing one."""
    tx.execute(
        queries.insert_letter,
        _letter(template, to_email, "en", {}, now) | {"status": "failed", "finished_at": now, "reason": NOBODY},
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
