"""Recognises redelivered messages: those that were stored, but not acknowledged, when a connection broke.

A resumed session begins with our unacknowledged messages, in their old order. So messages after a reconnect are
compared with the last committed ones, and are repeats as long as the two sequences agree. If the broker keeps packet
ids (Mosquitto), they must agree too; one that numbers anew (rumqttd) begins with 1, and then order and content decide.
The entries are committed with their batch, so this also works after a `kill -9`.

Telemetry and status are two subscriptions, and rumqttd redelivers one after the other, each in its order. So each has
a sequence of its own.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from gateway.core.documents import DocumentKind
from gateway.m2m.message import Message
from gateway.m2m.topics import is_status

JOURNAL = DocumentKind("journal entry")
"""A batch's readings (rules/state.py) and messages as bytes: {"readings": …, "messages": …}."""

Entry = tuple[int, int]
"""Packet id, and a 64-bit digest of topic and payload; the last bit of the digest is 1 for status messages."""

_ENTRY = np.dtype([("packet_id", "<u2"), ("digest", "<u8")])
ENTRY_BYTES = _ENTRY.itemsize
"""The size of a message's entry in the journal."""


class Redelivery:
    """The last taken messages, and how many of them the present connection has repeated."""

    def __init__(self, window: int, taken: bytes = b"") -> None:
        entries: list[Entry] = [tuple(entry) for entry in np.frombuffer(taken, _ENTRY).tolist()]
        self._runs = [_Run(window, [entry for entry in entries if entry[1] & 1 == which]) for which in (0, 1)]
        self._connection = 0

    def sift(self, messages: Sequence[Message]) -> tuple[list[Message], bytes]:
        """Returns the new messages and their journal entries. Call it once for each message, in arrival order."""
        new_messages: list[Message] = []
        entries: list[Entry] = []
        for message in messages:
            if message.packet_id == 0:  # QoS 0 is never redelivered
                new_messages.append(message)
                continue
            entry = _entry(message)
            if message.connection != self._connection:
                self._begin(message)
            if not self._runs[entry[1] & 1].repeats(entry):
                new_messages.append(message)
                entries.append(entry)
        for run in self._runs:
            run.trim()
        return new_messages, np.array(entries, _ENTRY).tobytes()

    def _begin(self, first: Message) -> None:
        self._connection = first.connection
        for run in self._runs:
            run.begin(resumed=first.resumed, by_order=first.packet_id == 1)


class _Run:
    """The last taken messages of one subscription, and how many of them the present connection has repeated."""

    def __init__(self, window: int, taken: list[Entry]) -> None:
        self._window = window
        self._taken = taken[-window:]
        self._repeating: list[int] = []
        """The indexes in `_taken` that the next repeat may have; empty when the repeats are over."""
        self._by_order = False

    def begin(self, *, resumed: bool, by_order: bool) -> None:
        self._by_order = by_order
        self._repeating = list(range(len(self._taken))) if resumed else []

    def repeats(self, entry: Entry) -> bool:
        """Whether the message was taken before; a new one is added."""
        matches = [
            index
            for index in self._repeating
            if index < len(self._taken)
            and (self._taken[index] == entry or (self._by_order and self._taken[index][1] == entry[1]))
        ]
        self._repeating = [index + 1 for index in matches]
        if not matches:
            self._taken.append(entry)
        return bool(matches)

    def trim(self) -> None:
        """Drop messages that are older than the window."""
        if not self._repeating:  # else the indexes would be wrong
            del self._taken[: -self._window]


def _entry(message: Message) -> Entry:
    digest = hashlib.blake2b(message.topic.encode() + b"\0" + message.payload, digest_size=8).digest()
    return message.packet_id, int.from_bytes(digest, "little") & ~1 | is_status(message.topic)
