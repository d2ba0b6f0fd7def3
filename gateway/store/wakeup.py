"""LISTEN/NOTIFY as a wake-up after a commit: it only saves time, since listeners also poll."""

from datetime import timedelta

from gateway.store.database import Connection

CHANNEL = "gateway_events"


def wake(connection: Connection) -> None:
    """Tell the listeners that events were committed; call it after the commit, since NOTIFY serialises commits."""
    connection.execute("NOTIFY gateway_events")


def listen(connection: Connection) -> None:
    """Let this connection receive wake-ups."""
    connection.execute("LISTEN gateway_events")


def wait(connection: Connection, at_most: timedelta) -> bool:
    """Wait for a wake-up. Returns whether there was one, also since the last call."""
    return any(True for _ in connection.notifies(timeout=at_most.total_seconds(), stop_after=1))
