"""Ask the broker now and then how many messages it has dropped; a rise is logged.

Mosquitto publishes the number under `$SYS`, if its ACL lets us read it. A session of its own asks, so that the durable
session and its window are not touched.
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
    """Messages dropped since the broker's start; None when it does not say."""
    try:
        with Session(address, credentials, f"gateway-watch-{secrets.token_hex(4)}") as session:
            session.subscribe(DROPPED_TOPIC, qos=0)
            session.collect(1, _ANSWER_S)
            return int(session.last_payload)
    except (Refused, ValueError):
        return None


def watch(
    address: tuple[str, int], credentials: tuple[str, str] | None, every: timedelta, stop: threading.Event
) -> None:
    """Ask until `stop` is set."""
    count_before: int | None = None
    while not stop.is_set():
        with suppress(OSError):
            count = dropped(address, credentials)
            if count is not None:
                metrics.DROPPED.set(count)
                if count_before is not None and count > count_before:
                    log.warning("The broker dropped %d messages: its queue limits are too small.", count - count_before)
                count_before = count
        stop.wait(every.total_seconds())
