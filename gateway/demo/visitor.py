"""Somebody at the gateway, as the demo's story and its test are: requests with a browser's cookies, and a stream."""

import http.client
import json
import time
import urllib.error
import urllib.request
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import urlencode

Json = dict[str, Any]

_TIMEOUT_S = 15


class VisitFailed(Exception):
    """The gateway did not answer, or refused; the message says what and why."""


class Visitor:
    """Somebody with a browser; signed in as soon as the gateway gave a session cookie."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}

    @classmethod
    def sign_in(cls, url: str, email: str, password: str) -> Self:
        """Somebody who has signed in; raises VisitFailed when that is refused."""
        visitor = cls(url)
        visitor.post("/api/sign-in", {"email": email, "password": password})
        return visitor

    @property
    def headers(self) -> dict[str, str]:
        """What a browser sends along from the gateway's own page."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Origin": self.url} | ({"Cookie": cookies} if cookies else {})

    def get(self, path: str, **query: object) -> Json:
        """What the API returns."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Json) -> Json:
        """Send something to the API."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Json:
        headers = self.headers | ({"Content-Type": "application/json"} if body else {})
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)  # noqa: S310 - our address
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - our own address
                for cookie in answer.headers.get_all("Set-Cookie", []):
                    self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items()}
                found: Json = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise VisitFailed(f"{method} {path} was answered {error.code}: {_detail(error)}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise VisitFailed(f"{method} {path} was not answered ({error})") from error


class EventStream:
    """An open event stream, read line by line."""

    def __init__(self, visitor: Visitor, path: str, timeout_s: float) -> None:
        self._connection = http.client.HTTPConnection(visitor.url.removeprefix("http://"), timeout=timeout_s)
        self._headers = visitor.headers
        self._path = path

    def __enter__(self) -> Self:
        try:
            self._connection.request("GET", self._path, headers=self._headers)
            self._lines = self._connection.getresponse()
            self._lines.readline()  # the comment that says that it is open
        except (OSError, http.client.HTTPException) as error:
            raise VisitFailed(f"GET {self._path} was not answered ({error})") from error
        if self._lines.status != http.HTTPStatus.OK:
            raise VisitFailed(f"GET {self._path} was answered {self._lines.status}")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def next(self, kind: str, unit: str, within_s: float) -> Json | None:
        """The next event of a kind about a unit; None if it does not come in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                line = self._lines.readline()
            except (OSError, http.client.HTTPException):  # it was silent for too long, or it broke
                return None
            if not line:  # it ended
                return None
            if line.startswith(b"data: "):
                event: Json = json.loads(line[6:])
                if event.get("kind") == kind and event.get("unit") == unit:
                    return event
        return None


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(error.reason)
