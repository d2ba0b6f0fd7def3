"""A mail server and a server that speaks FCM, each a process of its own: they take everything, and keep nothing.

`python -m bench.providers smtp PORT` or `python -m bench.providers fcm PORT`; ended by SIGTERM.
"""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.core.errors import Unavailable
from gateway.roles.process import free_port, spawn, stop

_WAIT_S = 20
_TOKEN = json.dumps({"access_token": "access", "expires_in": 3600, "token_type": "Bearer"}).encode()


class _Mails:
    """Takes each mail."""

    def __init__(self) -> None:
        self._count = 0

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [replies[0], "250-PIPELINING", *replies[1:]]  # as every mail server says

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        self._count += 1
        return f"250 2.0.0 queued as {self._count}"


class _Fcm(asyncio.Protocol):
    """One HTTP/1.1 connection: the access token, and messages that are all taken."""

    count = 0

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            reply = _TOKEN if head.startswith(b"POST /token") else self._take(body)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(reply), reply)
            )

    def _take(self, body: bytes) -> bytes:
        assert json.loads(body)["message"]["token"]  # noqa: S101 - a message to a phone
        _Fcm.count += 1
        return b'{"name": "projects/demo-project/messages/%d"}' % _Fcm.count


@contextmanager
def provider(kind: str) -> Iterator[int]:
    """Run one; yields its port."""
    port = free_port()
    process = spawn([sys.executable, "-m", "bench.providers", kind, str(port)], death_signal=signal.SIGTERM)
    try:
        deadline = time.monotonic() + _WAIT_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"The {kind} server did not start.")
            time.sleep(0.02)
        yield port
    finally:
        stop(process, signal.SIGTERM, _WAIT_S)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _serve(kind: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    mails = _Mails()
    makers: dict[str, Any] = {"smtp": lambda: SMTP(mails, hostname="localhost", loop=loop), "fcm": _Fcm}
    async with await loop.create_server(makers[kind], "127.0.0.1", port, backlog=500):
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
