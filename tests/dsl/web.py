"""A web server in a thread, under the limits that a test gives, and clients that send what no browser would."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import uvicorn

from gateway.api.connections import ConnectionLimits, watched_protocol
from tests.dsl.ports import free_port
from tests.dsl.wait import until

LIMITS = ConnectionLimits(
    request_wait=timedelta(seconds=1),
    body_rate=1_000,
    answer_wait=timedelta(seconds=1),
    most=500,
    most_of_network=500,
)


@contextmanager
def web_server(app: Any, *, proxy: str = "127.0.0.1", **changes: Any) -> Iterator["Dialer"]:
    """Connections to a running server; `proxy` is whose connections are not counted by network."""
    port = free_port()
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        http=watched_protocol(replace(LIMITS, **changes)),
        ws="none",
        forwarded_allow_ips=proxy,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, within=10, what="the server listens")
    try:
        with Dialer(port) as dialer:
            yield dialer
    finally:
        server.should_exit = True
        thread.join(10)


class Dialer(ExitStack):
    """Opens connections to a port of this machine, and closes them at its end."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def dial(self, data: bytes = b"", buffer: int | None = None) -> socket.socket:
        """Returns a connection on which `data` was sent; `buffer` limits the bytes that wait to be read."""
        connection = self.enter_context(socket.socket())
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(data)
        return connection


def read_until_closed(connection: socket.socket) -> bytes:
    """Returns the bytes that come until the other side closes."""
    received = bytearray()
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    return bytes(received)


def status(answer: bytes) -> int:
    """The status of a raw answer."""
    return int(answer.split(b" ", 2)[1])
