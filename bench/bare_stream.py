"""The event stream that `bench.live` compares with: Starlette alone, each stream waiting on a queue of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route


async def events(_request: Request) -> StreamingResponse:
    """Returns a stream that is open until its client leaves."""
    return StreamingResponse(_messages(asyncio.Queue()), media_type="text/event-stream")


async def _messages(queue: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    yield b": open\n\n"
    while True:
        yield await queue.get()


async def healthz(_request: Request) -> PlainTextResponse:
    """Returns a sign of life."""
    return PlainTextResponse("ok")


def main() -> None:
    """Serve it on the loopback port that the command names."""
    app = Starlette(routes=[Route("/events", events), Route("/healthz", healthz)])
    uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, http="h11", loop="asyncio", ws="none")


if __name__ == "__main__":
    main()
