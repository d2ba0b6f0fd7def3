"""Stage `show`: the event log as Server-Sent Events, resumable by Last-Event-ID."""

import asyncio
import re
from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gateway.accounts.model import Account
from gateway.accounts.sessions import session_id
from gateway.api import views
from gateway.api.auth import SignedIn, present_token, signed_in
from gateway.api.stream.filters import Filter, all_events, end_of_session
from gateway.api.stream.hub import Hub, Subscription
from gateway.config import Settings
from gateway.events import Event, Position, end, read
from gateway.store import Database

router = APIRouter()

_PAGE = 500
_RECONNECT_MS = 1_000


_OLD_PLACE = re.compile(r"\d{1,19}\.\d{1,19}")
"""A place as older versions wrote it, which an open page may still send."""
_BEYOND_END = Position(2**62)


def last_event(last_event_id: Annotated[str | None, Header()] = None) -> Position | None:
    """Returns the place to go on from. It is read before the stream begins, so that a wrong one is a plain error."""
    if not last_event_id:
        return None
    return _BEYOND_END if _OLD_PLACE.fullmatch(last_event_id) else Position.parse(last_event_id)


async def reset_beyond_end(database: Database, after: Position | None) -> Position | None:
    """Returns the end of the log if a page comes back with a place beyond it; else None.

    Such a place is from before an upgrade, or from before the database was restored: the page must load anew.
    """
    last = None if after is None else await run_in_threadpool(_end, database)
    return last if after is not None and last is not None and after > last else None


def _end(database: Database) -> Position:
    with database.read() as connection:
        return end(connection)


async def subscribe(request: Request, account: Account, wants: Filter) -> Subscription:
    """Returns a new open stream, which ends with the session; raises NotSignedIn when that has just ended."""
    hub: Hub = request.app.state.hub
    session = session_id(present_token(request) or "")
    live = hub.subscribe(wants, end_of_session(account.public_id, session), account.person_id)
    try:
        await run_in_threadpool(signed_in, request)
    except BaseException:
        hub.unsubscribe(live)
        raise
    return live


async def until_over(live: Subscription, settings: Settings) -> AsyncIterable[Event]:
    """Yields live events until the stream ends, or is so old that its reader has to sign in to it again."""
    deadline = asyncio.get_running_loop().time() + settings.stream_life.total_seconds()
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                event = await live.events.get()
        except TimeoutError:
            return
        if event is None:
            return
        yield event


async def subscription(request: Request, account: SignedIn) -> Subscription:
    """Returns a new open stream for one of the staff."""
    return await subscribe(request, account, all_events)


@router.get("/api/stream", response_class=EventSourceResponse, tags=["events"])
async def stream(
    request: Request,
    after: Annotated[Position | None, Depends(last_event)],
    live: Annotated[Subscription, Depends(subscription)],
) -> AsyncIterable[ServerSentEvent]:
    """Every event as it happens; with Last-Event-ID first those missed.

    `stream.reset` says that it cannot be told what was missed: load the page anew. `stream.end` says goodbye.
    """
    hub: Hub = request.app.state.hub
    database: Database = request.app.state.database
    try:
        # Something at once, so that the browser knows that the stream is open.
        yield ServerSentEvent(comment="open", retry=_RECONNECT_MS)
        if (last := await reset_beyond_end(database, after)) is not None:
            after = last
            yield ServerSentEvent(id=str(last), event="stream.reset", data={})
        while after is not None and (events := await run_in_threadpool(_missed_events, database, after)):
            for event in events:
                yield _message(event)
            after = events[-1].position
        async for event in until_over(live, request.app.state.settings):
            if after is None or event.position > after:
                yield _message(event)
        yield ServerSentEvent(event="stream.end", data={})
    finally:
        hub.unsubscribe(live)


def _missed_events(database: Database, after: Position) -> list[Event]:
    with database.read() as connection:
        return read(connection, after, _PAGE)


def _message(event: Event) -> ServerSentEvent:
    public = views.event(event)
    return ServerSentEvent(id=public.cursor, event=public.kind, data=public.model_dump(mode="json"))
