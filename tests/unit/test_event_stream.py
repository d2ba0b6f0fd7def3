"""An open event stream over ASGI: what was missed comes before what is new, and nothing comes twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from gateway.api.stream.filters import EventAndOwner
from gateway.api.stream.hub import Hub
from gateway.api.stream.response import EventStream
from gateway.config import Settings
from gateway.events import Event, Position

ADA = 1
NOW = datetime(2026, 11, 1, tzinfo=UTC)
LONG = timedelta(hours=1)


class Reader:
    """The other side of a stream: collects what is sent, and may leave."""

    def __init__(self) -> None:
        self.parts: asyncio.Queue[str] = asyncio.Queue()
        self.left = asyncio.Event()

    async def send(self, message) -> None:
        if message["type"] == "http.response.body":
            self.parts.put_nowait(message["body"].decode())
            if not message["more_body"]:
                self.left.set()  # as servers do when the response is complete

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}


def word(event: Event) -> bytes:
    return f"{event.position} ".encode()


async def nothing() -> AsyncIterator[bytes]:
    for part in ():
        yield part


def numbered(number: int):
    event = Event(Position(number), NOW, "notice.told", "gateway", None, ADA, "u", "p", {})
    return EventAndOwner(event, ADA)


def test_what_was_missed_comes_first_and_nothing_twice():
    async def play() -> list[str]:
        hub, reader = Hub("", Settings()), Reader()
        live = hub.subscribe(person_id=ADA)

        async def missed() -> AsyncIterator[bytes]:
            hub.publish([numbered(2), numbered(3)])  # happens while the log is read, which has 2 already
            yield b"1 2 "
            live.after = Position(2)

        serving = asyncio.create_task(EventStream(hub, live, missed(), word, LONG)({}, reader.receive, reader.send))
        parts = [await reader.parts.get() for _ in range(3)]
        hub.publish([numbered(4)])
        parts.append(await reader.parts.get())
        reader.left.set()
        await serving
        assert hub.open_streams() == 0
        return parts[1:]

    assert asyncio.run(asyncio.wait_for(play(), 20)) == ["1 2 ", "3 ", "4 "]


def test_a_stream_ends_with_its_life_and_says_so():
    async def play() -> list[str]:
        hub, reader = Hub("", Settings()), Reader()
        live = hub.subscribe(person_id=ADA)
        await EventStream(hub, live, nothing(), word, timedelta(milliseconds=10))({}, reader.receive, reader.send)
        assert hub.open_streams() == 0
        return [reader.parts.get_nowait() for _ in range(reader.parts.qsize())][1:]

    assert asyncio.run(asyncio.wait_for(play(), 20)) == ["event: stream.end\ndata: {}\n\n", ""]


def test_an_event_that_cannot_be_written_ends_the_stream_so_that_its_reader_comes_back():
    def broken(_event: Event) -> bytes:
        raise ValueError

    async def play() -> list[str]:
        hub, reader = Hub("", Settings()), Reader()
        live = hub.subscribe(person_id=ADA)
        serving = asyncio.create_task(EventStream(hub, live, nothing(), broken, LONG)({}, reader.receive, reader.send))
        await reader.parts.get()
        hub.publish([numbered(1)])
        await serving
        return [reader.parts.get_nowait() for _ in range(reader.parts.qsize())]

    assert asyncio.run(asyncio.wait_for(play(), 20)) == ["event: stream.end\ndata: {}\n\n", ""]
