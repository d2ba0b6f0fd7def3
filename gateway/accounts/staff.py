"""The staff's accounts: who there is, their roles, and what administrators do to them.

Nobody changes their own account, and an administrator who may sign in is always left. Each act is an event, and a line
of who did what to whom.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.accounts import invitations, repository, service
from gateway.accounts.administrators import administrator_left
from gateway.accounts.model import Account, Forbidden, Role, StaffRole, canonical_address
from gateway.accounts.repository import queries
from gateway.accounts.rights import may
from gateway.accounts.sessions import close_all_sessions
from gateway.config import Settings
from gateway.core.errors import GatewayError, NotFound
from gateway.events import append
from gateway.store import Connection, Row

Act = Literal["invited", "invitation_withdrawn", "role", "disabled", "enabled", "sessions_ended"]

LISTED = 500
"""Members of the staff, invitations and acts that are listed."""


class OwnAccount(GatewayError):
    """Somebody wants to change their own role or disable themselves."""

    code = "own_account"
    status = 409

    def __init__(self) -> None:
        super().__init__("Nobody changes their own role or account. Ask another administrator.")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who acts on accounts of the staff: an account, or the command line."""

    account: Account | None = None

    @property
    def actor(self) -> str:
        """Returns the actor of their events."""
        return self.account.person_public_id if self.account else invitations.COMMAND_LINE


def members(connection: Connection, now: datetime) -> list[Row]:
    """Returns everybody with a role of the staff: sessions, last sign-in, whether disabled."""
    return connection.execute(queries.staff_members, {"now": now, "limit": LISTED}).fetchall()


def open_invitations(connection: Connection, now: datetime) -> list[Row]:
    """Returns the invitations that were not taken and have not expired, the newest first."""
    return connection.execute(queries.open_invitations, {"now": now, "limit": LISTED}).fetchall()


def acts(connection: Connection, before: int, limit: int) -> list[Row]:
    """Returns a page of what was done to accounts of the staff, the newest first."""
    return connection.execute(queries.staff_acts, {"before": before, "limit": limit}).fetchall()


def find_member(connection: Connection, key: str) -> Account:
    """Returns a member of the staff by the public id of their person, or by their address. Raises NotFound."""
    row = connection.execute(queries.staff_member, {"key": key}).fetchone()
    if row is None:
        raise NotFound("Nobody of the staff is that.")
    return repository.account(row)


def invite(
    tx: Connection,
    settings: Settings,
    by: Administrator,
    email: str,
    name: str,
    role: StaffRole,
    now: datetime,
    *,
    mailed: bool = True,
) -> str:
    """Invite somebody, which voids an earlier invitation of theirs. Returns its code, for the command line only.

    Raises OwnAccount for one's own address: taking the invitation would change one's own role.
    """
    if by.account and canonical_address(email) == canonical_address(by.account.email):
        raise OwnAccount
    code = invitations.invite(tx, settings, email, name, role, by.account, now, mailed=mailed)
    _note(tx, by, None, "invited", now, role)
    return code


def withdraw_invitation(tx: Connection, by: Administrator, email: str, now: datetime) -> None:
    """Void the open invitation of an address. Raises NotFound."""
    address = canonical_address(email)
    repository.hold_address(tx, address)
    if not tx.execute(queries.void_codes, {"email": address, "purpose": "invite", "now": now}).rowcount:
        raise NotFound("There is no open invitation for this address.")
    append(tx, "account.invitation_withdrawn", {}, actor=by.actor)
    _note(tx, by, None, "invitation_withdrawn", now)


def change_role(tx: Connection, by: Administrator, member: Account, role: Role, now: datetime) -> None:
    """Give a member of the staff another role; as `customer` they are of the staff no longer.

    Their sessions end, with them their open streams, and so does an invitation that was not taken.
    """
    with _changed(tx, by, member, now):
        tx.execute(queries.set_role, {"id": member.id, "role": role})
        close_all_sessions(tx, member, "the role was changed", actor=by.actor)
        kind = "account.role_taken" if role == "customer" else "account.role_given"
        _append_event(tx, kind, by, member, {"role": role})
        _note(tx, by, member, "role", now, role)


def disable(tx: Connection, by: Administrator, member: Account, now: datetime) -> None:
    """Disable an account: it cannot sign in, and its sessions end."""
    with _changed(tx, by, member, now):
        service.disable(tx, member, now, actor=by.actor)
        _note(tx, by, member, "disabled", now)


def enable(tx: Connection, by: Administrator, member: Account, now: datetime) -> None:
    """Let a disabled account sign in again."""
    with _changed(tx, by, member, now):
        tx.execute(queries.enable, {"id": member.id})
        _append_event(tx, "account.enabled", by, member, {})
        _note(tx, by, member, "enabled", now)


def end_sessions(tx: Connection, by: Administrator, member: Account, now: datetime) -> None:
    """Sign a member of the staff out everywhere; also oneself."""
    close_all_sessions(tx, member, "an administrator ended them", actor=by.actor)
    _note(tx, by, member, "sessions_ended", now)


def forget_acts(connection: Connection, before: datetime, limit: int) -> int:
    """Forget acts from before a time. Returns the number of them."""
    return connection.execute(queries.forget_acts, {"before": before, "limit": limit}).rowcount


@contextmanager
def _changed(tx: Connection, by: Administrator, member: Account, now: datetime) -> Iterator[None]:
    address = member.email.lower()
    repository.hold_address(tx, address)
    tx.execute(queries.void_codes, {"email": address, "purpose": "invite", "now": now})
    with administrator_left(tx):
        if by.account and by.account.id == member.id:
            raise OwnAccount
        _require_administrator(tx, by)
        repository.hold(tx, member.id)
        yield


def _require_administrator(tx: Connection, by: Administrator) -> None:
    """Raise Forbidden for who lost the right while they waited for another change."""
    if by.account is not None:
        present = repository.hold(tx, by.account.id)
        if present.disabled or not may(present.account.role, "administer"):
            raise Forbidden


def _append_event(tx: Connection, kind: str, by: Administrator, member: Account, data: dict[str, str]) -> None:
    append(tx, kind, {"account": member.public_id} | data, actor=by.actor, person_id=member.person_id)


def _note(
    tx: Connection, by: Administrator, member: Account | None, act: Act, now: datetime, role: Role | None = None
) -> None:
    tx.execute(
        queries.note_act,
        {"now": now, "actor": by.actor, "account_id": member.id if member else None, "act": act, "role": role},
    )
