"""Notices as the staff see them: the list, one with its trail, and the whole record of ledger and deliveries."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from gateway.api import models
from gateway.api.auth import SignedIn, Speaking, who_may
from gateway.api.listing import Place, Words, as_csv, place_after, read_place
from gateway.api.paging import NEWEST, Before, Limit, Reading, next_page
from gateway.api.public.accounts import Now
from gateway.api.staff import notice_models, notice_views, views
from gateway.campaigns.progress import progress
from gateway.core.errors import NotFound
from gateway.notify import listing
from gateway.notify import repository as notify
from gateway.store import Connection, Database
from gateway.support.audit import note_look
from gateway.text import Speech

router = APIRouter(tags=["notices"], responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})

Severity = Annotated[models.Severity | None, Query()]


def filters(
    words: Words = "",
    kind: models.NoticeKind | None = None,
    state: Literal["open", "over"] | None = None,
    severity: Severity = None,
) -> listing.Filters:
    """Returns which notices are asked for."""
    return listing.Filters(words.strip(), kind, severity, state)


Filters = Annotated[listing.Filters, Depends(filters)]


@router.get("/api/notices")
def notices(
    database: Reading, chosen: Filters, say: Speaking, clock: Now, after: Place = "", limit: Limit = 50
) -> notice_models.Notices:
    """Notices, the urgent first: open ones of alarms, a line for each campaign, then what is over."""
    lines, following = _page(database, chosen, after, limit, say, clock)
    counted = {
        name: notice_models.NoticeCount(count=count.notices, more=count.more)
        for name, count in listing.counts(database, chosen).items()
    }
    return notice_models.Notices(notices=lines, next=following, counts=notice_models.NoticeCounts(**counted))


@router.get("/api/notices.csv", dependencies=[Depends(who_may("export_people"))])
def saved_notices(request: Request, chosen: Filters, say: Speaking, clock: Now) -> StreamingResponse:
    """The list as a file; it names people."""

    def page(connection: Connection, place: str, limit: int) -> tuple[list[list[object]], str | None]:
        lines, following = _page(connection, chosen, place, limit, say, clock)
        return [notice_views.saved(each) for each in lines], following

    database: Database = request.app.state.database
    return as_csv(database, "notices", notice_views.COLUMNS, page)


def _page(
    connection: Connection, chosen: listing.Filters, after: str, limit: int, say: Speech, clock: Now
) -> tuple[list[notice_models.NoticeLine], str | None]:
    page = listing.page(connection, chosen, read_place(after, 2), limit, say.language, clock())
    ids = [row["campaign_id"] for row in page.rows if row["campaign_id"] is not None]
    by_campaign = progress(connection, ids, clock()) if ids else {}
    lines = [notice_views.line(row, by_campaign.get(row["campaign_id"]), say) for row in page.rows]
    return lines, place_after(page.next)


@router.get("/api/notices/{notice_id}")
def notice(
    database: Reading, who: SignedIn, notice_id: str, say: Speaking, clock: Now
) -> notice_models.NoticeWithLedger:
    """One notice: what it says, to whom, why, and what became of it on each channel."""
    row = listing.record(database, notice_id, say.language, clock())
    if row is None:
        raise NotFound("There is no such notice.")
    note_look(database, who, unit=row["unit_row"], now=clock())
    note_look(database, who, person=row["person_row"], now=clock())
    ledger = listing.ledger_of(database, notice_id=row["row"])
    return notice_views.notice_with_ledger(row, ledger, say)


@router.get("/api/feed")
def feed(database: Reading, say: Speaking, before: Before = NEWEST, limit: Limit = 50) -> models.Feed:
    """Every notice, the newest first."""
    rows = notify.feed(database, before, limit, say.language)
    return models.Feed(notices=[views.notice(row, say) for row in rows], next=next_page(rows, limit, "row"))


@router.get("/api/ledger")
def ledger(database: Reading, say: Speaking, before: Before = NEWEST, limit: Limit = 50) -> models.Ledger:
    """What the stages answered to each alarm: why somebody was told, or why nobody was."""
    rows = notify.ledger(database, before, limit)
    lines = [views.ledger_line(row, say) for row in rows]
    return models.Ledger(lines=lines, next=next_page(rows, limit, "id"))


@router.get("/api/deliveries")
def deliveries(database: Reading, say: Speaking, before: Before = NEWEST, limit: Limit = 50) -> models.Deliveries:
    """Each notice on each channel and how it ended, the newest first."""
    rows = notify.deliveries(database, before, limit)
    return models.Deliveries(
        deliveries=[views.delivery(row, say) for row in rows],
        next=next_page(rows, limit, "id"),
    )
