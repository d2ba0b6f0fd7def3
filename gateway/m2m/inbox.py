"""The bounded queue between the connection and the writer, emptied in micro-batches."""

import threading
import time
from collections import deque
from datetime import timedelta

from gateway.m2m.message import Message

_PAUSE_S = 0.004
_OBJECT_BYTES = 300
"""The memory of a message's Python objects, without topic and payload."""


class Inbox:
    """Received messages in arrival order, until the writer takes them. A full inbox stops the connection's reading."""

    def __init__(self, max_messages: int, max_bytes: int = 1 << 26) -> None:
        self._max = max_messages
        self._max_bytes = max_bytes
        self.bytes = 0
        """The memory of the messages in the inbox."""
        self._messages: deque[Message] = deque()
        self._arrived = threading.Condition()

    def __len__(self) -> int:
        return len(self._messages)

    def oldest(self) -> Message | None:
        """The message that has waited longest. Any thread may call this."""
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
            self.bytes += memory_bytes(message)
            if len(self._messages) == 1:  # `take` waits for the first message only
                self._arrived.notify()

    def take(self, at_most: int, wait: timedelta, collect: timedelta, bytes_at_most: int = 1 << 23) -> list[Message]:
        """Returns a micro-batch: waits up to `wait` for a first message, then for more, up to `collect`.

        A message of more than `bytes_at_most` is a batch of its own.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._messages, wait.total_seconds()):
                return []
        deadline = time.monotonic() + collect.total_seconds()
        while (
            (waiting_count := len(self._messages)) < at_most
            and self.bytes < bytes_at_most
            and time.monotonic() < deadline
        ):
            time.sleep(_PAUSE_S)
            if len(self._messages) == waiting_count:  # a broker with a small window sends no more until we acknowledge
                break
        batch: list[Message] = []
        size = 0
        while len(batch) < at_most and self._messages:
            if batch and size + memory_bytes(self._messages[0]) > bytes_at_most:
                break
            batch.append(message := self._messages.popleft())
            size += memory_bytes(message)
        with self._arrived:
            self.bytes -= size
        return batch


def memory_bytes(message: Message) -> int:
    """About how much memory a message takes."""
    return len(message.topic) + len(message.payload) + _OBJECT_BYTES
