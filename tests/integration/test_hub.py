"""The tail of the event log behind the open streams."""

import asyncio

from gateway.api.hub import Hub
from gateway.config import Settings
from gateway.events import append
from gateway.store import connect
from gateway.store.wakeup import wake

FOREVER = "60s"


def test_what_is_committed_is_heard_while_an_older_transaction_is_open(url, db):
    """The stream is woken once, by that commit: what the other one does later wakes nobody."""

    def say(word: str) -> None:
        append(db, "said", {"word": word})
        wake(db)

    async def play() -> None:
        hub = Hub(url, Settings(wakeup_fallback=FOREVER))
        hub.start()
        stream = hub.subscribe()

        async def next_word(within: float) -> str | None:
            try:
                event = await asyncio.wait_for(stream.events.get(), within)
            except TimeoutError:
                return None
            assert event
            return str(event.data["word"])

        try:
            while await next_word(0.2) is None:  # it does not listen yet
                say("listens")
            while await next_word(0.5):
                pass
            with connect(url) as older:
                older.execute("BEGIN")
                older.execute("SELECT pg_current_xact_id()")
                say("told")
                assert await next_word(10) == "told"
                older.execute("COMMIT")
        finally:
            hub.close()
            wake(db)

    asyncio.run(play())
