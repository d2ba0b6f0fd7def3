"""The event log: every domain event once, append-only, in an order that never changes, readable from any point."""

from gateway.events.log import (
    GATEWAY,
    Event,
    Position,
    append,
    append_all,
    append_each,
    end,
    read,
    read_next,
    unread,
    wait_for_next,
)

__all__ = [
    "GATEWAY",
    "Event",
    "Position",
    "append",
    "append_all",
    "append_each",
    "end",
    "read",
    "read_next",
    "unread",
    "wait_for_next",
]
