"""Invitations to the staff: a mailed code stands for a role, which the account gets once the address is proved."""

from datetime import datetime

from gateway.accounts import codes, letters, repository
from gateway.accounts.model import Account, StaffRole, new_address
from gateway.accounts.repository import queries
from gateway.config import Settings
from gateway.events import append
from gateway.store import Connection

COMMAND_LINE = "cli"


def invite(
    tx: Connection,
    settings: Settings,
    email: str,
    name: str,
    role: StaffRole,
    by: Account | None,
    now: datetime,
    *,
    mailed: bool = True,
) -> str:
    """Make an invitation, which voids an earlier one. Returns its code, for the command line only."""
    email = new_address(email)
    repository.hold_address(tx, email)
    tx.execute(queries.void_codes, {"email": email, "purpose": "invite", "now": now})
    life = settings.invitation_life
    code = codes.make(tx, email, "invite", {"name": name, "role": role}, now=now, life=life)
    if mailed:
        stored = repository.find(tx, email)
        language = stored.account.language if stored else "en"
        data = {"name": name, "code": code, "days": life.days, "role": role, "invited_by": by.name if by else None}
        letters.write(tx, "invite", email, language, data, now)
    append(tx, "account.invited", {"role": role}, actor=by.person_public_id if by else COMMAND_LINE)
    return code
