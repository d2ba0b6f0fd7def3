"""The ingest role inside the test's process, on a real broker and a real database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.ingest.ingest import Ingest
from gateway.m2m.inbox import Inbox
from gateway.m2m.link import Link, LinkSettings

CLIENT_ID = "ingest-under-test"


@contextmanager
def running_ingest(
    url: str,
    port: int,
    *,
    credentials: tuple[str, str] | None = None,
    await_broker: bool = True,
    **settings: Any,
) -> Iterator[Ingest]:
    """Run ingest until the block ends, and raise its error there. `await_broker` waits until it is connected."""
    user = ":".join(credentials) + "@" if credentials else ""
    ingest_settings = Settings(mqtt_url=f"mqtt://{user}127.0.0.1:{port}", **settings)
    inbox = Inbox(ingest_settings.queue_max_messages, ingest_settings.queue_max_bytes)
    link = Link(
        LinkSettings(
            *ingest_settings.mqtt_address,
            CLIENT_ID,
            ingest_settings.mqtt_session_expiry,
            ingest_settings.mqtt_receive_maximum,
            ingest_settings.mqtt_credentials,
            ingest_settings.mqtt_packet_max_bytes,
        ),
        inbox,
        system_clock,
    )
    ingest = Ingest(ingest_settings, url, inbox, link, system_clock)
    stop = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            ingest.run(stop)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while await_broker and not link.connected.wait(0.05) and thread.is_alive():
            pass
        yield ingest
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
        if errors:  # says more than a timeout in the block
            raise errors[0]
