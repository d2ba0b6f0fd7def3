"""The person's own event stream: what happens to their units and what they are told, and nothing of anybody else."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gateway.api import models
from gateway.api.auth import SignedIn
from gateway.api.owner import views as my_views
from gateway.api.stream.heard import Filter, hear, of_person
from gateway.api.stream.hub import Hub, Subscription
from gateway.api.stream.staff import last_event, reset_beyond_end, subscribe, until_over
from gateway.events import Event, Position, end, read
from gateway.store import Database

router = APIRouter(responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})

_PAGE = 500
_PAGES_MAX = 20
_RECONNECT_MS = 1_000


async def person_subscription(request: Request, account: SignedIn) -> Subscription:
    """The person's place among the open streams."""
    return await subscribe(request, account, of_person(account.person_id))


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
                missed, place, is_all = await run_in_threadpool(_missed, database, after, live.wants)
                after = place
                for event in missed:
                    yield _sent(event)
                if is_all:
                    break
            else:
                after = await run_in_threadpool(_end, database)
                yield ServerSentEvent(id=str(after), event="stream.reset", data={})
        async for happened in until_over(live, request.app.state.settings):
            if after is None or happened.position > after:
                yield _sent(happened)
        yield ServerSentEvent(event="stream.end", data={})
    finally:
        hub.unsubscribe(live)


def _missed(database: Database, after: Position, wants: Filter) -> tuple[list[Event], Position, bool]:
    """What they missed in the next page of the log, where it ends, and whether it was the last one."""
    with database.read() as connection:
        events = read(connection, after, _PAGE)
        heard = hear(connection, events)
    place = events[-1].position if events else after
    return [each.event for each in heard if wants(each)], place, len(events) < _PAGE


def _end(database: Database) -> Position:
    with database.read() as connection:
        return end(connection)


def _sent(event: Event) -> ServerSentEvent:
    public = my_views.event(event)
    return ServerSentEvent(id=public.cursor, event=public.kind, data=public.model_dump(mode="json"))
