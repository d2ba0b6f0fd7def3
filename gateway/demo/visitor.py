"""Somebody at the gateway, as the demo's story and its test are: requests with a browser's cookies, and a stream."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, Self

import httpx

Json = dict[str, Any]

_TIMEOUT_S = 15


class VisitFailed(Exception):
    """The gateway did not answer, or refused; the message says what and why."""


class Visitor:
    """Somebody with a browser; signed in as soon as the gateway gave a session cookie."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(
            timeout=_TIMEOUT_S,
            # Nobody closes a visitor, so none keeps a connection; and our own address is behind no proxy.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    @classmethod
    def sign_in(cls, url: str, email: str, password: str) -> Self:
        """Somebody who has signed in; raises VisitFailed when that is refused."""
        visitor = cls(url)
        visitor.post("/api/sign-in", {"email": email, "password": password})
        return visitor

    @property
    def cookies(self) -> httpx.Cookies:
        """What the gateway gave to keep."""
        return self.client.cookies

    @property
    def headers(self) -> dict[str, str]:
        """What a browser sends along from the gateway's own page, besides its cookies."""
        return {"Origin": self.url}

    def get(self, path: str, **query: Any) -> Json:  # noqa: ANN401 - whatever can stand in an address
        """What the API answers."""
        return self._ask("GET", path, params=query or None)

    def post(self, path: str, body: Json) -> Json:
        """Send something to the API."""
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **more: Any) -> Json:  # noqa: ANN401 - what the request has besides
        try:
            answer = self.client.request(method, f"{self.url}{path}", headers=self.headers, **more)
            found = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError) as error:
            raise VisitFailed(f"{method} {path} was not answered ({error})") from error
        if found is None:
            raise VisitFailed(f"{method} {path} was answered {answer.status_code}: {_detail(answer)}")
        return dict(found)


class EventStream:
    """An open event stream, read line by line."""

    def __init__(self, visitor: Visitor, path: str, timeout_s: float) -> None:
        self._visitor = visitor
        self._path = path
        self._timeout_s = timeout_s
        self._open = ExitStack()

    def __enter__(self) -> Self:
        visitor = self._visitor
        asked = visitor.client.stream(
            "GET", f"{visitor.url}{self._path}", headers=visitor.headers, timeout=self._timeout_s
        )
        try:
            self._answer = self._open.enter_context(asked)
            self._lines = self._answer.iter_lines()
            next(self._lines, None)  # the comment that says that it is open
        except httpx.HTTPError as error:
            self._open.close()
            raise VisitFailed(f"GET {self._path} was not answered ({error})") from error
        if not self._answer.is_success:
            self._open.close()
            raise VisitFailed(f"GET {self._path} was answered {self._answer.status_code}")
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def events(self) -> Iterator[Json]:
        """Every event, and an empty one for each other line, until it ends, breaks or is silent for too long."""
        with suppress(httpx.HTTPError):
            for line in self._lines:
                yield json.loads(line[6:]) if line.startswith("data: ") else {}

    def next(self, kind: str, unit: str, within_s: float) -> Json | None:
        """The next event of a kind about a unit; None if it does not come in time."""
        deadline = time.monotonic() + within_s
        for event in self.events():
            if event.get("kind") == kind and event.get("unit") == unit:
                return event
            if time.monotonic() > deadline:
                return None
        return None

    def end(self) -> None:
        """Let it end for a thread that reads it."""
        self._answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
