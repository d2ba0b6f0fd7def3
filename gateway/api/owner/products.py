"""My Products: what an owner sees and does. Everything is read as the role gateway_owner, so only what is theirs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from gateway.accounts.model import Account
from gateway.api import models
from gateway.api.auth import Mine, Network, SignedIn, owner_connection, speech_for
from gateway.api.owner import models as my_models
from gateway.api.owner import views as my_views
from gateway.api.paging import MINUTES_MAX, as_json, next_page
from gateway.api.views import message, metric_history
from gateway.config import Settings
from gateway.core.errors import NotFound
from gateway.notify import attention
from gateway.registrations import claims, owned
from gateway.store import Connection, Database
from gateway.store.wakeup import wake
from gateway.text import Speech

_NEWEST = 2**63 - 1
ALARMS_MAX = 100
"""The most past alarms that the page of a unit shows."""
_NO_UNIT = "You have no such product."
_NO_NOTICE = "You have no such notice."

router = APIRouter(responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})

Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=_NEWEST)]
Before = Annotated[int, Query(ge=0, le=_NEWEST)]

Mark = Callable[[Connection, int, str, datetime], bool]


# -- Units ---------------------------------------------------------------------------------------------------------


@router.get("/api/my/units", tags=["my products"], response_model=my_models.MyUnits)
def my_units(request: Request, mine: Mine, after: After = 0, limit: Limit = 100) -> Response:
    """The person's units with state, newest readings and active alarms."""
    with mine as (account, connection):
        rows = owned.units(connection, after, limit)
    now = _now(request)
    units = [my_views.unit(row, account, now) for row in rows]
    return as_json(my_models.MyUnits(units=units, next=next_page(rows, limit, "row")))


@router.get("/api/my/units/{unit_id}", tags=["my products"], response_model=my_models.MyUnitPage)
def my_unit(request: Request, mine: Mine, unit_id: str) -> Response:
    """One of them, with its past alarms, the limits of its rules, and whether no recall concerns it."""
    with mine as (account, connection):
        row, facts = owned.unit(connection, unit_id), owned.unit_facts(connection, unit_id, ALARMS_MAX)
    if row is None or facts is None:
        raise NotFound(_NO_UNIT)
    return as_json(my_views.unit_page(row, facts, account, _now(request)))


@router.get("/api/my/units/{unit_id}/readings", tags=["my products"])
def my_readings(
    request: Request,
    account: SignedIn,
    unit_id: str,
    metric: str,
    minutes: Annotated[int, Query(ge=1, le=MINUTES_MAX)] = 30,
    until: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 5_000,
) -> models.Readings:
    """One metric over the minutes before `until` (now).

    A short time has its readings, beyond `limit` the lowest and highest of each part; a longer one hours or days.
    """
    end = until or _now(request)
    ahead = timedelta(0) if until else timedelta(days=1)  # a device's clock may be ahead
    with owner_connection(request, account) as connection:
        measure = owned.measure(connection, unit_id, metric)
        if measure is None:
            raise NotFound("You have no such product, or it has no such metric.")
        history = owned.history(connection, unit_id, metric, _before(end, minutes), end + ahead, limit)
    return metric_history(metric, measure, history)


@router.get("/api/my/units/{unit_id}/messages", tags=["my products"])
def my_messages(mine: Mine, unit_id: str) -> models.Messages:
    """Its last messages, and what was refused of them and why."""
    with mine as (_account, connection):
        if owned.unit(connection, unit_id) is None:
            raise NotFound(_NO_UNIT)
        rows = owned.messages(connection, unit_id)
    return models.Messages(messages=[message(row) for row in rows])


@router.post(
    "/api/my/units",
    status_code=201,
    tags=["my products"],
    response_model=my_models.MyUnit,
    responses={409: {"model": my_models.WhichProduct}},
)
def register(
    request: Request, account: SignedIn, network: Network, claim: my_models.Claim
) -> my_models.MyUnit | JSONResponse:
    """Register a unit by serial and claim code. What is wrong is not told, except that it cannot be done."""
    database: Database = request.app.state.database
    who = claims.Claimant(account.person_id, account.person_public_id, network)
    with database.transaction() as tx:
        outcome = claims.claim(
            tx,
            who,
            claim.serial,
            claim.code.get_secret_value(),
            claim.product,
            _limits(request.app.state.settings),
            _now(request),
        )
    _wake(database)
    match outcome:
        case claims.Refused():
            raise claims.ClaimRefused
        case claims.Ambiguous(products):
            return _which([my_views.product(row, account) for row in products])
        case claims.Claimed(unit):
            with owner_connection(request, account) as mine:
                return _unit(mine, account, unit, _now(request))


@router.patch("/api/my/units/{unit_id}", tags=["my products"])
def name_place(request: Request, account: SignedIn, unit_id: str, body: my_models.Place) -> my_models.MyUnit:
    """Say where it stands."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        claims.name_place(tx, account.person_id, unit_id, body.place, _now(request))
    with owner_connection(request, account) as mine:
        return _unit(mine, account, unit_id, _now(request))


@router.delete("/api/my/units/{unit_id}", status_code=204, tags=["my products"])
def release(request: Request, account: SignedIn, unit_id: str) -> None:
    """Give it up: from now on it is nobody's, and its claim code registers it again."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        claims.release(tx, account.person_id, account.person_public_id, unit_id, _now(request))
    _wake(database)


# -- Notices -------------------------------------------------------------------------------------------------------


@router.get("/api/my/feed", tags=["my products"], response_model=my_models.MyFeed)
def my_feed(request: Request, mine: Mine, before: Before = _NEWEST, limit: Limit = 50) -> Response:
    """The person's notices, the newest first, and how many they have not read."""
    with mine as (account, connection):
        page = owned.feed(connection, before, limit)
    say = speech_for(request, account)
    return as_json(
        my_models.MyFeed(
            pinned=[my_views.notice(row, account, say) for row in page.pinned],
            notices=[my_views.notice(row, account, say) for row in page.notices],
            unread=page.unread,
            next=next_page(page.notices, limit, "row"),
        )
    )


@router.get("/api/my/notices/{notice_id}", tags=["my products"])
def my_notice(request: Request, mine: Mine, notice_id: str) -> my_models.MyNotice:
    """One of them."""
    with mine as (account, connection):
        return _notice(connection, account, speech_for(request, account), notice_id)


@router.post("/api/my/notices/{notice_id}/read", tags=["my products"])
def read_notice(request: Request, account: SignedIn, notice_id: str) -> my_models.MyNotice:
    """Note that the person has seen it; the first time counts."""
    return _marked(request, account, notice_id, attention.read)


@router.post("/api/my/notices/{notice_id}/acknowledge", tags=["my products"])
def acknowledge_notice(request: Request, account: SignedIn, notice_id: str) -> my_models.MyNotice:
    """Note that the person confirms it, and so has read it; the first time counts."""
    return _marked(request, account, notice_id, attention.acknowledged)


def _marked(request: Request, account: Account, notice_id: str, mark: Mark) -> my_models.MyNotice:
    database: Database = request.app.state.database
    say = speech_for(request, account)
    with owner_connection(request, account) as mine:
        _notice(mine, account, say, notice_id)  # who cannot see it cannot mark it
    with database.transaction() as tx:
        mark(tx, account.person_id, notice_id, _now(request))
    _wake(database)
    with owner_connection(request, account) as mine:
        return _notice(mine, account, say, notice_id)


# -- Helpers -------------------------------------------------------------------------------------------------------


def _unit(mine: Connection, account: Account, unit_id: str, now: datetime) -> my_models.MyUnit:
    row = owned.unit(mine, unit_id)
    if row is None:
        raise NotFound(_NO_UNIT)
    return my_views.unit(row, account, now)


def _notice(mine: Connection, account: Account, say: Speech, notice_id: str) -> my_models.MyNotice:
    row = owned.notice(mine, notice_id)
    if row is None:
        raise NotFound(_NO_NOTICE)
    return my_views.notice(row, account, say)


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now


def _limits(settings: Settings) -> claims.Limits:
    return claims.Limits(
        settings.claims_per_unit, settings.claims_per_account, settings.claims_per_network, settings.claims_window
    )


def _before(end: datetime, minutes: int) -> datetime:
    try:
        return end - timedelta(minutes=minutes)
    except OverflowError as error:
        raise NotFound("There is nothing so long ago.") from error


def _wake(database: Database) -> None:
    """Streams and workers look at once."""
    with database.read() as connection:
        wake(connection)


def _which(products: list[models.ProductRef]) -> JSONResponse:
    problem = my_models.WhichProduct(
        title="Serial ambiguous",
        status=409,
        code="serial_ambiguous",
        detail="Several products have this serial; say which one it is.",
        products=products,
    )
    return JSONResponse(problem.model_dump(), 409, media_type="application/problem+json")
