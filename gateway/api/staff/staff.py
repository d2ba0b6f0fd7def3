"""The staff's accounts, for administrators: who there is, invitations, roles, sessions, and who may do what."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request

from gateway.accounts import staff as kept_staff
from gateway.accounts.model import STAFF, Account
from gateway.accounts.rights import RIGHTS
from gateway.accounts.staff import Administrator
from gateway.api.auth import who_may
from gateway.api.listing import Place, next_place, read_place
from gateway.api.models import Problem
from gateway.api.paging import NEWEST, Limit, Pool, Reading
from gateway.api.public.accounts import BY_MAIL, Now
from gateway.api.staff import staff_models as models
from gateway.api.staff.look_models import PersonRef
from gateway.store import Connection, Database, Row
from gateway.store.wakeup import wake

if TYPE_CHECKING:
    from gateway.config import Settings

router = APIRouter(
    tags=["staff"],
    responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    dependencies=[Depends(who_may("administer"))],
)

Who = Annotated[Account, Depends(who_may("administer"))]


@router.get("/api/staff")
def staff(database: Reading, now: Now) -> models.Staff:
    """Everybody with a role of the staff, and open invitations."""
    moment = now()
    return models.Staff(
        members=[models.Member(**row | {"id": row["person"]}) for row in kept_staff.members(database, moment)],
        invitations=[models.OpenInvitation(**row) for row in kept_staff.open_invitations(database, moment)],
    )


@router.get("/api/staff/rights")
def rights() -> models.Rights:
    """Which role may do what."""
    lines = [models.RightAndRoles(right=right, roles=list(roles)) for right, roles in RIGHTS.items()]
    return models.Rights(roles=list(STAFF), rights=lines)


@router.get("/api/staff/acts")
def acts(database: Reading, after: Place = "", limit: Limit = 20) -> models.StaffActs:
    """What was done to accounts of the staff, the newest first."""
    place = read_place(after, 1)
    rows = kept_staff.acts(database, int(place[0]) if place else NEWEST, limit)
    return models.StaffActs(acts=[_act(row) for row in rows], next=next_place(rows, limit, "id"))


@router.post("/api/staff/invitations", status_code=202, dependencies=BY_MAIL)
def invite(request: Request, database: Pool, who: Who, now: Now, body: models.Invitation) -> models.Invited:
    """Mail an invitation to the staff; it gives the role only to who proves the address."""
    settings: Settings = request.app.state.settings
    with database.transaction() as tx:
        kept_staff.invite(tx, settings, Administrator(who), body.email, body.name, body.role, now())
    return models.Invited(days=settings.invitation_life.days)


@router.post("/api/staff/invitations/withdraw", status_code=204)
def withdraw(database: Pool, who: Who, now: Now, body: models.Withdrawal) -> None:
    """Take back an invitation that was not taken yet."""
    with database.transaction() as tx:
        kept_staff.withdraw_invitation(tx, Administrator(who), body.email, now())


@router.put("/api/staff/{person_id}/role", status_code=204)
def change_role(database: Pool, who: Who, now: Now, person_id: str, body: models.RoleChange) -> None:
    """Give a member of the staff another role, or take it; their sessions end."""

    def change(tx: Connection, by: Administrator, member: Account, moment: datetime) -> None:
        kept_staff.change_role(tx, by, member, body.role, moment)

    _act_on(database, who, person_id, now(), change)


@router.post("/api/staff/{person_id}/disable", status_code=204)
def disable(database: Pool, who: Who, now: Now, person_id: str) -> None:
    """Disable an account: it cannot sign in, and its sessions end."""
    _act_on(database, who, person_id, now(), kept_staff.disable)


@router.post("/api/staff/{person_id}/enable", status_code=204)
def enable(database: Pool, who: Who, now: Now, person_id: str) -> None:
    """Let a disabled account sign in again."""
    _act_on(database, who, person_id, now(), kept_staff.enable)


@router.post("/api/staff/{person_id}/end-sessions", status_code=204)
def end_sessions(database: Pool, who: Who, now: Now, person_id: str) -> None:
    """Sign a member of the staff out everywhere."""
    _act_on(database, who, person_id, now(), kept_staff.end_sessions)


def _act_on(
    database: Database,
    who: Account,
    person_id: str,
    now: datetime,
    act: Callable[[Connection, Administrator, Account, datetime], None],
) -> None:
    with database.transaction() as tx:
        act(tx, Administrator(who), kept_staff.find_member(tx, person_id), now)
    with database.read() as connection:
        wake(connection)  # open streams close at once


def _act(row: Row) -> models.StaffAct:
    return models.StaffAct(
        id=str(row["id"]),
        at=row["at"],
        act=row["act"],
        role=row["role"],
        by=PersonRef(id=row["actor"], name=row["actor_name"]) if row["actor_name"] else None,
        to=PersonRef(id=row["person"], name=row["name"]) if row["person"] else None,
    )
