"""A device fleet in a test, which publishes with QoS 1 and waits for the broker's acknowledgements."""

import json
import threading
from contextlib import suppress
from typing import Any, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties

WAIT_S = 30


class Devices:
    """One connection that publishes for many units."""

    def __init__(self, port: int, protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self._client.max_inflight_messages_set(50)
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert connected.wait(WAIT_S)
        self._last: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        with suppress(AttributeError):  # paho forgets its thread when that ends, which may be as loop_stop turns to it
            self._client.loop_stop()

    def send(
        self,
        serial: str,
        payload: Any,
        *,
        product: str = "pump",
        qos: int = 1,
        properties: Properties | None = None,
        retain: bool = False,
    ) -> Self:
        """Publish as a unit; bytes go as they are, all else as JSON."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        topic = f"m2m/v1/{product}/{serial}/telemetry"
        self._last = self._client.publish(topic, body, qos=qos, properties=properties, retain=retain)
        return self

    def reading(self, serial: str, at: float | None = None, **values: float) -> Self:
        """Publish one set of values; `at` in seconds since 1970, none for no `ts`."""
        stamp = {} if at is None else {"ts": round(at * 1000)}
        return self.send(serial, stamp | {"values": values})

    def status(self, serial: str, payload: Any, *, product: str = "pump", retain: bool = True) -> Self:
        """Publish the status of a unit; the payload as in `send`."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._last = self._client.publish(f"m2m/v1/{product}/{serial}/status", body, qos=1, retain=retain)
        return self

    def flush(self) -> Self:
        """Wait until the broker has taken everything."""
        if self._last is not None:
            self._last.wait_for_publish(WAIT_S)
            assert self._last.is_published()
        return self
