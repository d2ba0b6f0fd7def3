"""How a person wants to be told: the preferred network with its reason, mail, and the phones."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from gateway.api import models
from gateway.api.auth import SignedIn, Speaking
from gateway.core.duration import Duration
from gateway.core.errors import NotFound
from gateway.core.reason import Reason
from gateway.notify import addresses
from gateway.notify.channels.registry import CHANNELS, known
from gateway.store import Connection, Database, Row
from gateway.text import Speech
from gateway.text.reasons import reason_text

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.core.clock import Clock

ExternalChannel = Annotated[str, AfterValidator(known), Field(json_schema_extra={"enum": sorted(CHANNELS)})]

router = APIRouter(tags=["preferences"], responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})


class Phone(BaseModel):
    """A phone that may be told; its token is never shown again."""

    id: str
    platform: str
    registered_at: datetime


class Mail(BaseModel):
    """The person's address, and whether notices go there; `stopped_because` says why not."""

    address: str
    confirmed: bool
    allowed: bool
    stopped_because: str | None


class Preferences(BaseModel):
    """The own choice (null: what is learned), the order that follows from it, and why, as a sentence."""

    channel: ExternalChannel | None
    order: list[ExternalChannel]
    reason: str
    mail: Mail
    phones: list[Phone]
    follow_up_after: Duration


class PreferencesChange(BaseModel):
    """What to change; what is left out stays."""

    channel: ExternalChannel | None = None
    mail: bool | None = Field(None, description="Whether notices may come by mail; safety always does.")


class NewPhone(BaseModel):
    """A phone's registration token, or Firebase installation id, as the app got it."""

    kind: Literal["token", "fid"] = "token"
    value: str = Field(min_length=8, max_length=2048, pattern=r"^[!-~]+$")
    platform: Literal["android", "ios", "web"]


@router.get("/api/my/preferences")
def preferences(request: Request, account: SignedIn, say: Speaking) -> Preferences:
    """How the signed-in person is told, and why so."""
    with _database(request).transaction() as tx:
        return _shown(request, tx, account.person_id, say)


@router.put("/api/my/preferences")
def change_preferences(request: Request, account: SignedIn, say: Speaking, change: PreferencesChange) -> Preferences:
    """Choose a network (null gives the choice back), or stop and allow mail."""
    person, now = account.person_id, _now(request)
    with _database(request).transaction() as tx:
        if "channel" in change.model_fields_set:
            addresses.prefer(tx, person, change.channel, now, actor=account.person_public_id)
        if change.mail is True:
            addresses.allow_mail(tx, person, account.email)
        elif change.mail is False:
            addresses.suppress(tx, person, account.email, Reason.of("stopped-in-settings"), now)
        return _shown(request, tx, person, say)


@router.post("/api/my/push-tokens", status_code=201)
def register_phone(request: Request, account: SignedIn, phone: NewPhone) -> Phone:
    """Let a phone be told; the same token again changes nothing, and a phone that changed hands follows its owner."""
    settings: Settings = request.app.state.settings
    with _database(request).transaction() as tx:
        row = addresses.register_phone(
            tx,
            account.person_id,
            phone.kind,
            phone.value,
            phone.platform,
            _now(request),
            tokens_max=settings.push_tokens_max,
        )
    return _phone(row)


@router.delete("/api/my/push-tokens/{phone_id}", status_code=204)
def forget_phone(request: Request, account: SignedIn, phone_id: Annotated[str, Path(max_length=40)]) -> Response:
    """Tell a phone nothing any more."""
    with _database(request).transaction() as tx:
        phones = [row for row in addresses.phones(tx, account.person_id) if row["public_id"] == phone_id]
        if not phones:
            raise NotFound("You have no such phone.")
        addresses.retire_phone(tx, phones[0]["id"], account.person_id, Reason.of("phone-taken-out"), _now(request))
    return Response(status_code=204)


def _shown(request: Request, tx: Connection, person_id: int, say: Speech) -> Preferences:
    settings: Settings = request.app.state.settings
    now = _now(request)
    reach = addresses.reach(tx, person_id, now)
    # Whether the servers are set up is known to the worker role; here counts what the person gave.
    mail = addresses.mail_of(tx, person_id)
    order = reach.order(now, CHANNELS)
    return Preferences.model_validate(
        {
            "channel": reach.choice,
            "order": order.channels,
            "reason": reason_text(order.reason, say),
            "mail": mail
            | {
                "allowed": mail["stopped_because"] is None,
                "stopped_because": reason_text(mail["stopped_because"], say) or None,
            },
            "phones": [_phone(row) for row in addresses.phones(tx, person_id)],
            "follow_up_after": settings.follow_up_after,
        }
    )


def _phone(row: Row) -> Phone:
    return Phone(id=row["public_id"], platform=row["platform"], registered_at=row["created_at"])


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock()
