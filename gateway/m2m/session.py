"""A short session at the broker, beside that of ingest: connect, subscribe, publish, collect."""

import select
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.core.errors import GatewayError

ANSWER_S = 5.0
_QUIET_S = 3.0
"""`collect` ends after a silence of this length: long, so that a slow broker does not look like one that drops."""
_TURN_S = 0.05
_READS_A_TURN = 200
_IN_FLIGHT = 20
_KEEPALIVE_S = 30


class Refused(GatewayError):
    """The broker refused a request; the message is its reason."""


class Session:
    """One MQTT 5 session; with `acknowledge` false it acknowledges no message."""

    def __init__(
        self,
        address: tuple[str, int],
        credentials: tuple[str, str] | None,
        client_id: str,
        *,
        clean: bool = True,
        expiry_s: int = 0,
        receive_maximum: int = 65_535,
        acknowledge: bool = True,
    ) -> None:
        self._address = address
        self._clean = clean
        self._properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        self._properties.SessionExpiryInterval = expiry_s
        self._properties.ReceiveMaximum = receive_maximum
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=not acknowledge,
            reconnect_on_failure=False,
        )
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        if credentials:
            self._client.username_pw_set(*credentials)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._answered = False
        self._refusal = ""
        self._subscribed: ReasonCode | None = None
        self._published = 0
        self._refused_publish: ReasonCode | None = None
        self.resumed = False
        self.granted = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
        self.arrived = 0
        self.last_payload = b""

    def __enter__(self) -> Self:
        try:
            self._client.connect(
                *self._address, keepalive=_KEEPALIVE_S, clean_start=self._clean, properties=self._properties
            )
        except OSError as error:
            raise Refused(str(error)) from error
        try:
            self._turn_until(lambda: self._answered, ANSWER_S)
        except Refused:
            self._leave()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._client.disconnect()
        self._client.loop_write()

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe to a topic. Raises Refused with the broker's reason."""
        self._subscribed = None
        self._client.subscribe(topic, qos)
        self._turn_until(lambda: self._subscribed is not None, ANSWER_S)
        if self._subscribed is not None and self._subscribed.is_failure:
            raise Refused(str(self._subscribed))

    def publish(self, topic: str, count: int, within_s: float, *, reader: "Session | None" = None) -> None:
        """Publish `count` small messages with QoS 1 and wait until the broker has taken them. Raises Refused.

        Meanwhile `reader` reads.
        """
        for number in range(count):
            self._client.publish(topic, str(number), qos=1)
        self._turn_until(lambda: self._published == count or self._refused_publish is not None, within_s, reader)
        if self._refused_publish is not None:
            raise Refused(str(self._refused_publish))

    def retain(self, messages: Sequence[tuple[str, bytes]], within_s: float) -> None:
        """Publish retained messages (topic, payload) and wait until the broker has taken them. Raises Refused."""
        published_after = self._published + len(messages)
        for topic, payload in messages:
            self._client.publish(topic, payload, qos=1, retain=True)
        self._turn_until(lambda: self._published >= published_after or self._refused_publish is not None, within_s)
        if self._refused_publish is not None:
            raise Refused(str(self._refused_publish))

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Stay connected for some time, or until `stop` is set. Raises Refused when the connection ends."""
        end = time.monotonic() + seconds
        self._turn_until(lambda: stop.is_set() or time.monotonic() >= end, seconds + ANSWER_S)

    def collect(self, count: int, within_s: float) -> int:
        """Wait until `count` messages arrived, or no more arrive. Returns the number of them."""
        arrived_before, last_arrival, deadline = self.arrived, time.monotonic(), time.monotonic() + within_s
        while self.arrived < count and time.monotonic() < min(deadline, last_arrival + _QUIET_S):
            self.turn()
            if self.arrived != arrived_before:
                arrived_before, last_arrival = self.arrived, time.monotonic()
        return self.arrived

    def _turn_until(self, done: Callable[[], bool], within_s: float, reader: "Session | None" = None) -> None:
        deadline = time.monotonic() + within_s
        while not done() and not self._refusal:
            if time.monotonic() > deadline:
                raise Refused(f"no answer within {within_s:.0f} s")
            self.turn()
            if reader is not None:
                reader.turn(0)
        if self._refusal:
            raise Refused(self._refusal)

    def turn(self, wait_s: float = _TURN_S) -> None:
        """One round of the loop: read and send what is possible now."""
        connection = self._client.socket()
        if connection is None:
            return
        writing = [connection] if self._client.want_write() else []
        readable, writable, _ = select.select([connection], writing, [], wait_s)
        if writable:
            self._client.loop_write()
        for _ in range(_READS_A_TURN if readable else 0):
            self._client.loop_read()
            if self._client.socket() is None or not select.select([connection], [], [], 0)[0]:
                break
        self._client.loop_misc()

    def _on_connect(
        self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
        self.resumed = flags.session_present
        self.granted = properties or self.granted
        self._answered = True

    def _on_disconnect(self, _client: Client, _data: object, *arguments: object) -> None:
        self._refusal = self._refusal or f"it closed the connection ({arguments[1]})"

    def _on_subscribe(self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], *_: object) -> None:
        self._subscribed = reasons[0]

    def _on_publish(self, _client: Client, _data: object, _mid: int, reason: ReasonCode, *_: object) -> None:
        self._published += 1
        if reason.is_failure:
            self._refused_publish = reason

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.arrived += 1
        self.last_payload = bytes(message.payload)
