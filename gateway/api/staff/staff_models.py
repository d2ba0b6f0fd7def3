"""The staff's accounts over HTTP: what is returned to administrators, and what they may change."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.accounts.model import Role, StaffRole
from gateway.accounts.rights import Right
from gateway.accounts.staff import Act
from gateway.api.public.account_models import Email, Name
from gateway.api.staff.look_models import PersonRef


class Member(BaseModel):
    """Somebody of the staff; `id` is their public id as a person, by which events name them."""

    id: str
    name: str
    email: str
    role: StaffRole
    disabled_at: datetime | None
    sessions: int = Field(description="Browsers that are signed in.")
    signed_in_at: datetime | None = Field(description="Null where it is not known any more.")
    seen_at: datetime | None = Field(description="When an open session was last used.")


class OpenInvitation(BaseModel):
    """An invitation that was not taken yet."""

    email: str
    name: str
    role: StaffRole
    created_at: datetime
    expires_at: datetime


class Staff(BaseModel):
    """Everybody with a role of the staff by name, and who is invited, the newest first."""

    members: list[Member]
    invitations: list[OpenInvitation]


class RoleChange(BaseModel):
    """Another role; as a customer somebody is of the staff no longer."""

    model_config = ConfigDict(extra="forbid")

    role: Role


class Invitation(BaseModel):
    """Somebody who is to join the staff."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    name: Name
    role: StaffRole


class Invited(BaseModel):
    """The invitation was mailed, and is good for so many days."""

    days: int


class Withdrawal(BaseModel):
    """Whose invitation is taken back."""

    model_config = ConfigDict(extra="forbid")

    email: Email


class StaffAct(BaseModel):
    """What was done to an account of the staff; `by` is null for the command line, `to` for who was only invited."""

    id: str
    at: datetime
    act: Act
    role: Role | None
    by: PersonRef | None
    to: PersonRef | None


class StaffActs(BaseModel):
    """A page of such acts, the newest first."""

    acts: list[StaffAct]
    next: str | None


class RightAndRoles(BaseModel):
    """A right, and the roles that have it."""

    right: Right
    roles: list[StaffRole]


class Rights(BaseModel):
    """Every right."""

    roles: list[Literal["support", "product_manager", "administrator"]]
    rights: list[RightAndRoles]
