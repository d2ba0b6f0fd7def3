"""What each role tells Prometheus, named by the stages of flow.py; labels hold no serials, people or addresses.

The ingest role observes once a batch. What is in the database is counted when Prometheus asks (roles/measured.py).
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, start_http_server

log = logging.getLogger(__name__)

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

# -- Every role ------------------------------------------------------------------------------------------------------
TROUBLES = Counter("gateway_database_troubles", "Statements that the database could not do.", ["trouble"])

# -- The ingest role -------------------------------------------------------------------------------------------------
RECEIVED = Counter("gateway_messages_received", "Messages from the broker, redelivered ones too.")
REDELIVERED = Counter("gateway_messages_redelivered", "Messages known again, stored before and acknowledged now.")
STORED = Counter("gateway_messages_stored", "Messages committed, those in quarantine too.")
READINGS = Counter("gateway_readings_stored", "Readings committed.")
IGNORED = Counter("gateway_messages_with_unknown_fields", "Messages with a field that the gateway does not read.")
REFUSED = Counter("gateway_messages_refused", "Messages that went to quarantine.", ["reason"])
BATCH = Histogram("gateway_batch_messages", "Messages of a batch.", buckets=(1, 10, 50, 100, 500, 1_000, 5_000, 10_000))
STAGE = Histogram("gateway_stage_seconds", "What a stage takes for a batch.", ["stage"], buckets=_SECONDS)
QUEUE = Gauge("gateway_queue_messages", "Messages in memory that no batch has taken yet.")
LAG = Gauge("gateway_lag_seconds", "Age of the oldest message received and not yet acknowledged; 0 without one.")
DEVICE_LAG = Gauge("gateway_device_lag_seconds", "Arrival minus the device's time: the median of the last batch.")
CONNECTED = Gauge("gateway_broker_connected", "1 while the broker's session is open.")
WINDOW = Gauge("gateway_broker_window_messages", "Unacknowledged messages: asked for by us, taken by it.", ["by"])
DROPPED = Gauge("gateway_broker_dropped_messages", "What the broker says it has dropped since its start, if it does.")
RECEIPTS = Counter("gateway_receipts_published", "Receipts that the broker took.")
RECEIPTS_WAITING = Gauge("gateway_receipts_waiting", "Receipts to be published.")
ALARMS = Counter("gateway_alarm_changes", "Alarms raised and cleared.", ["change"])

# -- The worker role -------------------------------------------------------------------------------------------------
EVENTS = Counter("gateway_events_handled", "Events of the log that the worker was done with.")
UNHANDLED = Counter("gateway_events_unhandled", "Tries of events that failed; each is tried again later.")
DELIVERIES = Counter("gateway_deliveries", "Tries of deliveries at one address.", ["channel", "outcome"])

# -- The api role ----------------------------------------------------------------------------------------------------
STREAMS = Gauge("gateway_streams_open", "Open event streams.")
HTTP = Histogram(
    "gateway_http_seconds", "Until an answer begins.", ["method", "route", "status"], buckets=(*_SECONDS, 30)
)
HTTP_CUT = Counter("gateway_http_connections_cut", "Connections that were closed on a limit, by what ran out.", ["why"])


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Observe how many seconds the block takes."""
    started_at = time.perf_counter()
    try:
        yield
    finally:
        STAGE.labels(name).observe(time.perf_counter() - started_at)


def serve(host: str, port: int) -> None:
    """Serve `/metrics` from a thread of its own. Where the port cannot be opened, the role runs without metrics."""
    if not port:
        return
    try:
        start_http_server(port, host)
    except OSError as error:
        log.warning("No metrics: %s:%d cannot be opened (%s).", host, port, error.strerror)
