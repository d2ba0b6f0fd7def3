"""The event log, and events of it that could not be handled: the staff list them and have them tried again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from gateway.accounts.model import Account
from gateway.api import models, views
from gateway.api.auth import who_may
from gateway.api.models import Problem
from gateway.api.paging import Limit, Reading, next_page
from gateway.api.staff import event_models
from gateway.campaigns.failures import failures_to_tell, try_again
from gateway.events import Position, dead_letters, read
from gateway.store import Database
from gateway.store.wakeup import wake

router = APIRouter(tags=["events"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Retrier = Annotated[Account, Depends(who_may("retry"))]
Before = Annotated[int, Query(ge=0, le=dead_letters.NEWEST)]


@router.get("/api/events")
def events(database: Reading, after: str = "0", limit: Limit = 100) -> models.Events:
    """The event log from any point on, in its one order."""
    place = Position.parse(after)
    page = read(database, place, limit)
    return models.Events(events=[views.event(event) for event in page], next=str(page[-1].position if page else place))


@router.get("/api/dead-letters")
def failed(database: Reading, before: Before = dead_letters.NEWEST, limit: Limit = 50) -> event_models.DeadLetters:
    """Events that could not be handled, and are tried again; who had to be told of them was not told yet."""
    rows = dead_letters.page(database, before, limit)
    events = [event_models.DeadLetter(**row, cursor=str(row["place"])) for row in rows]
    return event_models.DeadLetters(events=events, next=next_page(rows, limit, "place"))


@router.post("/api/dead-letters/retry", status_code=202)
def retry(who: Retrier, request: Request, body: event_models.DeadLetterChoice) -> event_models.DeadLettersAsked:
    """Have the worker try them at once; those that it can handle leave the list."""
    database = _database(request)
    places = None if body.cursors is None else [int(cursor) for cursor in body.cursors]
    with database.transaction() as tx:
        number = dead_letters.ask_retry(tx, places, request.app.state.clock(), actor=who.person_public_id)
    with database.read() as connection:
        wake(connection)
    return event_models.DeadLettersAsked(asked=number)


@router.get("/api/failures-to-tell")
def failures(database: Reading, limit: Limit = 100) -> event_models.FailuresToTell:
    """What could not be told to owners, by an error of ours, and is tried again."""
    rows = failures_to_tell(database, limit)
    return event_models.FailuresToTell(failures=[event_models.FailureToTell(**row) for row in rows])


@router.post("/api/failures-to-tell/retry", status_code=202)
def retry_failures(who: Retrier, request: Request) -> event_models.DeadLettersAsked:
    """Have the worker try all of them at once."""
    database = _database(request)
    with database.transaction() as tx:
        number = try_again(tx, request.app.state.clock(), actor=who.person_public_id)
    with database.read() as connection:
        wake(connection)
    return event_models.DeadLettersAsked(asked=number)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
