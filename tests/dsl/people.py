"""Browsers against the application itself, each with its cookies, and the mail that was written for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.accounts.model import Role
from gateway.accounts.passwords import Passwords
from gateway.accounts.service import Accounts, create, open_session
from gateway.api.application import create_app
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.store import Connection, Database, connect

PASSWORD = "correct horse battery"
QUICK = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)
"""A cheap hasher, since tests hash often."""
HOST = "http://127.0.0.1:8080"


class Site:
    """The application on a database; its clock is `ahead` of the real time."""

    def __init__(self, url: str, app: FastAPI, settings: Settings, db: Connection) -> None:
        self.url = url
        self.app = app
        self.settings = settings
        self.db = db
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def browser(self, *, address: str = "203.0.113.7") -> "Browser":
        """A new browser, without cookies."""
        return Browser(self, address)

    def as_(self, role: Role, email: str | None = None) -> "Browser":
        """A browser in which somebody of this role is signed in."""
        browser = self.browser()
        browser.enter(session(self.url, role, email))
        return browser

    def letters(self, email: str) -> list[dict[str, Any]]:
        """Returns the letters to an address, the newest first."""
        return self.db.execute(
            "SELECT template, language, data, status FROM letter WHERE to_email = %s ORDER BY id DESC", [email]
        ).fetchall()

    def code(self, email: str) -> str:
        """The code in the newest letter."""
        return str(self.letters(email)[0]["data"]["code"])

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, actor and data of every event about accounts."""
        rows = self.db.execute("SELECT kind, actor, data FROM event WHERE kind LIKE 'account.%' ORDER BY id")
        return [(row["kind"], row["actor"], row["data"]) for row in rows]

    def kinds(self) -> list[str]:
        return [kind.removeprefix("account.") for kind, _, _ in self.events()]


class Browser:
    """Sends requests as a browser does from our own pages; keeps cookies."""

    def __init__(self, site: Site, address: str) -> None:
        self._site = site
        transport = _ApplicationTransport(site.app, address)
        self.client = httpx.Client(transport=transport, base_url=site.settings.public_url)

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.post(path, json=body, headers={"Sec-Fetch-Site": "same-origin"} | headers)

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.put(path, json=body, headers={"Sec-Fetch-Site": "same-origin"})

    def delete(self, path: str) -> Any:
        return self.client.delete(path, headers={"Sec-Fetch-Site": "same-origin"})

    def enter(self, token: str) -> None:
        self.client.cookies.clear()
        self.client.cookies.set("session", token, domain="127.0.0.1")

    @property
    def token(self) -> str | None:
        return self.client.cookies.get("session")

    @property
    def is_in(self) -> bool:
        return bool(self.get("/api/me").status_code == 200)

    def sign_up(self, email: str = "ada@example.org", password: str = PASSWORD, name: str = "Ada") -> Any:
        return self.post("/api/sign-up", {"email": email, "name": name, "password": password})

    def confirm(self, email: str = "ada@example.org", code: str | None = None) -> Any:
        return self.post("/api/confirm", {"email": email, "code": code or self._site.code(email)})

    def sign_in(self, email: str = "ada@example.org", password: str = PASSWORD) -> Any:
        return self.post("/api/sign-in", {"email": email, "password": password})

    def join(self, email: str = "ada@example.org", password: str = PASSWORD) -> "Browser":
        """Sign up and confirm with the mailed code."""
        assert self.sign_up(email, password).status_code == 202
        assert self.confirm(email).status_code == 200
        return self


class _ApplicationTransport(httpx.BaseTransport):
    """Calls the application without a network."""

    def __init__(self, app: FastAPI, address: str) -> None:
        self._asgi = httpx.ASGITransport(app=app, client=(address, 50_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            response = await self._asgi.handle_async_request(request)
            return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())

        return anyio.run(ask)


@contextmanager
def site(url: str, db: Connection, **settings: Any) -> Iterator[Site]:
    """Yields the application, without a running hub."""
    usual = {"public_url": HOST, "smtp_url": "smtp://127.0.0.1:1"}
    site_settings = Settings(http_allowed_hosts=["127.0.0.1", "gateway.example"], **usual | settings)
    with Database(url, "test") as database:
        hub = Hub(url, site_settings)
        new_site = Site(url, create_app(site_settings, database, hub, lambda: new_site.now()), site_settings, db)  # noqa: PLW0108 - not yet made
        new_site.app.state.accounts = Accounts(site_settings, database, Passwords(site_settings.hashes_at_once, QUICK))
        yield new_site


def session(url: str, role: Role = "support", email: str | None = None) -> str:
    """The session token of somebody of this role, made without sign-in."""
    now = datetime.now(UTC)
    with connect(url, "test") as connection, connection.transaction():
        account = create(connection, email or f"{role}@example.org", f"A {role}", role, now)
        return open_session(connection, account, now)


def password_hash(password: str = PASSWORD) -> str:
    return Passwords(1, QUICK).hash(password)
