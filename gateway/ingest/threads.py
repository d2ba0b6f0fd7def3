"""Threads that work beside the stream, until it has ended."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Run = Callable[[threading.Event], None]
"""Works until the event is set."""


@contextmanager
def threads(runs: Mapping[str, Run], failed: threading.Event) -> Iterator[None]:
    """Run each in a thread of this name until the block ends. Sets `failed`, and raises, what one of them raised."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def run_one(run: Run) -> None:
        try:
            run(ended)
        except BaseException as error:  # noqa: BLE001 - raised where the block ends
            failures.append(error)
            failed.set()

    started = [threading.Thread(target=run_one, args=[run], name=name) for name, run in runs.items()]
    for thread in started:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in started:
            thread.join()
    if failures:
        raise failures[0]
