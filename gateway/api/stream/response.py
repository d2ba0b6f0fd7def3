"""An open event stream: it sends what was missed, then what the hub gives it; in between it sleeps without a task."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

from fastapi.sse import format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.api.stream.hub import Hub, Subscription
from gateway.events import Event, Position

log = logging.getLogger(__name__)

_RECONNECT_MS = 1_000
_PING_S = 15.0
_OPEN = format_sse_event(comment="open", retry=_RECONNECT_MS)
"""Something at once, so that the browser knows that the stream is open."""
_PING = format_sse_event(comment="ping")
"""Something now and then, so that nobody in between takes the connection for dead."""
_END = format_sse_event(event="stream.end", data_str="{}")
_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "event": {"type": "string"},
                        "data": {"type": "string"},
                        "retry": {"type": "integer", "minimum": 0},
                    },
                }
            }
        }
    }
}
"""One message of a stream, for the OpenAPI document."""


def reset(place: Position) -> bytes:
    """Returns the message that more was missed than is sent: the page must load anew, and goes on from the place."""
    return format_sse_event(id=str(place), event="stream.reset", data_str="{}")


class EventStream(Response):
    """Sends the events of a subscription until it ends, is older than `life`, or its reader leaves.

    At rest only the request's own task waits, for the reader to leave. A task, a queue or a timeout beside it would be
    most of the memory of thousands of streams.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: Hub,
        live: Subscription,
        missed: AsyncIterator[bytes],
        message: Callable[[Event], bytes],
        life: timedelta,
    ) -> None:
        """`missed` are messages that come first; events up to `live.after` are in them. `message` writes one event."""
        self.status_code = 200
        self.background = None
        self.raw_headers = _HEADERS
        self._hub = hub
        self._live = live
        self._missed: AsyncIterator[bytes] | None = missed
        self._message = message
        self._life_s = life.total_seconds()
        self._sender: asyncio.Task[None] | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        self._send = send
        loop = asyncio.get_running_loop()
        end_of_life = loop.call_later(self._life_s, self._live.end)
        self._next_ping = loop.call_later(_PING_S, self._ping)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_part(_OPEN)
            await self._send_missed()
            self._live.wake = self._wake
            self._wake()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            end_of_life.cancel()
            self._next_ping.cancel()
            self._leave()
            if self._sender is not None:
                self._sender.cancel()

    async def _send_missed(self) -> None:
        missed, self._missed = self._missed, None
        if missed is not None:
            async for part in missed:
                await self._send_part(part)

    def _wake(self) -> None:
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send_pending())

    def _ping(self) -> None:
        self._next_ping = asyncio.get_running_loop().call_later(_PING_S, self._ping)
        if self._sender is None and self._missed is None:
            self._sender = asyncio.get_running_loop().create_task(self._send_pending(_PING))

    async def _send_pending(self, first: bytes = b"") -> None:
        """Send what the hub has given; once the subscription is over, end the response, which ends the request."""
        try:
            while parts := first + b"".join(map(self._message, self._live.take())):
                first = b""
                await self._send_part(parts)
            if self._live.is_over:
                await self._end()
        except Exception:
            log.exception("An event stream breaks off; its reader comes back.")
            await self._end()
        finally:
            self._sender = None

    async def _end(self) -> None:
        self._leave()
        await self._send_part(_END)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _leave(self) -> None:
        self._live.wake = None
        self._hub.unsubscribe(self._live)

    async def _send_part(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})
