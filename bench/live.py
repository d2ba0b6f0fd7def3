"""What an open event stream costs the api role in memory, as a ratio to a bare Starlette event stream.

Each client is a person of its own who is signed in and holds a stream open; both servers run in processes of their own.
"""

import argparse
import json
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.feed import is_ready
from bench.roles import running
from bench.setup import WAIT_S, database
from bench.usage import family_mb
from gateway.core.errors import GatewayError, Unavailable
from gateway.roles.process import free_port, spawn, stop
from gateway.store import connect

FILES_BESIDE = 100
"""Open files that a process needs beside its streams."""
WARM_UP = 50
"""Streams that are open before memory is measured first: what a server loads with its first ones is not theirs."""
_SETTLE_S = 1.0

_PEOPLE = """
INSERT INTO person (public_id, name, email)
SELECT 'o' || n, 'Person', 'o' || n || '@example.org' FROM generate_series(1, %(clients)s) n;
INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)
SELECT 'a' || id, id, 'customer', now(), now() FROM person;
INSERT INTO session (token_hash, account_id, created_at, seen_at, expires_at)
SELECT sha256(('token-' || id)::bytea), id, now(), now(), now() + interval '30 days' FROM account
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print the result as one JSON object last."""
    parser = argparse.ArgumentParser(prog="bench.live", description=__doc__)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--json", action="store_true", help="only the result")
    given = parser.parse_args(arguments)
    try:
        _raise_file_limit(given.clients + WARM_UP + FILES_BESIDE)
        with database() as url, tempfile.TemporaryDirectory() as folder:
            result = _measure(url, Path(folder), given.clients)
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(result, indent=None if given.json else 2))


def _raise_file_limit(needed: int) -> None:
    """Raise Unavailable where this process, and those that it starts, may not have so many open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Unavailable(f"{needed} open files are needed, and {hard} are allowed (ulimit -n).")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _measure(url: str, folder: Path, clients: int) -> dict[str, Any]:
    most = clients + WARM_UP + FILES_BESIDE
    with connect(url, "bench") as db:
        for statement in _PEOPLE.strip().split(";\n"):
            db.execute(statement, {"clients": clients + WARM_UP})  # type: ignore[call-overload]
    with _bare() as (pid, port):
        bare_kb = _kb_each(pid, port, clients, lambda _client: "GET /events HTTP/1.1\r\n")
    port = free_port()
    settings = {
        "database_url": url, "http_port": port, "public_url": f"http://127.0.0.1:{port}", "streams_max": most,
        "http_connections_max": most, "http_connections_per_network": most,
    }  # fmt: skip
    with running("api", folder, **settings) as role:
        role.wait(lambda: is_ready(port), WAIT_S, pause=0.1)
        ours_kb = _kb_each(role.pid, port, clients, _own_stream)
    return {
        "clients": clients,
        "memory_ratio": round(ours_kb / bare_kb, 2),
        "stream_kb": round(ours_kb, 1),
        "bare_stream_kb": round(bare_kb, 1),
    }


def _own_stream(client: int) -> str:
    return f"GET /api/my/stream HTTP/1.1\r\nCookie: session=token-{client + 1}\r\n"


@contextmanager
def _bare() -> Iterator[tuple[int, int]]:
    """Run the bare server; yields its process and port."""
    port = free_port()
    process = spawn([sys.executable, "-m", "bench.bare_stream", str(port)], death_signal=signal.SIGKILL)
    try:
        deadline = time.monotonic() + WAIT_S
        while not is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable("The bare server did not start.")
            time.sleep(0.1)
        yield process.pid, port
    finally:
        stop(process, signal.SIGKILL, WAIT_S)


def _kb_each(pid: int, port: int, clients: int, request: Callable[[int], str]) -> float:
    """Returns the memory that each of so many open streams takes. Raises Unavailable unless all stay open."""
    streams: list[socket.socket] = []
    try:
        streams += [_open(port, request(client)) for client in range(WARM_UP)]
        time.sleep(_SETTLE_S)
        before = family_mb(pid)
        streams += [_open(port, request(WARM_UP + client)) for client in range(clients)]
        time.sleep(_SETTLE_S)
        grown = family_mb(pid) - before
        if ended := sum(_has_ended(stream) for stream in streams):
            raise Unavailable(f"{ended} of {len(streams)} streams did not stay open.")
        return 1024 * grown / clients
    finally:
        for stream in streams:
            stream.close()


def _open(port: int, request: str) -> socket.socket:
    """Returns a stream whose first message has come."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
    stream.sendall(f"{request}Host: 127.0.0.1:{port}\r\n\r\n".encode())
    head = b""
    while b": open" not in head:
        if not (chunk := stream.recv(4096)):
            raise Unavailable(f"A stream was refused: {head[:200]!r}")
        head += chunk
        if not head.startswith(b"HTTP/1.1 200"):
            raise Unavailable(f"A stream was refused: {head[:200]!r}")
    return stream


def _has_ended(stream: socket.socket) -> bool:
    """Whether the server has closed it; what it sent meanwhile is read."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    while poll.poll(0):
        if not stream.recv(4096):
            return True
    return False


if __name__ == "__main__":
    main()
