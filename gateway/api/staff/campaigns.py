"""Campaigns over HTTP: staff read them; product managers and administrators draft, and a second one approves."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from gateway.accounts.model import Account
from gateway.api.auth import who_may
from gateway.api.listing import Place, Words, as_csv, next_place, read_place
from gateway.api.models import Problem
from gateway.api.paging import Reading, next_page
from gateway.api.public.accounts import Now
from gateway.api.staff import campaign_models as models
from gateway.api.staff import campaign_views
from gateway.campaigns import publish, repository, service
from gateway.campaigns.model import AudienceCount, Draft, Kind, Standing, State
from gateway.campaigns.progress import progress
from gateway.campaigns.service import Writer as Author
from gateway.core.clock import Clock
from gateway.core.errors import NotFound
from gateway.notify.channels.registry import set_up
from gateway.store import Connection, Database, Row
from gateway.store.wakeup import wake

_NONE = "There is no such campaign."

router = APIRouter(tags=["campaigns"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Staff = Annotated[Account, Depends(who_may("read"))]
Writer = Annotated[Account, Depends(who_may("write_campaigns"))]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=repository.NEWEST)]


# -- Read ----------------------------------------------------------------------------------------------------------


@router.get("/api/products")
def products(database: Reading) -> models.Products:
    """Every product with its lots."""
    return models.Products(products=[campaign_views.choice(row) for row in repository.choices(database)])


def filters(
    kind: Kind | None = None, state: State | None = None, product: str | None = None, words: Words = ""
) -> repository.Filters:
    """Returns which campaigns are asked for."""
    return repository.Filters(kind, state, product, words.strip())


Filters = Annotated[repository.Filters, Depends(filters)]


@router.get("/api/campaigns")
def campaigns(
    who: Staff, database: Reading, clock: Now, chosen: Filters, after: Place = "", limit: Limit = 50
) -> models.Campaigns:
    """Campaigns, the newest first."""
    lines, following = _page(database, chosen, after, limit, who, clock)
    counts = models.CampaignCounts(**repository.count_lines(database, chosen))
    return models.Campaigns(campaigns=lines, next=following, counts=counts)


@router.get("/api/campaigns.csv")
def saved_campaigns(
    request: Request, who: Annotated[Account, Depends(who_may("export"))], clock: Now, chosen: Filters
) -> StreamingResponse:
    """The list as a file."""

    def page(connection: Connection, place: str, limit: int) -> tuple[list[list[object]], str | None]:
        lines, following = _page(connection, chosen, place, limit, who, clock)
        return [campaign_views.saved(each) for each in lines], following

    return as_csv(_database(request), "campaigns", campaign_views.COLUMNS, page)


@router.post("/api/campaigns/count")
def count(request: Request, _who: Writer, database: Reading, clock: Now, body: models.CountQuestion) -> AudienceCount:
    """Whom an audience would reach now on the channels that are set up here; nothing is kept."""
    arguments = (body.product, body.audience, body.kind, body.supersedes)
    return service.count(database, *arguments, _channels(request), clock())


@router.get("/api/campaigns/{campaign_id}")
def campaign(request: Request, who: Staff, database: Reading, clock: Now, campaign_id: str) -> models.Campaign:
    """One campaign."""
    return _campaign(request, database, campaign_id, who, clock)


@router.get("/api/campaigns/{campaign_id}/units")
def units(
    database: Reading,
    clock: Now,
    campaign_id: str,
    after: After = 0,
    limit: Limit = 100,
    standing: Standing | None = None,
) -> models.CampaignUnits:
    """The frozen audience, unit by unit."""
    campaign_row = _require(repository.find(database, campaign_id))
    rows = repository.units(database, campaign_row["id"], after, limit, standing, clock())
    return models.CampaignUnits(units=[models.CampaignUnit(**row) for row in rows], next=next_page(rows, limit, "row"))


@router.get("/api/campaigns/{campaign_id}/joined")
def joined(database: Reading, clock: Now, campaign_id: str, after: After = 0, limit: Limit = 100) -> models.JoinedUnits:
    """The units that match it since its audience was frozen; nobody was told of them."""
    campaign_row = _require(repository.find(database, campaign_id))
    rows = repository.joined_units(database, campaign_row["id"], after, limit, clock())
    return models.JoinedUnits(units=[models.JoinedUnit(**row) for row in rows], next=next_page(rows, limit, "row"))


# -- Write ---------------------------------------------------------------------------------------------------------


@router.post("/api/campaigns", status_code=201)
def draft(request: Request, who: Writer, clock: Now, body: Draft) -> models.Campaign:
    """Begin a campaign; it may be unfinished."""
    with _database(request).transaction() as tx:
        public_id = service.draft(tx, _author(who), body, clock())
    return _updated_campaign(request, public_id, who, clock)


@router.put("/api/campaigns/{campaign_id}")
def edit(request: Request, who: Writer, clock: Now, campaign_id: str, body: models.EditedDraft) -> models.Campaign:
    """Change a draft; 409 when somebody else changed it meanwhile, or it is published."""
    with _database(request).transaction() as tx:
        service.edit(tx, _author(who), campaign_id, body, body.version, clock())
    return _updated_campaign(request, campaign_id, who, clock)


@router.delete("/api/campaigns/{campaign_id}", status_code=204)
def discard(request: Request, who: Writer, campaign_id: str) -> None:
    """Throw a draft away."""
    with _database(request).transaction() as tx:
        service.discard(tx, _author(who), campaign_id)
    _wake(request)


@router.post("/api/campaigns/{campaign_id}/approve")
def approve(request: Request, who: Writer, clock: Now, campaign_id: str, body: models.Approval) -> models.Campaign:
    """Publish a draft that others wrote: its audience is frozen, and its owners are told."""
    with _database(request).transaction() as tx:
        publish.approve(tx, _author(who), campaign_id, body.units, body.version, _channels(request), clock())
    return _updated_campaign(request, campaign_id, who, clock)


# -- Helpers -------------------------------------------------------------------------------------------------------


def _page(
    connection: Connection, chosen: repository.Filters, after: str, limit: int, who: Account, clock: Clock
) -> tuple[list[models.CampaignLine], str | None]:
    place = read_place(after, 1)
    rows = repository.lines(connection, chosen, place[0] if place else repository.NEWEST, limit)
    ids = [row["row"] for row in rows if row["state"] != "draft"]
    progress_by_id = progress(connection, ids, clock())
    joined = repository.joined(connection, ids, clock())
    lines = [campaign_views.line(row, progress_by_id.get(row["row"]), joined.get(row["row"]), who) for row in rows]
    return lines, next_place(rows, limit, "row")


def _campaign(request: Request, database: Connection, campaign_id: str, who: Account, clock: Clock) -> models.Campaign:
    row = _require(repository.line(database, campaign_id))
    if row["state"] == "draft":
        draft_row = _require(repository.find(database, campaign_id))
        count_and_checks = service.count_and_check(database, draft_row, _channels(request), clock())
        return campaign_views.campaign(row, None, None, count_and_checks, who)
    progress_by_id = progress(database, [row["row"]], clock())
    joined = repository.joined(database, [row["row"]], clock())
    return campaign_views.campaign(row, progress_by_id.get(row["row"]), joined.get(row["row"]), None, who)


def _updated_campaign(request: Request, campaign_id: str, who: Account, clock: Clock) -> models.Campaign:
    """Returns the campaign as it is now, and wakes streams and workers."""
    _wake(request)
    with _database(request).read() as connection:
        return _campaign(request, connection, campaign_id, who, clock)


def _channels(request: Request) -> tuple[str, ...]:
    """Returns the channels outside the feed that are set up here."""
    return set_up(request.app.state.settings)


def _require(row: Row | None) -> Row:
    if row is None:
        raise NotFound(_NONE)
    return row


def _author(account: Account) -> Author:
    return Author(account.person_id, account.person_public_id)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _wake(request: Request) -> None:
    with _database(request).read() as connection:
        wake(connection)
