"""Request bodies are counted while they come in: too much is refused before anything is parsed.

Three bounds: the bytes of one body by its route, the parts of its JSON, and the bytes of all bodies that are held at
one moment, of which one network has a share.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.accounts.model import Forbidden
from gateway.accounts.rights import RIGHTS
from gateway.api.auth import network, signed_in
from gateway.api.models import Problem
from gateway.config import Settings
from gateway.core.errors import GatewayError, Unavailable
from gateway.store import OperationalError

KEYS_MAX = 2_000
COMMAS_MAX = 100_000
"""Twice the longest list of serials. Parsing blocks the interpreter, so its cost is limited by counting first."""
_KEY = re.compile(rb'"\s*:')
_SHARE = 4
_RETRY_S = 2


class BodyTooLarge(GatewayError):
    """A body has more bytes, or more parts, than its route takes."""

    code = "body_too_large"
    status = 413


class TooManyBodies(GatewayError):
    """The bodies that are being read take as much memory as they may."""

    code = "busy"
    status = 503

    def __init__(self) -> None:
        super().__init__(f"Too much is being sent at this moment. Try again in {_RETRY_S} seconds.")


@dataclass(slots=True)
class _BodyUsage:
    """The bytes that one request has sent so far, and how many of them are in memory."""

    sender: str
    read: int = 0
    held: int = 0


class BodyLimits:
    """Middleware that reads each body up to its limit and passes it on whole."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._usual = settings.http_body_max_bytes
        self._draft = settings.http_draft_max_bytes
        self._total = settings.http_bodies_max_bytes
        self._share = max(self._total // _SHARE, self._draft)
        self.held: Counter[str] = Counter()
        """Bytes in memory by network."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        usage = _BodyUsage(network(Request(scope)))
        try:
            body = await self._read(scope, int(headers.get("content-length", "0")), receive, usage)
            if body is not None:
                await self._app(scope, _receive_whole(body, receive), self._send_and_free(send, usage))
        except _Refusal as refusal:
            await refusal.response(scope, receive, send)
        finally:
            self._give_back(usage)

    async def _read(self, scope: Scope, announced: int, receive: Receive, usage: _BodyUsage) -> bytes | None:
        """Returns the whole body, or None when the client went away. Raises _Refusal."""
        try:
            limit = self._usual
            if announced > limit:
                limit = await self._larger_limit(scope, announced)
            chunks, more = [], True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                chunk, more = message.get("body", b""), message.get("more_body", False)
                self._take(usage, len(chunk))
                if usage.read > limit:
                    limit = await self._larger_limit(scope, usage.read)
                chunks.append(chunk)
            body = b"".join(chunks)
            _require_few_parts(body)
        except GatewayError as error:
            raise _Refusal(error) from error
        except OperationalError as error:
            raise _Refusal(Unavailable("The database does not answer; try again in a few seconds.")) from error
        return body

    async def _larger_limit(self, scope: Scope, size: int) -> int:
        """Returns the limit of a draft, for accounts that may write one; called before more is read."""
        is_draft = scope["method"] in {"POST", "PUT"} and scope["path"].startswith("/api/campaigns")
        if not is_draft or size > self._draft:
            most = self._draft if is_draft else self._usual
            raise BodyTooLarge(f"This is more than the {most:,} bytes that are taken here. Send less at once.")
        account = await run_in_threadpool(signed_in, Request(scope))
        if account.role not in RIGHTS["write_campaigns"]:
            raise Forbidden
        return self._draft

    def _take(self, usage: _BodyUsage, size: int) -> None:
        self.held[usage.sender] += size
        usage.read += size
        usage.held += size
        if self.held.total() > self._total or self.held[usage.sender] > self._share:
            raise TooManyBodies

    def _send_and_free(self, send: Send, usage: _BodyUsage) -> Send:
        """Returns a send that frees the bytes when the response begins; a stream would keep them for an hour."""

        async def send_response(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._give_back(usage)
            await send(message)

        return send_response

    def _give_back(self, usage: _BodyUsage) -> None:
        self.held[usage.sender] -= usage.held
        usage.held = 0
        if not self.held[usage.sender]:
            del self.held[usage.sender]


class _Refusal(Exception):
    """Raised for a body that is refused, with the response that says so."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(error.message)
        title = error.code.replace("_", " ").capitalize()
        problem = Problem(title=title, status=error.status, code=error.code, detail=error.message)
        headers = {"Retry-After": str(_RETRY_S)} if error.status == Unavailable.status else None
        self.response = JSONResponse(problem.model_dump(), error.status, headers, media_type="application/problem+json")


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _receive_whole(body: bytes, receive: Receive) -> Receive:
    """Returns the application's receive: the body at once, then the further messages of the connection."""
    unread_bodies = [body]

    async def receive_body() -> Message:
        if unread_bodies:
            return {"type": "http.request", "body": unread_bodies.pop(), "more_body": False}
        return await receive()

    return receive_body


def _require_few_parts(body: bytes) -> None:
    """Raise BodyTooLarge for JSON with so many parts that checking takes long; no body of ours has as many."""
    keys = sum(1 for _ in islice(_KEY.finditer(body), KEYS_MAX + 1))
    if keys > KEYS_MAX or body.count(b",") > COMMAS_MAX:
        raise BodyTooLarge(f"This has more than {KEYS_MAX:,} names or {COMMAS_MAX:,} values. Send less at once.")
