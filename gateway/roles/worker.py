"""The role that turns alarms into notices and sends them."""

from gateway import metrics
from gateway.app.measured import Measured
from gateway.app.worker import LOCK_WAIT, READER, Worker
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.roles.signals import stop_on_signal
from gateway.store import Database


def run(settings: Settings, url: str) -> None:
    """Turn alarms into notices and send them until told to stop."""
    with Database(url, "gateway-worker", lock_wait=LOCK_WAIT) as database:
        Measured(database, READER)
        metrics.serve(settings.metrics_host, settings.metrics_port_worker)
        Worker(settings, database, system_clock).run(stop_on_signal())
