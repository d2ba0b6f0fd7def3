"""Stage `show`: the event log as Server-Sent Events, resumable by Last-Event-ID."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event

from gateway.accounts.model import Account
from gateway.accounts.sessions import session_id
from gateway.api import views
from gateway.api.auth import SignedIn, present_token, signed_in
from gateway.api.stream.filters import Filter, all_events, end_of_session
from gateway.api.stream.hub import Hub, Subscription
from gateway.api.stream.response import DOCUMENTED, EventStream, reset
from gateway.events import Event, Position, end, read
from gateway.store import Database

router = APIRouter()

_PAGE = 500


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


async def subscription(request: Request, account: SignedIn) -> Subscription:
    """Returns a new open stream for one of the staff."""
    return await subscribe(request, account, all_events)


@router.get("/api/stream", response_class=EventStream, status_code=200, responses=DOCUMENTED, tags=["events"])
async def stream(
    request: Request,
    after: Annotated[Position | None, Depends(last_event)],
    live: Annotated[Subscription, Depends(subscription)],
) -> EventStream:
    """Every event as it happens; with Last-Event-ID first those missed.

    `stream.reset` says that it cannot be told what was missed: load the page anew. `stream.end` says goodbye.
    """
    state = request.app.state
    return EventStream(state.hub, live, _missed(state.database, live, after), _message, state.settings.stream_life)


async def _missed(database: Database, live: Subscription, after: Position | None) -> AsyncIterator[bytes]:
    if (last := await reset_beyond_end(database, after)) is not None:
        after = last
        yield reset(last)
    while after is not None and (events := await run_in_threadpool(_missed_events, database, after)):
        yield b"".join(map(_message, events))
        after = events[-1].position
    live.after = after


def _missed_events(database: Database, after: Position) -> list[Event]:
    with database.read() as connection:
        return read(connection, after, _PAGE)


def _message(event: Event) -> bytes:
    public = views.event(event)
    return format_sse_event(id=public.cursor, event=public.kind, data_str=public.model_dump_json())
