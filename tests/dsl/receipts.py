"""A client that subscribes to receipts as devices do, and keeps every one that came."""

import json
import threading
from dataclasses import dataclass
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

WAIT_S = 30
MARK = "m2m/v1/-/-/receipt"
"""The topic of the marker that a listener sends behind the receipts; no unit has it."""


@dataclass(frozen=True)
class Receipt:
    """One receipt; `retained` when the broker had it before we asked."""

    topic: str
    boot: int
    upto: int
    retained: bool


class Listener:
    """Subscribes to the receipts of every unit, or to one topic."""

    def __init__(
        self, port: int, topic: str = "m2m/v1/+/+/receipt", credentials: tuple[str, str] | None = None
    ) -> None:
        self.came: list[Receipt] = []
        self._subscribed = threading.Event()
        self._marked = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if credentials:
            self._client.username_pw_set(*credentials)
        self._client.on_connect = lambda *_: self._client.subscribe(topic, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(WAIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def last(self, serial: str) -> tuple[int, int] | None:
        """Boot and upto of the newest one that came for a pump."""
        receipts = [receipt for receipt in self.came if receipt.topic == f"m2m/v1/pump/{serial}/receipt"]
        return (receipts[-1].boot, receipts[-1].upto) if receipts else None

    def catch_up(self) -> None:
        """Return when everything has come that the broker's socket had when this was called.

        A broker reads its sockets in turns: behind the second mark even those are read that were ready at the first.
        """
        for _ in range(2):
            self._marked.clear()
            self._client.publish(MARK, b"", qos=1)
            assert self._marked.wait(WAIT_S)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic == MARK:
            self._marked.set()
            return
        payload = json.loads(message.payload)
        assert payload.keys() == {"boot", "upto"}
        self.came.append(Receipt(message.topic, payload["boot"], payload["upto"], bool(message.retain)))
