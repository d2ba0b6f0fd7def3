"""The bounded queue between the connection and the writer, emptied in micro-batches."""

import threading
import time
from collections import deque
from datetime import timedelta

from gateway.m2m.message import Message

_PAUSE_S = 0.004
_OBJECTS = 300
"""Bytes of a message's objects beside topic and payload."""


class Inbox:
    """Messages received and not yet taken, in arrival order; when it is full the connection stops reading."""

    def __init__(self, max_messages: int, max_bytes: int = 1 << 26) -> None:
        self._max = max_messages
        self._max_bytes = max_bytes
        self.bytes = 0
        """Of the messages that wait."""
        self._messages: deque[Message] = deque()
        self._arrived = threading.Condition()

    def __len__(self) -> int:
        return len(self._messages)

    def oldest(self) -> Message | None:
        """The message that waits longest; from any thread."""
        try:
            return self._messages[0]
        except IndexError:
            return None

    @property
    def full(self) -> bool:
        """Whether reading has to stop."""
        return len(self._messages) >= self._max or self.bytes >= self._max_bytes

    def put(self, message: Message) -> None:
        """Add one message; the caller looks at `full` before it reads the next."""
        with self._arrived:
            self._messages.append(message)
            self.bytes += room(message)
            if len(self._messages) == 1:  # who waits, waits for a first one
                self._arrived.notify()

    def take(self, at_most: int, wait: timedelta, collect: timedelta, bytes_at_most: int = 1 << 23) -> list[Message]:
        """A micro-batch: waits up to `wait` for a first message, then collects while more come, `collect` at most.

        A message that is larger than a batch may be is one of its own.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._messages, wait.total_seconds()):
                return []
        deadline = time.monotonic() + collect.total_seconds()
        while (seen := len(self._messages)) < at_most and self.bytes < bytes_at_most and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
            if len(self._messages) == seen:  # a broker with a small window sends no more until we acknowledge
                break
        taken: list[Message] = []
        size = 0
        while len(taken) < at_most and self._messages:
            if taken and size + room(self._messages[0]) > bytes_at_most:
                break
            taken.append(message := self._messages.popleft())
            size += room(message)
        with self._arrived:
            self.bytes -= size
        return taken


def room(message: Message) -> int:
    """Bytes that a message takes in memory, about."""
    return len(message.topic) + len(message.payload) + _OBJECTS
