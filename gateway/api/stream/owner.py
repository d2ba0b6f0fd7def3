"""A person's event stream: events of their units and notices, and of nobody else."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gateway.api import models
from gateway.api.auth import SignedIn
from gateway.api.owner import views as my_views
from gateway.api.stream.filters import Filter, events_of_person, with_owners
from gateway.api.stream.hub import Hub, Subscription
from gateway.api.stream.staff import last_event, reset_beyond_end, subscribe, until_over
from gateway.events import Event, Position, end, read
from gateway.store import Database

router = APIRouter(responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})

_PAGE = 500
_PAGES_MAX = 20
_RECONNECT_MS = 1_000


async def person_subscription(request: Request, account: SignedIn) -> Subscription:
    """Returns a new open stream of the person's events."""
    return await subscribe(request, account, events_of_person(account.person_id))


@router.get("/api/my/stream", response_class=EventSourceResponse, tags=["my products"])
async def my_stream(
    request: Request,
    after: Annotated[Position | None, Depends(last_event)],
    live: Annotated[Subscription, Depends(person_subscription)],
) -> AsyncIterable[ServerSentEvent]:
    """The person's events as they happen; with Last-Event-ID first those missed.

    `stream.reset` says that more were missed than are sent: load the page anew. `stream.end` says goodbye: come
    back, with the Last-Event-ID.
    """
    hub: Hub = request.app.state.hub
    database: Database = request.app.state.database
    try:
        # Something at once, so that the browser knows that the stream is open.
        yield ServerSentEvent(comment="open", retry=_RECONNECT_MS)
        if (last := await reset_beyond_end(database, after)) is not None:
            after = last
            yield ServerSentEvent(id=str(last), event="stream.reset", data={})
        if after is not None:
            for _ in range(_PAGES_MAX):
                events, place, is_all = await run_in_threadpool(_missed_events, database, after, live.wants)
                after = place
                for event in events:
                    yield _message(event)
                if is_all:
                    break
            else:
                after = await run_in_threadpool(_end, database)
                yield ServerSentEvent(id=str(after), event="stream.reset", data={})
        async for event in until_over(live, request.app.state.settings):
            if after is None or event.position > after:
                yield _message(event)
        yield ServerSentEvent(event="stream.end", data={})
    finally:
        hub.unsubscribe(live)


def _missed_events(database: Database, after: Position, wants: Filter) -> tuple[list[Event], Position, bool]:
    """Returns their events in the next page of the log, where it ends, and whether it was the last one."""
    with database.read() as connection:
        events = read(connection, after, _PAGE)
        events_and_owners = with_owners(connection, events)
    place = events[-1].position if events else after
    return [item.event for item in events_and_owners if wants(item)], place, len(events) < _PAGE


def _end(database: Database) -> Position:
    with database.read() as connection:
        return end(connection)


def _message(event: Event) -> ServerSentEvent:
    public = my_views.event(event)
    return ServerSentEvent(id=public.cursor, event=public.kind, data=public.model_dump(mode="json"))
