"""The role that serves the pages and the API."""

from types import FrameType

import uvicorn

from gateway import metrics
from gateway.api.application import create_app
from gateway.api.connections import ConnectionLimits, watched_protocol
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.roles.files import raise_file_limit
from gateway.store import Database
from gateway.text import catalog


def run(settings: Settings, url: str) -> None:
    """Serve the pages and the API until told to stop."""
    raise_file_limit(settings)
    catalog().load()
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
