"""Ask the broker now and then how many messages it has dropped; a rise is told in the log.

Mosquitto says so under `$SYS`, where its ACL lets us read it. A visit of its own, so that the durable session and its
window are not touched.
"""

import logging
import secrets
import threading
from contextlib import suppress
from datetime import timedelta

from gateway import metrics
from gateway.m2m.session import Refused, Session

log = logging.getLogger(__name__)

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
_ANSWER_S = 3.0


def dropped(address: tuple[str, int], credentials: tuple[str, str] | None) -> int | None:
    """Messages dropped since the broker's start; None where it does not say."""
    try:
        with Session(address, credentials, f"gateway-watch-{secrets.token_hex(4)}") as session:
            session.subscribe(DROPPED_TOPIC, qos=0)
            session.collect(1, _ANSWER_S)
            return int(session.last)
    except (Refused, ValueError):
        return None


def watch(
    address: tuple[str, int], credentials: tuple[str, str] | None, every: timedelta, stop: threading.Event
) -> None:
    """Ask until `stop` is set."""
    before: int | None = None
    while not stop.is_set():
        with suppress(OSError):
            now = dropped(address, credentials)
            if now is not None:
                metrics.DROPPED.set(now)
                if before is not None and now > before:
                    log.warning("The broker dropped %d messages: its queue limits are too small.", now - before)
                before = now
        stop.wait(every.total_seconds())
