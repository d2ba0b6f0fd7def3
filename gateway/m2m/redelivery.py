"""Know again what was stored but not yet acknowledged when a connection broke: it comes once more.

A resumed session begins with our unacknowledged messages, in their old order. So what follows a reconnect is laid
against the last messages committed, and as long as the two run alike, it is a repeat. Where the broker keeps packet
ids (Mosquitto) they must agree too; a broker that numbers anew (rumqttd) begins with 1, then order and content
decide alone. The entries are committed with their batch, so this also holds over a `kill -9`.

Telemetry and status are two subscriptions, and rumqttd brings back the one after the other, each in its order. So each
is laid against its own.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from gateway.core.documents import DocumentKind
from gateway.m2m.message import Message
from gateway.m2m.topics import is_status

JOURNAL = DocumentKind("journal entry")
"""A row's readings (rules/state.py) and messages as bytes, as {"readings": …, "messages": …}."""

Entry = tuple[int, int]
"""Packet id, and a 64-bit digest of topic and payload whose last bit says which subscription brought it."""

_ENTRY = np.dtype([("packet_id", "<u2"), ("digest", "<u8")])
ENTRY_BYTES = _ENTRY.itemsize
"""Of one message in the journal."""


class Redelivery:
    """The last messages taken, and how far the present connection has repeated them."""

    def __init__(self, window: int, taken: bytes = b"") -> None:
        entries: list[Entry] = [tuple(entry) for entry in np.frombuffer(taken, _ENTRY).tolist()]
        self._runs = [_Run(window, [entry for entry in entries if entry[1] & 1 == which]) for which in (0, 1)]
        self._connection = 0

    def sift(self, messages: Sequence[Message]) -> tuple[list[Message], bytes]:
        """The messages that are new, and their entries for the journal. Call it once for each, in arrival order."""
        fresh: list[Message] = []
        entries: list[Entry] = []
        for message in messages:
            if message.packet_id == 0:  # QoS 0 comes once or never
                fresh.append(message)
                continue
            entry = _entry(message)
            if message.connection != self._connection:
                self._begin(message)
            if not self._runs[entry[1] & 1].repeats(entry):
                fresh.append(message)
                entries.append(entry)
        for run in self._runs:
            run.trim()
        return fresh, np.array(entries, _ENTRY).tobytes()

    def _begin(self, first: Message) -> None:
        self._connection = first.connection
        for run in self._runs:
            run.begin(resumed=first.resumed, by_order=first.packet_id == 1)


class _Run:
    """The last messages taken of one subscription, and how far the present connection has repeated them."""

    def __init__(self, window: int, taken: list[Entry]) -> None:
        self._window = window
        self._taken = taken[-window:]
        self._repeating: list[int] = []
        """Places of `_taken` that the next repeat may stand at; none when the repeats are over."""
        self._by_order = False

    def begin(self, *, resumed: bool, by_order: bool) -> None:
        self._by_order = by_order
        self._repeating = list(range(len(self._taken))) if resumed else []

    def repeats(self, entry: Entry) -> bool:
        """Whether it was taken before; if not, it is now."""
        alike = [
            place
            for place in self._repeating
            if place < len(self._taken)
            and (self._taken[place] == entry or (self._by_order and self._taken[place][1] == entry[1]))
        ]
        self._repeating = [place + 1 for place in alike]
        if not alike:
            self._taken.append(entry)
        return bool(alike)

    def trim(self) -> None:
        """Forget what is older than the window."""
        if not self._repeating:  # places count from the front
            del self._taken[: -self._window]


def _entry(message: Message) -> Entry:
    digest = hashlib.blake2b(message.topic.encode() + b"\0" + message.payload, digest_size=8).digest()
    return message.packet_id, int.from_bytes(digest, "little") & ~1 | is_status(message.topic)
