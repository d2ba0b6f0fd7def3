"""One thread tails the event log and hands every event to the open streams that want it."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence

from gateway.api.stream.filters import EventAndOwner, Filter, all_events, no_event, with_owners
from gateway.config import Settings
from gateway.core.errors import Unavailable
from gateway.events import Event, Position, end, read
from gateway.store import TROUBLES, connect, count_trouble, words_of
from gateway.store.wakeup import listen, wait

log = logging.getLogger(__name__)

_RETRY_S = 1.0


class Subscription:
    """The events of one open stream. `wants` and `ended_by` are called with the events that may concern its person."""

    __slots__ = ("_pending", "after", "ended_by", "is_over", "person_id", "wake", "wants")

    def __init__(self, wants: Filter, ended_by: Filter, person_id: int | None) -> None:
        self.wants = wants
        self.ended_by = ended_by
        self.person_id = person_id
        self.is_over = False
        self.after: Position | None = None
        """Up to here the stream has its events from elsewhere."""
        self.wake: Callable[[], None] | None = None
        """Called when there are events to take, or the stream is over."""
        self._pending: list[Event] = []

    def __len__(self) -> int:
        """The events that wait to be taken."""
        return len(self._pending)

    def give(self, events: Sequence[Event]) -> None:
        """Let these events wait to be taken."""
        self._pending += events
        self._call()

    def take(self) -> list[Event]:
        """Returns the events that came since the last call."""
        events, self._pending = self._pending, []
        return events if self.after is None else [event for event in events if event.position > self.after]

    def end(self) -> None:
        """Give no more; what waits is still sent."""
        self.is_over = True
        self._call()

    def _call(self) -> None:
        if self.wake is not None:
            self.wake()


class Hub:
    """Streams subscribe on the event loop; the thread only reads."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._streams: set[Subscription] = set()
        self._of_all: set[Subscription] = set()
        """Those that may want any event."""
        self._of_person: dict[int, set[Subscription]] = {}
        """All streams of a person."""
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
        if person_id is not None and len(self._of_person.get(person_id, ())) >= self._settings.person_streams_max:
            raise Unavailable("You have too many pages open; close one and load this one again.", code="too_many_pages")
        stream = Subscription(wants, ended_by, person_id)
        self._streams.add(stream)
        if person_id is not None:
            self._of_person.setdefault(person_id, set()).add(stream)
        if person_id is None or wants is all_events:
            self._of_all.add(stream)
        return stream

    def open_streams(self) -> int:
        """Returns the number of open streams; may be called from any thread."""
        return len(self._streams)

    def unsubscribe(self, stream: Subscription) -> None:
        """Remove a stream that its reader closed."""
        self._streams.discard(stream)
        self._of_all.discard(stream)
        if stream.person_id is not None and (streams := self._of_person.get(stream.person_id)):
            streams.discard(stream)
            if not streams:
                del self._of_person[stream.person_id]

    def close(self) -> None:
        """End every stream; may be called from any thread, also from a signal handler."""
        self._stop.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for stream in list(self._streams):
            stream.end()

    def publish(self, events: Sequence[EventAndOwner]) -> None:
        """Give events to the streams that want them; must be called on the event loop."""
        wanted: dict[Subscription, list[Event]] = {}
        ended: set[Subscription] = set()
        for item in events:
            for stream in self._concerned(item) - ended:
                if stream.ended_by(item):
                    ended.add(stream)
                elif stream.wants(item):
                    wanted.setdefault(stream, []).append(item.event)
        for stream, its_events in wanted.items():
            if len(stream) + len(its_events) > self._settings.stream_queue_max:
                # Too slow: it comes back with its Last-Event-ID and misses nothing.
                ended.add(stream)
            else:
                stream.give(its_events)
        for stream in ended:
            self.unsubscribe(stream)
            stream.end()

    def _concerned(self, item: EventAndOwner) -> set[Subscription]:
        """Returns the streams that may want an event or end with it: of its person, of its owner, of all events."""
        nobody: set[Subscription] = set()
        people = (item.event.person_id, item.owner)
        return self._of_all.union(*(self._of_person.get(person, nobody) for person in people if person is not None))

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
