"""How a unit is connected, by when it was last heard and how often it is expected to send."""

from datetime import datetime, timedelta
from typing import Literal

Connectedness = Literal["online", "unhealthy", "offline", "unknown"]

ONLINE_CADENCES = 3
UNHEALTHY_CADENCES = 30
"""A unit that was not heard for longer is offline."""


def connection(last_seen: datetime | None, cadence: timedelta | None, now: datetime) -> Connectedness:
    """Heard within 3 of its cadences it is online, within 30 unhealthy, else offline; never heard, unknown."""
    if last_seen is None or cadence is None:
        return "unknown"
    silent = now - last_seen
    if silent <= ONLINE_CADENCES * cadence:
        return "online"
    return "unhealthy" if silent <= UNHEALTHY_CADENCES * cadence else "offline"
