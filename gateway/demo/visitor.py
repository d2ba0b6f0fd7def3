"""A client of the gateway for the demo's story and tests: requests with a browser's cookies, and an event stream."""

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
    """The gateway did not answer or refused a request; the message says which and why."""


class Visitor:
    """A person with a browser, who is signed in once the gateway has set a session cookie."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(
            timeout=_TIMEOUT_S,
            # A visitor is never closed, so it keeps no connection; and no proxy is needed for our own address.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    @classmethod
    def sign_in(cls, url: str, email: str, password: str) -> Self:
        """A visitor who has signed in. Raises VisitFailed when that is refused."""
        visitor = cls(url)
        visitor.post("/api/sign-in", {"email": email, "password": password})
        return visitor

    @property
    def cookies(self) -> httpx.Cookies:
        """The cookies that the gateway has set."""
        return self.client.cookies

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a browser's requests from the gateway's pages."""
        return {"Origin": self.url}

    def get(self, path: str, **query: Any) -> Json:  # noqa: ANN401 - any value of a query
        """Get something from the API."""
        return self._request("GET", path, params=query or None)

    def post(self, path: str, body: Json) -> Json:
        """Send something to the API."""
        return self._request("POST", path, json=body)

    def _request(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401 - options of httpx
        try:
            response = self.client.request(method, f"{self.url}{path}", headers=self.headers, **options)
            content = response.json() if response.is_success else None
        except (httpx.HTTPError, ValueError) as error:
            raise VisitFailed(f"{method} {path} was not answered ({error})") from error
        if content is None:
            raise VisitFailed(f"{method} {path} was answered {response.status_code}: {_detail(response)}")
        return dict(content)


class EventStream:
    """An open event stream, read line by line."""

    def __init__(self, visitor: Visitor, path: str, timeout_s: float) -> None:
        self._visitor = visitor
        self._path = path
        self._timeout_s = timeout_s
        self._open = ExitStack()

    def __enter__(self) -> Self:
        visitor = self._visitor
        response_context = visitor.client.stream(
            "GET", f"{visitor.url}{self._path}", headers=visitor.headers, timeout=self._timeout_s
        )
        try:
            self._response = self._open.enter_context(response_context)
            self._lines = self._response.iter_lines()
            next(self._lines, None)  # the first comment, which says that the stream is open
        except httpx.HTTPError as error:
            self._open.close()
            raise VisitFailed(f"GET {self._path} was not answered ({error})") from error
        if not self._response.is_success:
            self._open.close()
            raise VisitFailed(f"GET {self._path} was answered {self._response.status_code}")
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def events(self) -> Iterator[Json]:
        """Yields each event, and {} for each other line, until the stream ends, breaks or times out."""
        with suppress(httpx.HTTPError):
            for line in self._lines:
                yield json.loads(line[6:]) if line.startswith("data: ") else {}

    def next(self, kind: str, unit: str, within_s: float) -> Json | None:
        """The next event of a kind about a unit; None when there is none in time."""
        deadline = time.monotonic() + within_s
        for event in self.events():
            if event.get("kind") == kind and event.get("unit") == unit:
                return event
            if time.monotonic() > deadline:
                return None
        return None

    def end(self) -> None:
        """End the stream for a thread that reads it."""
        self._response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase
