"""Connections that keep the server waiting are closed, and all others are served meanwhile."""

import asyncio
import threading
from datetime import timedelta

import pytest

from tests.dsl.web import read_until_closed, status, web_server

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-Half"
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ONCE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def app(scope, receive, send):
    """Says how long the body was; under /stream it waits for a test to let it go on."""
    size, more = 0, scope["method"] == "POST" and scope["path"] != "/unread"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        await asyncio.to_thread(GO.wait, 20)
    for _ in range(2_000 if scope["path"] == "/flood" else 0):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": str(size).encode()})


GO = threading.Event()


def test_half_requests_are_closed_and_the_next_one_is_answered_meanwhile():
    with web_server(app) as web:
        halves = [web.dial(HALF) for _ in range(400)]
        assert status(read_until_closed(web.dial(ONCE))) == 200
        assert [read_until_closed(each) for each in halves] == [b""] * 400


@pytest.mark.parametrize("before", [b"", WHOLE])
def test_a_request_that_comes_byte_by_byte_is_closed_although_it_never_pauses(before):
    """The wait is for the whole head, on a connection that had a request already too."""
    with web_server(app) as web:
        slow = web.dial(before)
        got = bytearray(b"" if before else b"0\r\n\r\n")
        while not got.endswith(b"0\r\n\r\n"):
            got += slow.recv(65_536)
        slow.settimeout(0.2)
        sent, is_open = 0, True
        while is_open and sent < 50:
            try:
                slow.sendall(HALF[sent % 4 : sent % 4 + 1])
                sent += 1
                is_open = slow.recv(65_536) != b""
            except TimeoutError:
                continue
            except ConnectionError:
                is_open = False
        assert not is_open


def test_a_body_that_comes_too_slowly_is_cut_and_a_steady_one_is_not():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
    with web_server(app) as web:
        slow, steady = web.dial(head), web.dial(head)
        steady.sendall(b"x" * 5_000)
        slow.sendall(b"x" * 500)
        assert read_until_closed(slow) == b""
        steady.sendall(b"x" * 95_000)
        assert b"\r\n100000\r\n" in read_until_closed(steady)


def test_a_stream_stays_open_longer_than_any_request_may_take():
    GO.clear()
    with web_server(app) as web:
        stream = web.dial(b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"200" in stream.recv(65_536)
        for _ in range(2):
            assert read_until_closed(web.dial(HALF)) == b"", "a later one was timed out"
        GO.set()
        assert b"0" in read_until_closed(stream)


def test_an_answer_that_is_not_read_ends():
    with web_server(app) as web:
        lazy = web.dial(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n", buffer=4_096)
        for _ in range(2):
            assert read_until_closed(web.dial(HALF)) == b"", "longer than an answer may wait"
        assert len(read_until_closed(lazy)) < 50_000_000, "it ends, although four times as much was to come"


def test_a_refused_body_is_not_read_to_its_end():
    with web_server(app) as web:
        sender = web.dial(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\nxxx")
        assert status(read_until_closed(sender)) == 200


def test_one_network_holds_so_many_connections_and_the_longest_silent_goes_first():
    with web_server(app, proxy="192.0.2.1", most_of_network=3, request_wait=timedelta(seconds=60)) as web:
        halves = []
        for _ in range(3):
            halves.append(web.dial(HALF))
            assert_open(halves[-1])
        assert status(read_until_closed(web.dial(ONCE))) == 200
        assert read_until_closed(halves[0]) == b""
        assert_open(halves[1])


def test_the_connections_of_a_trusted_proxy_are_bounded_together_only():
    with web_server(app, most_of_network=1, most=4, request_wait=timedelta(seconds=60)) as web:
        halves = [web.dial(HALF) for _ in range(4)]
        assert status(read_until_closed(web.dial(ONCE))) == 200
        assert read_until_closed(halves[0]) == b""
        assert_open(halves[3])


def assert_open(connection):
    """The other side has not closed it: a byte more is taken, and nothing comes."""
    connection.settimeout(0.05)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(20)
