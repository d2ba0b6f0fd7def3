"""The quarantine over HTTP: staff list it and have it tried again, administrators purge it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import StreamingResponse

from gateway.accounts.model import Account
from gateway.api.auth import who_may
from gateway.api.listing import as_csv, next_place, read_place
from gateway.api.models import Problem
from gateway.api.paging import Before, Limit, Reading, next_page
from gateway.api.staff import quarantine_models, views
from gateway.ingest import quarantine
from gateway.ingest.quarantine import Choice
from gateway.store import Connection, Database

router = APIRouter(tags=["devices"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Retrier = Annotated[Account, Depends(who_may("retry"))]
Purger = Annotated[Account, Depends(who_may("purge"))]
Number = Annotated[int, Path(ge=0, le=quarantine.NEWEST)]


@router.get("/api/quarantine")
def messages(
    database: Reading, before: Before = quarantine.NEWEST, limit: Limit = 50, reason: str | None = None
) -> quarantine_models.Quarantine:
    """Messages that could not be taken whole, and why, the newest first."""
    rows = quarantine.page(database, before, limit, reason)
    return quarantine_models.Quarantine(
        messages=[views.quarantined_message(row) for row in rows], next=next_page(rows, limit, "id")
    )


@router.get("/api/quarantine.csv", dependencies=[Depends(who_may("export"))])
def saved_messages(request: Request, reason: str | None = None) -> StreamingResponse:
    """The messages as a file."""

    def page(connection: Connection, place: str, limit: int) -> tuple[list[list[object]], str | None]:
        last = read_place(place, 1)
        rows = quarantine.page(connection, last[0] if last else quarantine.NEWEST, limit, reason)
        return [views.saved_message(row) for row in rows], next_place(rows, limit, "id")

    return as_csv(_database(request), "quarantine", views.MESSAGE_COLUMNS, page)


@router.get("/api/quarantine/counts")
def counts(database: Reading) -> quarantine_models.QuarantineCounts:
    """How many messages were refused, are kept and were trimmed, and when one last came, by reason."""
    return quarantine_models.QuarantineCounts(
        reasons=[quarantine_models.QuarantineCount(**row) for row in quarantine.counts(database)]
    )


@router.get("/api/quarantine/{number}")
def message(database: Reading, number: Number) -> quarantine_models.Quarantined:
    """One message."""
    return views.quarantined_message(quarantine.one(database, number))


@router.post("/api/quarantine/retry", status_code=202)
def retry(who: Retrier, request: Request, body: quarantine_models.QuarantineChoice) -> quarantine_models.RetryAsked:
    """Have ingest try messages again, with their own time; what is taken leaves, the others get their new reason."""
    with _database(request).transaction() as tx:
        number, cut_number = quarantine.ask_retry(tx, _choice(body), who.person_public_id)
    return quarantine_models.RetryAsked(asked=number, cut=cut_number)


@router.post("/api/quarantine/purge")
def purge(who: Purger, request: Request, body: quarantine_models.QuarantineChoice) -> quarantine_models.Purged:
    """Drop messages for good; the counts stay."""
    with _database(request).transaction() as tx:
        return quarantine_models.Purged(purged=quarantine.purge(tx, _choice(body), who.person_public_id))


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _choice(body: quarantine_models.QuarantineChoice) -> Choice:
    return Choice(None if body.ids is None else [int(number) for number in body.ids], body.reason)
