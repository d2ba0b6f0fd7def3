"""The connection to the broker: it sends each message at least once, in order, and counts the answers."""

# paho runs in the caller's thread, without locks: nothing happens between two calls of `pump`. After a break,
# the next one sends the retained messages first, then the unacknowledged ones.

import select
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from device_sim.errors import SimError
from device_sim.times import SECOND, format_duration

WINDOW = 1_000  # messages the broker has not acknowledged yet; the broker may grant fewer
QUEUE = 20_000  # messages that wait for the window, for example while the broker is away
_CONNECT_S = 2.0  # the longest that the caller is blocked
_ANSWER_S = 5.0
_KEEPALIVE_S = 30
_BACKOFF_S = (0.5, 5.0)
_FAILED = 128  # MQTT 5: reason codes from here on are refusals

Say = Callable[[str], None]
Message = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker's address, and the user to connect as."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    def __str__(self) -> str:
        return f"mqtt{'s' if self.tls else ''}://{self.host}:{self.port}"


def parse_broker(text: str) -> Broker:
    """A broker from "mqtt://user:password@host:1883"; mqtts means TLS and port 8883."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if url.scheme not in ("mqtt", "mqtts") or not url.hostname or url.path not in ("", "/") or url.query:
        raise SimError(f"{text!r} is not a broker; write mqtt://127.0.0.1:1883 or mqtts://user:password@host:8883")
    tls = url.scheme == "mqtts"
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    return Broker(url.hostname, port or (8883 if tls else 1883), tls, user, password)


@dataclass(slots=True)
class Counts:
    """The numbers of messages so far, by outcome."""

    published: int = 0  # accepted from the caller
    acknowledged: int = 0
    refused: int = 0  # answered by the broker with an error, such as "Not authorized"


class Link:
    """Publishes with QoS 1 over MQTT 5."""

    def __init__(
        self, broker: Broker, client_id: str, monotonic: Callable[[], float], say: Say, will: Message | None = None
    ) -> None:
        self.counts = Counts()
        self.broker = broker
        self._client_id = client_id
        self._monotonic = monotonic
        self._say = say
        self._will = will  # the message that the broker publishes when the connection breaks
        self._retained: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}  # topics of `_retained` that this connection has not sent yet
        self._queue: deque[Message] = deque()
        self._flight: dict[int, Message | None] = {}  # None for a retained one, which every connection sends anew
        self._client: Client | None = None
        self._window = 0  # messages that may be unacknowledged; 0 until the broker accepts the connection
        self._opened_at = self._next_try_at = 0.0
        self._backoff = _BACKOFF_S[0]
        self._loss: str | None = None  # why the connection broke, until `pump` has handled it
        self._reason = ""
        self._away_since: float | None = None
        self._refusals: set[str] = set()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection and it has not broken since."""
        return self._window > 0 and self._loss is None

    @property
    def outstanding(self) -> int:
        """Messages not yet acknowledged, sent or waiting."""
        return len(self._unsent) + len(self._queue) + len(self._flight)

    def connect(self, wait: float, stopping: Callable[[], bool]) -> None:
        """Connect within `wait` seconds, trying again and again, or raise SimError."""
        deadline = self._monotonic() + wait
        while not self.connected and not stopping():
            self.pump(0.05)
            if self._reason.startswith("refused"):
                raise SimError(f"the broker {self.broker} {self._reason}")
            if not self.connected and self._monotonic() >= deadline:
                self.close()
                span = format_duration(wait * SECOND)
                raise SimError(f"no MQTT broker answers at {self.broker} (tried for {span}: {self._reason})")

    def publish(self, topic: str, payload: bytes) -> None:
        """Queue a message; a caller without room for more checks `outstanding` first."""
        self.counts.published += 1
        self._queue.append((topic, payload))

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish a retained message, now and again with each new connection; it is not counted."""
        self._retained[topic] = payload
        self._unsent[topic] = None

    def pump(self, timeout: float) -> None:
        """Send what the window allows, then wait up to `timeout` seconds for the broker's answers."""
        client = self._client or self._open()
        if client is None:
            select.select([], [], [], max(0.0, min(timeout, self._next_try_at - self._monotonic())))
            return
        self._fill(client)
        sock = client.socket()
        if isinstance(sock, (socket.socket, ssl.SSLSocket)):
            if isinstance(sock, ssl.SSLSocket) and sock.pending():
                timeout = 0.0  # decrypted already, so select would not see it
            readable, _, _ = select.select([sock], [sock] if client.want_write() else [], [], timeout)
            if readable:
                client.loop_read()
            if client.want_write():
                client.loop_write()
            client.loop_misc()
        elif self._loss is None:
            self._loss = "connection closed"
        if not self._window and self._monotonic() - self._opened_at > _ANSWER_S:
            self._loss = self._loss or "it accepts connections but does not speak MQTT"
        if self._loss is not None:
            self._break(self._loss)

    def drain(self, timeout: float) -> int:
        """Wait until all is acknowledged, `timeout` seconds at most. Returns the number of messages that are not."""
        deadline = self._monotonic() + timeout
        while self.outstanding and (remaining := deadline - self._monotonic()) > 0:
            self.pump(min(remaining, 0.05))
        return self.outstanding

    def close(self) -> None:
        """Disconnect from the broker."""
        if self._client is not None:
            self._client.on_disconnect = None
            self._client.disconnect()
            self._client = None
            self._window = 0

    def _open(self) -> Client | None:
        now = self._monotonic()
        if now < self._next_try_at:
            return None
        client = Client(CallbackAPIVersion.VERSION2, self._client_id, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(0)  # this class keeps the window: paho's looks at every message for each ack
        client.on_connect, client.on_disconnect, client.on_publish = self._on_connect, self._on_disconnect, self._on_ack
        if self._will is not None:
            client.will_set(*self._will, qos=1, retain=True)
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self.broker.password)
        try:
            if self.broker.tls:
                client.tls_set()
            client.connect(self.broker.host, self.broker.port, _KEEPALIVE_S)
        except OSError as error:
            self._retry_later(_error_text(error))
            return None
        self._client, self._opened_at, self._loss = client, now, None
        return client

    def _fill(self, client: Client) -> None:
        while (self._unsent or self._queue) and len(self._flight) < self._window and self._loss is None:
            if self._unsent:
                topic = next(iter(self._unsent))
                del self._unsent[topic]
                message = None
                info = client.publish(topic, self._retained[topic], qos=1, retain=True)
            else:
                message = self._queue.popleft()
                info = client.publish(*message, qos=1)
            self._flight[info.mid] = message
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS and self._loss is None:
                self._loss = str(info.rc)

    def _break(self, reason: str) -> None:
        """Drop the connection; its unacknowledged messages go back to the front of the queue, in their order."""
        was_up = self._window > 0
        self._queue.extendleft(message for message in reversed(self._flight.values()) if message is not None)
        self._flight.clear()
        self._unsent = dict.fromkeys(self._retained)
        self.close()
        self._loss = None
        self._retry_later(reason)
        if was_up:
            self._away_since = self._monotonic()
            self._say(f"connection to {self.broker} lost ({reason}); trying again, {self.outstanding:,} messages wait")

    def _retry_later(self, reason: str) -> None:
        self._reason = reason
        self._next_try_at = self._monotonic() + self._backoff
        self._backoff = min(2 * self._backoff, _BACKOFF_S[1])

    def _on_connect(self, _c: Client, _u: object, _f: ConnectFlags, code: ReasonCode, props: Properties | None) -> None:
        if code.is_failure:
            self._loss = f"refused the connection: {code}"
            return
        self._window = min(WINDOW, getattr(props, "ReceiveMaximum", WINDOW))
        self._backoff, self._reason = _BACKOFF_S[0], ""
        if self._away_since is not None:
            away = format_duration((self._monotonic() - self._away_since) * SECOND)
            self._say(f"connected again after {away}, sending {self.outstanding:,} messages")
            self._away_since = None

    def _on_disconnect(
        self, _c: Client, _u: object, _f: DisconnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        # paho's text does not say that the socket closed without DISCONNECT.
        self._loss = self._loss or ("connection closed" if str(code) == "Unspecified error" else str(code))

    def _on_ack(self, _c: Client, _u: object, mid: int, code: ReasonCode, _p: Properties) -> None:
        if mid not in self._flight:
            return
        is_retained = self._flight.pop(mid) is None
        if code.value < _FAILED:
            self.counts.acknowledged += not is_retained
            return
        self.counts.refused += 1
        if str(code) not in self._refusals:
            self._refusals.add(str(code))
            self._say(f"the broker refuses messages: {code}")


def _error_text(error: OSError) -> str:
    """Returns the system's error text without its number."""
    return error.strerror or str(error) or type(error).__name__
