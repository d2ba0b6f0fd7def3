"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(find: Callable[[], T], *, within: float = 20.0, every: float = 0.02, what: str = "") -> T:
    """Returns the first truthy result of `find`, called every `every` seconds; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while not (result := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or find}")
        time.sleep(every)
    return result
