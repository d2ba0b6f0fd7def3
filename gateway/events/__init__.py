"""The event log: every domain event once, append-only, in an order that never changes, readable from any point."""

from gateway.events.log import (
    GATEWAY,
    Event,
    Position,
    append,
    append_all,
    append_each,
    append_mixed,
    end,
    place_events,
    read,
)
from gateway.events.reader import read_next, unread_events

__all__ = [
    "GATEWAY",
    "Event",
    "Position",
    "append",
    "append_all",
    "append_each",
    "append_mixed",
    "end",
    "place_events",
    "read",
    "read_next",
    "unread_events",
]
