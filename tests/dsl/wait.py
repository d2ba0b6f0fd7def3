"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(find: Callable[[], T], *, within: float = 20.0, every: float = 0.02, what: str = "") -> T:
    """The first truthy answer of `find`, asked every so many seconds; fails at the deadline."""
    deadline = time.monotonic() + within
    while not (found := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or find}")
        time.sleep(every)
    return found
