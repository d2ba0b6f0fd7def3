"""Limits on HTTP connections: a request must arrive in time, a response must be read, and their number is limited."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal, cast

from h11 import DONE, IDLE, SEND_BODY
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from gateway import metrics
from gateway.api.auth import network_of
from gateway.config import Settings

_LINGER_S = 1.0
"""Seconds that the rest of a refused body is read and thrown away, so that its sender sees the response."""

Awaited = Literal["head", "body", "rest of a refused body"]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long a connection may keep the server waiting, and how many connections there may be."""

    request_wait: timedelta
    body_rate: int
    answer_wait: timedelta
    most: int
    most_of_network: int

    @classmethod
    def of(cls, settings: Settings) -> "ConnectionLimits":
        """The limits that the operator set."""
        return cls(
            settings.http_request_wait,
            settings.http_body_rate,
            settings.http_answer_wait,
            settings.http_connections_max,
            settings.http_connections_per_network,
        )


class WatchedProtocol(H11Protocol):
    """uvicorn's protocol with timeouts; by itself it waits without end for the rest of a request.

    Once a request is complete only an unread response is timed, so event streams stay open.
    """

    limits: ClassVar[ConnectionLimits]
    networks: ClassVar[dict[str, set["WatchedProtocol"]]]
    """The connections of each network: counting all of thousands for each new one would take most of its time."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.network: str | None = None
        self.since = self.loop.time()
        self._awaited: Awaited | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._bytes = 0
        self._bytes_before = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Make room for a new connection, or close it; then wait for its request."""
        super().connection_made(transport)
        # A proxy that we trust connects for many people, so it limits the connections of each.
        if self.client and self.client[0] not in getattr(self.app, "trusted_hosts", ()):
            self.network = network_of(self.client[0])
            self.networks.setdefault(self.network, set()).add(self)
        same_network = self.networks.get(self.network or "", ())
        if len(same_network) > self.limits.most_of_network:
            self._make_room(same_network, self.limits.most_of_network)
        elif len(self.connections) > self.limits.most:
            self._make_room(cast("set[WatchedProtocol]", self.connections), self.limits.most)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers of a closed connection."""
        super().connection_lost(exc)
        if same_network := self.networks.get(self.network or ""):
            same_network.discard(self)
            if not same_network:
                del self.networks[self.network or ""]
        for timer in (self._timer, self._unread_timer):
            if timer:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Handle received bytes, and set the timer for what is awaited next."""
        self._bytes_before = self._bytes
        self._bytes += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Set the timer for what is awaited after a response."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Start the timer of a response that the client does not read."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self._later(self.limits.answer_wait.total_seconds(), lambda: self.cut("answer"))

    def resume_writing(self) -> None:
        """Stop that timer when the client reads again."""
        super().resume_writing()
        if self._unread_timer:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _make_room(self, protocols: Collection["WatchedProtocol"], most: int) -> None:
        """Close the connection that has waited longest without a request; where all are busy, the new one."""
        open_protocols = [protocol for protocol in protocols if not protocol.transport.is_closing()]
        if len(open_protocols) > most:
            idle = [each for each in open_protocols if each is not self and each.conn.their_state is IDLE]
            min(idle, key=lambda protocol: protocol.since, default=self).cut("room")

    def _watch(self) -> None:
        awaited = self._next_awaited()
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._timer:
            self._timer.cancel()
            self._timer = None
        wait = self.limits.request_wait.total_seconds()
        if awaited == "head":
            self.since = self.loop.time()
            self._timer = self._later(wait, lambda: self.cut("head"))
        elif awaited == "body":
            self._require_progress(wait, self._bytes_before)
        elif awaited:
            self._timer = self._later(_LINGER_S, self.transport.close)

    def _next_awaited(self) -> Awaited | None:
        if self.transport.is_closing():
            return None
        if self.conn.their_state is IDLE:
            return None if self.timeout_keep_alive_task else "head"
        if self.conn.their_state is SEND_BODY:
            return "rest of a refused body" if self.conn.our_state is DONE else "body"
        return None

    def _require_progress(self, wait: float, before: int) -> None:
        """Close the connection when too few bytes came in `wait` seconds, unless it is us who do not read."""

        def look() -> None:
            if self._bytes - before < self.limits.body_rate * wait and not self.flow.read_paused:
                self.cut("body")
            else:
                self._require_progress(wait, self._bytes)

        self._timer = self._later(wait, look)

    def _later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, act)

    def cut(self, why: str) -> None:
        """Close the connection at once, and count the reason."""
        metrics.HTTP_CUT.labels(why).inc()
        self.transport.abort()


def watched_protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Returns the protocol class with these limits; uvicorn makes one object for each connection."""
    return type("LimitedProtocol", (WatchedProtocol,), {"limits": limits, "networks": {}})
