"""The bounded queue between the connection and the writer, emptied in micro-batches."""

import threading
import time
from collections import deque
from datetime import timedelta

from gateway.m2m.message import Message

_PAUSE_S = 0.004


class Inbox:
    """Messages received and not yet taken, in arrival order; when it is full the connection stops reading."""

    def __init__(self, max_messages: int) -> None:
        self._max = max_messages
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
        return len(self._messages) >= self._max

    def put(self, message: Message) -> None:
        """Add one message; the caller looks at `full` before it reads the next."""
        with self._arrived:
            self._messages.append(message)
            self._arrived.notify()

    def take(self, at_most: int, wait: timedelta, collect: timedelta) -> list[Message]:
        """A micro-batch: waits up to `wait` for a first message, then collects while more come, `collect` at most."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._messages, wait.total_seconds()):
                return []
        deadline = time.monotonic() + collect.total_seconds()
        while (seen := len(self._messages)) < at_most and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
            if len(self._messages) == seen:  # a broker with a small window sends no more until we acknowledge
                break
        return [self._messages.popleft() for _ in range(min(at_most, len(self._messages)))]
