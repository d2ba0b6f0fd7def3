"""Findings on the event log: room for new events, events without a place, readers that stand still, dead letters."""

import time
from collections.abc import Callable
from datetime import date, timedelta

from gateway.core.finding import Finding, ok, problem, warning
from gateway.events import dead_letters
from gateway.events.months import room_until
from gateway.events.reader import NOTIFY, UNREAD_MAX, unplaced_events, unread_events
from gateway.store import Connection

STANDS_STILL_S = 30.0
"""Seconds that an event may be readable and unread until the reader counts as standing still."""
_LOOK_AGAIN_S = 1.0


def probe(connection: Connection, today: date, sleep: Callable[[float], None] = time.sleep) -> list[Finding]:
    """Returns the findings on the event log; nothing is written."""
    return [_room(connection, today), _places(connection, sleep), _reader(connection), _dead_letters(connection)]


def _room(connection: Connection, today: date) -> Finding:
    until = room_until(connection)
    text = f"there is room for events until {until}"
    if until <= today:
        return problem("event log", text, "start the worker, which makes months; without one nothing can be stored")
    if until <= today + timedelta(days=31):
        return warning("event log", text, "start the worker: it makes the next months")
    return ok("event log", text)


def _places(connection: Connection, sleep: Callable[[float], None]) -> Finding:
    """A new event has no place for a moment: only one that still has none after a second counts."""
    before = unplaced_events(connection)
    if before.count:
        sleep(_LOOK_AGAIN_S)
    after = unplaced_events(connection)
    if before.count and after.count and after.first == before.first:
        count = f"{UNREAD_MAX} or more" if after.count == UNREAD_MAX else str(after.count)
        change = "start the worker or api: whoever reads the log gives places; if one runs, read its log"
        return warning("event places", f"{count} events wait for a place and are seen by nobody", change)
    return ok("event places", "no event waits for its place")


def _reader(connection: Connection) -> Finding:
    unread = unread_events(connection, NOTIFY)
    if unread.age_s > STANDS_STILL_S:
        return warning(
            "event reader", f"the worker has {words(unread.count, unread.age_s)}", "see that the worker runs"
        )
    return ok("event reader", f"the worker has {unread.count} unread events")


def words(events: int, age_s: float) -> str:
    """Returns the text on what a reader has not read yet."""
    count = f"{UNREAD_MAX} or more" if events == UNREAD_MAX else str(events)
    return f"{count} unread events, the first of them for {age_s:.0f} s"


def _dead_letters(connection: Connection) -> Finding:
    count = dead_letters.count(connection)
    if count:
        change = "`gateway events failed` says why; after mending it, `gateway events retry --all`"
        return warning("failed events", f"{count} events could not be handled, and are tried again", change)
    return ok("failed events", "none")
