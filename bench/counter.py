"""The counting subscriber with which the gateway is compared: a paho client that does nothing else."""

import threading
import time
from dataclasses import dataclass

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench import usage
from bench.setup import WAIT_S, Broker, connect_durably, subscriber
from gateway.core.errors import Unavailable

SLOWEST_PER_S = 500
"""At a lower rate, missing messages count as lost."""


@dataclass(frozen=True, slots=True)
class CounterRun:
    """The times of a counting subscriber's run."""

    seconds: float
    cpu_s: float
    broker_cpu_s: float


def count(client_id: str, broker: Broker, messages: int) -> CounterRun:
    """Read a whole backlog with paho's loop, only counting; ends the session."""
    counter = _Counter(messages)
    client = subscriber(client_id)
    client.on_message = counter.on_message
    end_session = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
    end_session.SessionExpiryInterval = 0
    cpu, broker_cpu = time.process_time(), usage.cpu_s(broker.pid)
    connect_durably(client, broker.port)
    client.loop_start()  # in another thread; this one only waits
    is_complete = counter.done.wait(WAIT_S + messages / SLOWEST_PER_S)
    cpu_s, broker_cpu_s = time.process_time() - cpu, usage.cpu_s(broker.pid) - broker_cpu
    client.disconnect(properties=end_session)
    client.loop_stop()
    if not is_complete:
        raise Unavailable(f"The counting subscriber got {counter.count} of {messages} messages.")
    return CounterRun(counter.last_at - counter.first_at, cpu_s, broker_cpu_s)


class _Counter:
    def __init__(self, messages: int) -> None:
        self.count = 0
        self.first_at = self.last_at = 0.0
        self.done = threading.Event()
        self._messages = messages

    def on_message(self, _client: Client, _data: object, _message: MQTTMessage) -> None:
        if self.count == 0:
            self.first_at = time.perf_counter()
        self.count += 1
        if self.count == self._messages:
            self.last_at = time.perf_counter()
            self.done.set()
