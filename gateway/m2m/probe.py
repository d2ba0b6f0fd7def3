"""Measures what the broker grants us: the connection, the subscription, receipts, the window, the backlog."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from gateway.core.duration import format_duration
from gateway.core.finding import Finding, ok, problem, warning
from gateway.m2m.session import ANSWER_S, Refused, Session
from gateway.m2m.topics import TELEMETRY_FILTER

WINDOW_MAX = 5_000
"""A larger window is only measured up to this."""
BACKLOG = 2_000
"""Twice the number of messages that Mosquitto keeps by default."""
_NARROW = 100
"""With a smaller window, a consumer that acknowledges after its commit gets only a few hundred messages a second."""
_LONG_S = 30.0
_EXPIRY_S = 60
_ACL = "in the broker's ACL, give the gateway's user: topic readwrite m2m/check/#"


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker's address, and the session that ingest will ask for."""

    host: str
    port: int
    credentials: tuple[str, str] | None
    receive_maximum: int
    session_expiry: timedelta

    def session(
        self, name: str, *, clean: bool = True, expiry_s: int = 0, receive_maximum: int = 65_535, keep: bool = False
    ) -> Session:
        """A session of the probe; with `keep` it does not acknowledge messages."""
        return Session(
            (self.host, self.port),
            self.credentials,
            name,
            clean=clean,
            expiry_s=expiry_s,
            receive_maximum=receive_maximum,
            acknowledge=not keep,
        )


def probe(broker: Broker) -> list[Finding]:
    """Run every check of the broker, with sessions and topics that nothing else uses and that do not stay."""
    name = f"gateway-check-{secrets.token_hex(4)}"
    topic = f"m2m/check/{name}"
    try:
        findings = [_connection(broker, name), _subscription(broker, name)]
    except Refused as error:
        return [_unreachable(broker, error)]
    findings.append(_receipts(broker, name))
    try:
        findings.append(_window(broker, name, topic))
        findings.append(_backlog(broker, name, topic))
    except Refused as error:
        findings.append(warning("broker limits", f"not measured with {topic}: {error}", _ACL))
    return findings


def _unreachable(broker: Broker, error: Refused) -> Finding:
    reason = str(error)
    address = f"{broker.host}:{broker.port}"
    change = "check that it runs and listens for MQTT 5 there, and GATEWAY_MQTT_URL"
    if "authorized" in reason.lower() or "password" in reason.lower():
        user = f"as {broker.credentials[0]}" if broker.credentials else "without user and password"
        return problem("broker", f"{address} refuses us {user}: {reason}", "user and password in GATEWAY_MQTT_URL")
    if "protocol" in reason.lower() or "closed the connection" in reason:
        change = "GATEWAY_MQTT_URL must name a listener for MQTT 5 (the embedded broker has another one for 3.1.1)"
    return problem("broker", f"{address} does not answer: {reason}", change)


def _connection(broker: Broker, name: str) -> Finding:
    expiry_s = int(broker.session_expiry.total_seconds())
    with broker.session(name, expiry_s=expiry_s) as session:
        granted = getattr(session.granted, "SessionExpiryInterval", expiry_s)
        window = getattr(session.granted, "ReceiveMaximum", 65_535)
    _forget(broker, name)
    user = f"as {broker.credentials[0]}" if broker.credentials else "without user and password"
    session_terms = (
        f"{broker.host}:{broker.port} speaks MQTT 5, lets us in {user}, takes {window} unacknowledged messages"
    )
    if granted < expiry_s:
        short = format_duration(timedelta(seconds=granted))
        return warning(
            "broker",
            f"{session_terms}, and keeps a session for {short} only",
            f"let the broker keep sessions longer, or set GATEWAY_MQTT_SESSION_EXPIRY={short}",
        )
    return ok("broker", session_terms)


def _subscription(broker: Broker, name: str) -> Finding:
    try:
        with broker.session(name) as session:
            session.subscribe(TELEMETRY_FILTER, qos=0)
    except Refused as error:
        return problem(
            "broker subscription",
            f"{TELEMETRY_FILTER} is refused to us ({error})",
            "in the broker's ACL, let the gateway's user read m2m/v1/#",
        )
    return ok("broker subscription", f"{TELEMETRY_FILTER} is granted (Mosquitto grants it whatever its ACL lets pass)")


def _receipts(broker: Broker, name: str) -> Finding:
    """Publish to a topic that no device reads; nothing is retained."""
    topic = f"m2m/v1/check/{name}/receipt"
    try:
        with broker.session(name) as session:
            session.publish(topic, 1, ANSWER_S)
    except Refused as error:
        return warning(
            "broker receipts",
            f"{topic} is refused to us ({error}); only products with `receipts: true` need it",
            "in the broker's ACL, give the gateway's user: topic write m2m/v1/+/+/receipt",
        )
    return ok("broker receipts", f"{topic} is ours to write")


def _window(broker: Broker, name: str, topic: str) -> Finding:
    """Publish to a session that acknowledges nothing: the number of messages that arrive is the window."""
    expected = min(broker.receive_maximum, WINDOW_MAX)
    with broker.session(name, receive_maximum=broker.receive_maximum, keep=True) as reader:
        reader.subscribe(topic)
        with broker.session(f"{name}-writer") as writer:
            writer.publish(topic, expected, _LONG_S, reader=reader)
        window = reader.collect(expected, _LONG_S)
    counts = f"{window} of {expected} messages came before one was acknowledged"
    if window == 0:
        return warning("broker window", f"{counts}: we may write {topic}, and not read it", _ACL)
    if window >= expected:
        return ok("broker window", counts)
    change = (
        "in mosquitto.conf: max_inflight_messages 0. (The embedded broker has 100 built in and is for the demo."
        " Otherwise look for the broker's limit of unacknowledged messages, or lower GATEWAY_MQTT_RECEIVE_MAXIMUM.)"
    )
    return (problem if window < _NARROW else warning)("broker window", f"{counts}: it throttles ingest", change)


def _backlog(broker: Broker, name: str, topic: str) -> Finding:
    """Disconnect a durable session, publish more than Mosquitto's default keeps, connect again and count."""
    name = f"{name}-durable"
    try:
        with broker.session(name, clean=False, expiry_s=_EXPIRY_S) as reader:
            reader.subscribe(topic)
        with broker.session(f"{name}-writer") as writer:
            writer.publish(topic, BACKLOG, _LONG_S)
        with broker.session(name, clean=False, expiry_s=_EXPIRY_S) as reader:
            resumed, arrived = reader.resumed, reader.collect(BACKLOG, _LONG_S)
    finally:
        _forget(broker, name)
    if not resumed:
        return problem(
            "broker backlog",
            "the session was forgotten as soon as we were away: what is published meanwhile is lost",
            "let the broker keep durable sessions",
        )
    counts = f"{arrived} of {BACKLOG} messages were kept for a session that was away"
    if arrived < BACKLOG:
        return problem(
            "broker backlog",
            f"{counts}; the rest is lost, silently",
            "in mosquitto.conf: max_queued_messages 0 (its default is 1000)",
        )
    return ok("broker backlog", f"{counts} (its own restart: see persistence in mosquitto.conf)")


def _forget(broker: Broker, name: str) -> None:
    """End the durable session of this name."""
    with suppress(Refused), broker.session(name):
        pass
