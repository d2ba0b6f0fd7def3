"""One thread tails the event log and hands every event to the open streams that want it."""

import asyncio
import logging
import threading
from dataclasses import dataclass, field

from gateway.api.stream.filters import EventAndOwner, Filter, all_events, no_event, with_owners
from gateway.config import Settings
from gateway.core.errors import Unavailable
from gateway.events import Event, Position, end, read
from gateway.store import TROUBLES, connect, count_trouble, words_of
from gateway.store.wakeup import listen, wait

log = logging.getLogger(__name__)

_RETRY_S = 1.0


@dataclass(eq=False)
class Subscription:
    """The events of one open stream; None ends it. `wants` and `ended_by` are called with every event in order."""

    wants: Filter = all_events
    ended_by: Filter = no_event
    person_id: int | None = None
    events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)


class Hub:
    """Streams subscribe on the event loop; the thread only reads."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._streams: set[Subscription] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-tail", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.error: Exception | None = None
        """The error that ended the thread, if it was not `close`; no stream gets events after it."""

    def start(self) -> None:
        """Begin to tail; call it on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def subscribe(
        self, wants: Filter = all_events, ended_by: Filter = no_event, person_id: int | None = None
    ) -> Subscription:
        """Returns a stream of the events from now on. Raises Unavailable when too many are open."""
        if self._stop.is_set() or len(self._streams) >= self._settings.streams_max:
            raise Unavailable("No more event streams can be opened here; try again in a minute.")
        streams_of_person = sum(stream.person_id == person_id for stream in self._streams)
        if person_id is not None and streams_of_person >= self._settings.person_streams_max:
            raise Unavailable("You have too many pages open; close one and load this one again.", code="too_many_pages")
        stream = Subscription(wants, ended_by, person_id)
        self._streams.add(stream)
        return stream

    def open_streams(self) -> int:
        """Returns the number of open streams; may be called from any thread."""
        return len(self._streams)

    def unsubscribe(self, stream: Subscription) -> None:
        """Remove a stream that its reader closed."""
        self._streams.discard(stream)

    def close(self) -> None:
        """End every stream; may be called from any thread, also from a signal handler."""
        self._stop.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for stream in self._streams:
            stream.events.put_nowait(None)

    def publish(self, events: list[EventAndOwner]) -> None:
        """Give events to the streams that want them; must be called on the event loop."""
        for stream in list(self._streams):
            wanted, is_over = _events_for(events, stream)
            if stream.events.qsize() + len(wanted) > self._settings.stream_queue_max:
                # Too slow: it comes back with its Last-Event-ID and misses nothing.
                wanted, is_over = [], True
            for event in wanted:
                stream.events.put_nowait(event)
            if is_over:
                self._streams.discard(stream)
                stream.events.put_nowait(None)

    def _run(self) -> None:
        try:
            self._tail()
        except Exception as error:  # noqa: BLE001 - the server looks at it and ends with it
            self.error = error

    def _tail(self) -> None:
        place: Position | None = None
        while not self._stop.is_set():
            try:
                with connect(self._url, "gateway-stream") as connection:
                    listen(connection)
                    place = place or end(connection)
                    while not self._stop.is_set():
                        events = read(connection, place, self._settings.events_at_once)
                        if events and self._loop is not None:
                            events_and_owners = with_owners(connection, events)
                            place = events[-1].position
                            self._loop.call_soon_threadsafe(self.publish, events_and_owners)
                        else:
                            wait(connection, self._settings.wakeup_fallback)
            except TROUBLES as error:
                log.warning("The event streams wait for %s (%s).", count_trouble(error).value, words_of(error))
                self._stop.wait(_RETRY_S)


def _events_for(events: list[EventAndOwner], stream: Subscription) -> tuple[list[Event], bool]:
    """Returns the events that a stream gets, and whether one of them ends it."""
    wanted: list[Event] = []
    for item in events:
        if stream.ended_by(item):
            return wanted, True
        if stream.wants(item):
            wanted.append(item.event)
    return wanted, False
