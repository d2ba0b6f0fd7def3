"""A person's event stream: events of their units and notices, and of nobody else."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event

from gateway.api import models
from gateway.api.auth import SignedIn
from gateway.api.owner import views as my_views
from gateway.api.stream.filters import Filter, events_of_person, with_owners
from gateway.api.stream.hub import Subscription
from gateway.api.stream.response import DOCUMENTED, EventStream, reset
from gateway.api.stream.staff import last_event, reset_beyond_end, subscribe
from gateway.events import Event, Position, end, read
from gateway.store import Database

router = APIRouter(responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})

_PAGE = 500
_PAGES_MAX = 20


async def person_subscription(request: Request, account: SignedIn) -> Subscription:
    """Returns a new open stream of the person's events."""
    return await subscribe(request, account, events_of_person(account.person_id))


@router.get("/api/my/stream", response_class=EventStream, status_code=200, responses=DOCUMENTED, tags=["my products"])
async def my_stream(
    request: Request,
    after: Annotated[Position | None, Depends(last_event)],
    live: Annotated[Subscription, Depends(person_subscription)],
) -> EventStream:
    """The person's events as they happen; with Last-Event-ID first those missed.

    `stream.reset` says that more were missed than are sent: load the page anew. `stream.end` says goodbye: come
    back, with the Last-Event-ID.
    """
    state = request.app.state
    return EventStream(state.hub, live, _missed(state.database, live, after), _message, state.settings.stream_life)


async def _missed(database: Database, live: Subscription, after: Position | None) -> AsyncIterator[bytes]:
    if (last := await reset_beyond_end(database, after)) is not None:
        after = last
        yield reset(last)
    if after is not None:
        for _ in range(_PAGES_MAX):
            events, place, is_all = await run_in_threadpool(_missed_events, database, after, live.wants)
            after = place
            yield b"".join(map(_message, events))
            if is_all:
                break
        else:
            after = await run_in_threadpool(_end, database)
            yield reset(after)
    live.after = after


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


def _message(event: Event) -> bytes:
    public = my_views.event(event)
    return format_sse_event(id=public.cursor, event=public.kind, data_str=public.model_dump_json())
