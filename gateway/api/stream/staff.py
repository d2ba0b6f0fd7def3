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
from gateway.api.stream.heard import Filter, everything, signs_out
from gateway.api.stream.hub import Hub, Subscription
from gateway.config import Settings
from gateway.events import Event, Position, end, read
from gateway.store import Database

router = APIRouter()

_PAGE = 500
_RECONNECT_MS = 1_000


_FORMER = re.compile(r"\d{1,19}\.\d{1,19}")
"""How places were written until they became one number: an open page may come back with one."""
_UNKNOWN = Position(2**62)


def last_event(last_event_id: Annotated[str | None, Header()] = None) -> Position | None:
    """The place to go on from; checked before the stream begins, so that a wrong one is a plain error."""
    if not last_event_id:
        return None
    return _UNKNOWN if _FORMER.fullmatch(last_event_id) else Position.parse(last_event_id)


async def reset_beyond_end(database: Database, after: Position | None) -> Position | None:
    """The end of the log, where a page comes back with a place that this log does not have; else None.

    It had it from before an upgrade, or from a database that was restored since: it has to be loaded anew.
    """
    last = None if after is None else await run_in_threadpool(_end, database)
    return last if after is not None and last is not None and after > last else None


def _end(database: Database) -> Position:
    with database.read() as connection:
        return end(connection)


async def subscribe(request: Request, account: Account, wants: Filter) -> Subscription:
    """A place among the open streams, or a plain error. It ends when this session does: asked again once it is open."""
    hub: Hub = request.app.state.hub
    session = session_id(present_token(request) or "")
    live = hub.subscribe(wants, signs_out(account.public_id, session), account.person_id)
    try:
        await run_in_threadpool(signed_in, request)
    except BaseException:
        hub.unsubscribe(live)
        raise
    return live


async def until_over(live: Subscription, settings: Settings) -> AsyncIterable[Event]:
    """Live events until the stream is ended, or has lived so long that whoever reads it is to be asked again."""
    deadline = asyncio.get_running_loop().time() + settings.stream_life.total_seconds()
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                happened = await live.events.get()
        except TimeoutError:
            return
        if happened is None:
            return
        yield happened


async def subscription(request: Request, account: SignedIn) -> Subscription:
    """A place for one of the staff."""
    return await subscribe(request, account, everything)


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
        while after is not None and (missed := await run_in_threadpool(_missed, database, after)):
            for event in missed:
                yield _sent(event)
            after = missed[-1].position
        async for happened in until_over(live, request.app.state.settings):
            if after is None or happened.position > after:
                yield _sent(happened)
        yield ServerSentEvent(event="stream.end", data={})
    finally:
        hub.unsubscribe(live)


def _missed(database: Database, after: Position) -> list[Event]:
    with database.read() as connection:
        return read(connection, after, _PAGE)


def _sent(event: Event) -> ServerSentEvent:
    public = views.event(event)
    return ServerSentEvent(id=public.cursor, event=public.kind, data=public.model_dump(mode="json"))
