"""Stops a role's process at SIGTERM or SIGINT."""

import signal
import threading


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Set even where a background shell ignores SIGINT for us.
        signal.signal(number, lambda *_: stop.set())
    return stop
