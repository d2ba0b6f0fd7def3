"""The tail of the event log behind the open streams."""

import asyncio

from gateway.api.hub import Hub
from gateway.config import Settings
from gateway.events import append
from gateway.store import connect
from gateway.store.wakeup import wake

FOREVER = "60s"


def test_what_an_older_transaction_held_back_is_heard_when_that_ends_though_nobody_wakes(url, db):
    """Ingest commits all the time and wakes readers only when an alarm changed; a notice must not wait for that."""

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
                assert await next_word(0.5) is None
                older.execute("COMMIT")
                assert await next_word(10) == "told"
        finally:
            hub.close()
            wake(db)

    asyncio.run(play())
