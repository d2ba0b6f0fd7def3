"""The tail of the event log behind the open streams."""

import asyncio

from gateway.api.stream.hub import Hub, Subscription
from gateway.config import Settings
from gateway.events import Event, append, append_all
from gateway.store import connect
from gateway.store.wakeup import wake
from tests.dsl.wait import until

FOREVER = "60s"


def queue_of(stream: Subscription) -> asyncio.Queue[Event]:
    """Returns a queue of what the stream is given."""
    queue: asyncio.Queue[Event] = asyncio.Queue()
    stream.wake = lambda: [queue.put_nowait(event) for event in stream.take()] and None
    return queue


def test_what_is_committed_is_heard_while_an_older_transaction_is_open(url, db):
    """The stream is woken once, by that commit: what the other one does later wakes nobody."""

    def say(word: str) -> None:
        append(db, "said", {"word": word})
        wake(db)

    async def play() -> None:
        hub = Hub(url, Settings(wakeup_fallback=FOREVER))
        hub.start()
        heard = queue_of(hub.subscribe())

        async def next_word() -> str:
            event = await asyncio.wait_for(heard.get(), 20)
            return str(event.data["word"])

        try:
            await asyncio.to_thread(until, lambda: say("listens") or not heard.empty(), every=0.1)
            say("ready")
            while await next_word() != "ready":
                pass
            with connect(url) as older:
                older.execute("BEGIN")
                older.execute("SELECT pg_current_xact_id()")
                say("told")
                assert await next_word() == "told"
                older.execute("COMMIT")
        finally:
            hub.close()
            wake(db)

    asyncio.run(play())


def test_events_stream_in_their_order_where_no_worker_runs(url, db):
    """Nobody else gives them a place: the tail does it itself before it reads."""

    async def play() -> list[int]:
        hub = Hub(url, Settings(wakeup_fallback="50ms"))
        hub.start()
        events = queue_of(hub.subscribe())
        try:
            await asyncio.to_thread(until, lambda: append(db, "said", {"number": -1}) or not events.empty(), every=0.1)
            append_all(db, "said", [(0, {"number": number}) for number in range(25)], actor="test")
            heard: list[int] = []
            while not heard or heard[-1] != 24:
                event = await asyncio.wait_for(events.get(), 20)
                heard.append(int(event.data["number"]))
            return [number for number in heard if number >= 0]
        finally:
            hub.close()
            wake(db)

    assert asyncio.run(play()) == list(range(25))
    left = db.execute("SELECT count(*) AS n FROM event_waiting").fetchone()
    assert left == {"n": 0}
