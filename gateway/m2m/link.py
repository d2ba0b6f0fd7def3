"""The connection to the broker: one thread reads, hands messages to the inbox, and sends the acknowledgements.

paho is driven by our own loop, so that a full inbox stops reading and acknowledgements leave in arrival order.
"""

import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway import metrics
from gateway.core.clock import Clock, to_us
from gateway.core.errors import Unavailable
from gateway.m2m.inbox import Inbox
from gateway.m2m.message import Message
from gateway.m2m.topics import STATUS_FILTER, TELEMETRY_FILTER
from gateway.m2m.wire import BufferedClient, BufferedSocket, pubacks

log = logging.getLogger(__name__)

_KEEPALIVE_S = 30
_READS_A_TURN = 200
_BACKOFF_MAX_S = 5.0


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """The broker's address, and the settings of our session."""

    host: str
    port: int
    client_id: str
    session_expiry: timedelta
    receive_maximum: int
    credentials: tuple[str, str] | None = None
    packet_max_bytes: int = 1 << 20
    """The broker does not deliver a larger message, which would be in memory as a whole before it is refused."""


class Link:
    """A durable MQTT 5 session with manual acknowledgement."""

    def __init__(self, settings: LinkSettings, inbox: Inbox, clock: Clock) -> None:
        self._settings = settings
        self._inbox = inbox
        self._clock = clock
        self._connection = 0
        self._resumed = False
        self._now_us = self._last_us = 0
        self._committed: deque[Message] = deque()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)  # noqa: FBT003 - the name of the method says it
        self._client = self._make_client()
        self.connected = threading.Event()

    def _make_client(self) -> BufferedClient:
        client = BufferedClient(self._settings.client_id, self._take)
        if self._settings.credentials:
            client.username_pw_set(*self._settings.credentials)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        return client

    def acknowledge(self, messages: Iterable[Message]) -> None:
        """Acknowledge messages soon. The writer calls this in arrival order, after their commit."""
        self._committed.extend(messages)
        self._wake_in.send(b"a")

    def run(self, stop: threading.Event) -> None:
        """Stay connected until `stop` is set, then send the remaining acknowledgements and disconnect."""
        while not stop.is_set():
            if not self._connect(stop):
                return
            while not stop.is_set() and self._turn():
                pass
        if (wire := self._client.wire) is not None:
            self._send_acknowledgements(wire)
            self._client.disconnect()
            wire.flush()
        self.connected.clear()

    def close(self) -> None:
        """Close the sockets that wake the loop. Call it after `run` has ended."""
        self._wake_in.close()
        self._wake_out.close()

    def _connect(self, stop: threading.Event) -> bool:
        """Try until the broker accepts the connection. Returns False if `stop` was set first."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = int(self._settings.session_expiry.total_seconds())
        properties.ReceiveMaximum = self._settings.receive_maximum
        properties.MaximumPacketSize = self._settings.packet_max_bytes
        pause = 0.1
        while not stop.is_set():
            # The new connection numbers its packets anew: ids of the last one would acknowledge other messages.
            self._connection += 1
            try:
                self._client.connect(
                    self._settings.host, self._settings.port, _KEEPALIVE_S, clean_start=False, properties=properties
                )
            except OSError as error:
                log.warning(
                    "The broker at %s:%s does not answer (%s).", self._settings.host, self._settings.port, error
                )
                stop.wait(pause)
                pause = min(pause * 2, _BACKOFF_MAX_S)
            else:
                return True
        return False

    def _turn(self) -> bool:
        """One round of the loop. Returns False when the connection has ended."""
        wire = self._client.wire
        if wire is None:
            return False
        if self._client.want_write():  # a callback has sent something
            self._client.loop_write()
        wire.flush()
        reads = not self._inbox.full
        wait = 0.0 if reads and wire.pending() else 0.25 if reads else 0.02
        reading: list[socket.socket | BufferedSocket] = [self._wake_out, wire] if reads else [self._wake_out]
        readable, _, _ = select.select(reading, [wire] if wire.has_unsent else [], [], wait)
        if self._wake_out in readable:
            self._wake_out.recv(4096)
            self._send_acknowledgements(wire)
        if wire in readable or wire.pending():
            self._read(wire)
        return self._client.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _read(self, wire: BufferedSocket) -> None:
        self._now_us = to_us(self._clock())

        def is_full() -> bool:
            return self._inbox.full

        for _ in range(_READS_A_TURN):
            if self._inbox.full or self._client.read(is_full) != MQTTErrorCode.MQTT_ERR_SUCCESS or not wire.pending():
                return

    def _send_acknowledgements(self, wire: BufferedSocket) -> None:
        committed = [self._committed.popleft() for _ in range(len(self._committed))]
        # A packet id of an earlier connection would acknowledge another message.
        packet_ids = (
            message.packet_id for message in committed if message.packet_id and message.connection == self._connection
        )
        wire.send(pubacks(packet_ids))
        wire.flush()

    def _on_connect(
        self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("The broker refuses the connection: %s.", reason)
            time.sleep(_BACKOFF_MAX_S)
            return
        self._resumed = flags.session_present
        metrics.WINDOW.labels("gateway").set(self._settings.receive_maximum)
        metrics.WINDOW.labels("broker").set(getattr(properties, "ReceiveMaximum", 65_535))
        log.info("Connected to the broker (stage=receive, session %s).", "resumed" if self._resumed else "new")
        # A retained reading was stored when it was sent, and would count as a new one. A retained status is wanted once
        # in a session: every later one arrives in the session itself.
        readings = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        status = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        client.subscribe([(TELEMETRY_FILTER, readings), (STATUS_FILTER, status)])

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        for name, reason in zip((TELEMETRY_FILTER, STATUS_FILTER), reasons, strict=True):
            if reason.is_failure:
                raise Unavailable(f"The broker refuses our subscription to {name}; allow it in its ACL.")
        self.connected.set()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.connected.clear()
        log.log(logging.WARNING if reason.is_failure else logging.INFO, "Disconnected from the broker (%s).", reason)

    def _take(self, topic: str, payload: bytes, packet_id: int, retained: bool) -> None:  # noqa: FBT001 - see wire.Take
        # Strictly ascending, so that no two messages without a timestamp get the same time.
        self._last_us = max(self._now_us, self._last_us + 1)
        self._inbox.put(
            Message(topic, payload, packet_id, self._connection, self._resumed, self._last_us, retained=retained)
        )
