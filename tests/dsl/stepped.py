"""The ingest role without a broker, driven step by step: a batch, housekeeping, or a kill between two steps."""

import json
import threading
from datetime import timedelta
from typing import Any

from gateway.config import Settings
from gateway.core.clock import Clock, system_clock, to_us
from gateway.core.partition import PARTITIONS
from gateway.ingest.ingest import Ingest
from gateway.m2m.inbox import Inbox
from gateway.m2m.message import Message


class _Link:
    """Takes acknowledgements and forgets them."""

    def __init__(self) -> None:
        self.connected = threading.Event()
        self.connected.set()

    def acknowledge(self, _messages: object) -> None:
        pass


class SteppedIngest:
    """The role as one process after another, on one database."""

    def __init__(self, url: str, clock: Clock = system_clock, **settings: Any) -> None:
        self._url = url
        self._clock = clock
        self._settings = Settings(snapshot_every=timedelta(hours=1), batch_max_wait=timedelta(0), **settings)
        self.start()

    def start(self) -> None:
        """Begin as a new process does."""
        self._inbox = Inbox(1_000)
        self.ingest = Ingest(self._settings, self._url, self._inbox, _Link(), self._clock)
        assert self.ingest.open()
        self.ingest.next_housekeeping = float("inf")  # only when the test wants it

    def look(self) -> None:
        """Do the housekeeping of each second: the catalog, suspended products."""
        self.ingest.housekeeping()

    def save(self, partitions: int = PARTITIONS) -> None:
        """Save the next so many partitions, each by itself."""
        self.ingest.save(partitions)

    def kill(self) -> None:
        """End without saving: only the database connection is closed."""
        self.ingest.writer.connection.close()

    def restart(self) -> None:
        self.kill()
        self.start()

    def send(self, product: str, serial: str, *readings: tuple[float, dict[str, float]]) -> None:
        """One message of readings (Unix time, values), taken as a batch of its own, or with what was put before it."""
        self.put(product, serial, *readings)
        self.ingest.turn()
        assert self.ingest.finish()

    def put(self, product: str, serial: str, *readings: tuple[float, dict[str, float]]) -> None:
        """One message that waits for the next batch."""
        body = [{"ts": round(at * 1000), "values": values} for at, values in readings]
        topic = f"m2m/v1/{product}/{serial}/telemetry"
        self._inbox.put(Message(topic, json.dumps(body).encode(), 0, 1, resumed=True, received_us=to_us(self._clock())))

    @property
    def suspended(self) -> set[int]:
        return self.ingest.judging.suspended
