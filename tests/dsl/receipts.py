"""Who listens to receipts as devices do, and keeps every one that came."""

import json
import threading
from dataclasses import dataclass
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

WAIT_S = 30
MARK = "m2m/v1/-/-/receipt"
"""Of no unit: what a listener itself sends behind the others."""


@dataclass(frozen=True)
class Came:
    """One receipt; `retained` when the broker had it before we asked."""

    topic: str
    boot: int
    upto: int
    retained: bool


class Listener:
    """Subscribed to the receipts of every unit, or of the one whose topic is given."""

    def __init__(
        self, port: int, topic: str = "m2m/v1/+/+/receipt", credentials: tuple[str, str] | None = None
    ) -> None:
        self.came: list[Came] = []
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
        own = [each for each in self.came if each.topic == f"m2m/v1/pump/{serial}/receipt"]
        return (own[-1].boot, own[-1].upto) if own else None

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
        said = json.loads(message.payload)
        assert said.keys() == {"boot", "upto"}
        self.came.append(Came(message.topic, said["boot"], said["upto"], bool(message.retain)))
