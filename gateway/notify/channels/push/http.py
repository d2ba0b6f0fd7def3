"""The connections to Firebase: HTTP/1.1, kept for the next message, one message at a time on each.

firebase-admin posts with httpx, which takes twenty times as long for a request with 40 at once, for it looks through
all its connections for each. This posts as httpx would, and raises what firebase-admin reads of it.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import h11
import httpx

_IDLE_S = 30.0
"""Seconds after which a connection is not used again: the server may be about to close it."""
_REPLY_MAX = 1_048_576
_SIGN_INS = 2
"""Times that the access token is renewed for one message that was refused with 401."""


class AccessToken(Protocol):
    """Gives an access token."""

    async def __call__(self, *, renewed: bool = False) -> str:
        """Returns the token; a new one where the server refused the last."""


@dataclass(slots=True)
class Reply:
    """What the server said."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Returns the body's document."""
        return json.loads(self.body)


@dataclass(slots=True, eq=False)
class _Kept:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection
    used_at: float


class FirebaseHttp:
    """What firebase-admin posts with; its own retries are not there, since the outbox has them."""

    def __init__(self, access_token: AccessToken, timeout_s: float) -> None:
        self._access_token = access_token
        self._timeout_s = timeout_s
        self._free: list[_Kept] = []
        self._tls = httpx.create_ssl_context()

    async def request(self, _method: str, *, url: str, headers: Mapping[str, str], json: object) -> Reply:
        """Post a document. Raises httpx.HTTPError for a refusal, and where the server did not reply."""
        content = encode(json)
        reply = await self._post(url, headers, content, await self._access_token())
        for _ in range(_SIGN_INS):
            if reply.status != httpx.codes.UNAUTHORIZED:
                break
            reply = await self._post(url, headers, content, await self._access_token(renewed=True))
        if reply.status >= httpx.codes.BAD_REQUEST:
            request = httpx.Request("POST", url)
            response = httpx.Response(reply.status, headers=reply.headers, content=reply.body, request=request)
            raise httpx.HTTPStatusError(f"Firebase said {reply.status}", request=request, response=response)
        return reply

    async def aclose(self) -> None:
        """Close the connections that are free."""
        free, self._free = self._free, []
        for kept in free:
            kept.writer.close()
        await asyncio.gather(*[kept.writer.wait_closed() for kept in free], return_exceptions=True)

    async def _post(self, url: str, headers: Mapping[str, str], content: bytes, token: str) -> Reply:
        parts = urlsplit(url)
        kept = self._take() or await self._connect(parts.scheme, parts.hostname or "", parts.port)
        request = h11.Request(
            method="POST",
            target=parts.path,
            headers=[
                ("Host", parts.netloc),
                *headers.items(),
                ("Authorization", f"Bearer {token}"),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(content))),
            ],
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await _exchange(kept, request, content)
        except TimeoutError as error:
            kept.writer.close()
            raise httpx.ReadTimeout("no reply in time") from error
        except (OSError, h11.ProtocolError) as error:
            kept.writer.close()
            raise httpx.ReadError(str(error)) from error
        except BaseException:
            kept.writer.close()
            raise
        self._give_back(kept)
        return reply

    def _take(self) -> _Kept | None:
        while self._free:
            kept = self._free.pop()
            if not kept.reader.at_eof() and time.monotonic() - kept.used_at < _IDLE_S:
                return kept
            kept.writer.close()
        return None

    async def _connect(self, scheme: str, host: str, port: int | None) -> _Kept:
        tls = self._tls if scheme == "https" else None
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(host, port or (443 if tls else 80), ssl=tls)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return _Kept(reader, writer, h11.Connection(h11.CLIENT), time.monotonic())

    def _give_back(self, kept: _Kept) -> None:
        if kept.protocol.our_state is h11.DONE and kept.protocol.their_state is h11.DONE:
            kept.protocol.start_next_cycle()
            kept.used_at = time.monotonic()
            self._free.append(kept)
        else:
            kept.writer.close()


def encode(document: object) -> bytes:
    """Returns a document as JSON."""
    return json.dumps(document).encode()


async def _exchange(kept: _Kept, request: h11.Request, content: bytes) -> Reply:
    """Send a request and read the reply to it."""
    parts = [kept.protocol.send(event) for event in (request, h11.Data(data=content), h11.EndOfMessage())]
    kept.writer.write(b"".join(part for part in parts if part))
    status, headers, body = 0, [], bytearray()
    while True:
        event = kept.protocol.next_event()
        if event is h11.NEED_DATA:
            kept.protocol.receive_data(await kept.reader.read(65_536))
        elif isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _REPLY_MAX:
                raise h11.RemoteProtocolError("the reply is too long")
        elif isinstance(event, h11.EndOfMessage):
            return Reply(status, headers, bytes(body))
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the server closed the connection")
