"""The role that takes readings from the broker."""

import threading

from gateway import metrics
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.ingest.ingest import Ingest
from gateway.m2m.inbox import Inbox
from gateway.m2m.link import Link, LinkSettings
from gateway.m2m.watch import watch
from gateway.roles.signals import stop_on_signal


def run(settings: Settings, url: str) -> None:
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
    stop = stop_on_signal()
    metrics.serve(settings.metrics_host, settings.metrics_port_ingest)
    watching = (settings.mqtt_address, settings.mqtt_credentials, settings.broker_watch_every, stop)
    threading.Thread(target=watch, args=watching, name="broker-watch", daemon=True).start()
    Ingest(settings, url, inbox, link, system_clock).run(stop)
