"""The three roles as processes: each runs until SIGTERM or SIGINT, and ends cleanly."""

import logging
import signal
import threading
from types import FrameType

import uvicorn

from gateway import metrics
from gateway.api.application import create_app
from gateway.api.connections import ConnectionLimits, watched_protocol
from gateway.api.hub import Hub
from gateway.app.ingest import Ingest
from gateway.app.measured import Measured
from gateway.app.worker import LOCK_WAIT, READER, Worker
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.m2m.inbox import Inbox
from gateway.m2m.link import Link, LinkSettings
from gateway.m2m.watch import watch
from gateway.store import Database

log = logging.getLogger(__name__)


def run_ingest(settings: Settings, url: str) -> None:
    """Take readings from the broker until told to stop."""
    host, port = settings.mqtt_address
    inbox = Inbox(settings.queue_max_messages, settings.queue_max_bytes)
    link = Link(
        LinkSettings(
            host,
            port,
            settings.mqtt_client_id,
            settings.mqtt_session_expiry,
            settings.mqtt_receive_maximum,
            settings.mqtt_credentials,
            settings.mqtt_packet_max_bytes,
        ),
        inbox,
        system_clock,
    )
    stop = _stop_on_signal()
    metrics.serve(settings.metrics_host, settings.metrics_port_ingest)
    watching = (settings.mqtt_address, settings.mqtt_credentials, settings.broker_watch_every, stop)
    threading.Thread(target=watch, args=watching, name="broker-watch", daemon=True).start()
    Ingest(settings, url, inbox, link, system_clock).run(stop)


def run_worker(settings: Settings, url: str) -> None:
    """Turn alarms into notices and send them until told to stop."""
    with Database(url, "gateway-worker", lock_wait=LOCK_WAIT) as database:
        Measured(database, READER)
        metrics.serve(settings.metrics_host, settings.metrics_port_worker)
        Worker(settings, database, system_clock).run(_stop_on_signal())


def run_api(settings: Settings, url: str) -> None:
    """Serve the pages and the API until told to stop."""
    with Database(url, "gateway-api") as database:
        hub = Hub(url, settings)
        metrics.STREAMS.set_function(hub.open_streams)
        metrics.serve(settings.metrics_host, settings.metrics_port_api)
        config = uvicorn.Config(
            create_app(settings, database, hub, system_clock),
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            http=watched_protocol(ConnectionLimits.of(settings)),
            ws="none",
        )
        _Server(config, hub).run()
        if hub.error:
            raise hub.error


class _Server(uvicorn.Server):
    """Ends the event streams first, which would hold up the shutdown, and exits 0 when it was asked to stop."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._hub.error is not None

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        self._hub.close()
        self.should_exit = True


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Set even where a background shell ignores SIGINT for us.
        signal.signal(number, lambda *_: stop.set())
    return stop
