"""The web application: routes, pages, errors, and the headers that keep a browser safe."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import as_file, files

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import metrics
from gateway.accounts.passwords import Passwords
from gateway.accounts.service import Accounts
from gateway.api.auth import who_may
from gateway.api.bodies import BodyLimits
from gateway.api.csrf import SameOrigin
from gateway.api.owner import preferences, products
from gateway.api.pages.pages import add_pages
from gateway.api.problems import Documented, add_problem_handlers
from gateway.api.public import about, accounts, brand, demo, language, links
from gateway.api.public import products as public_products
from gateway.api.staff import (
    alarms,
    campaigns,
    events,
    looks,
    notes,
    notices,
    people,
    product_figures,
    quarantine,
    search,
    staff,
    units,
)
from gateway.api.stream import owner as owner_stream
from gateway.api.stream import staff as staff_stream
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.store import Database

_POLICY = (
    b"content-security-policy",
    b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
)
"""For every answer that brings none of its own."""
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]
_NOT_KEPT = (b"cache-control", b"private, no-store")
"""For everything under /api/ that is not public: what it says of a person must not stay in a cache or behind Back."""


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class SafeHeaders:
    """Adds the headers to every answer, streams included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message["headers"]}
                more = list(_HEADERS)
                if _POLICY[0] not in headers:
                    more.append(_POLICY)
                kept = list(message["headers"])
                if scope["path"].startswith("/api/") and not headers.get(_NOT_KEPT[0], b"").startswith(b"public"):
                    kept = [each for each in kept if each[0].lower() != _NOT_KEPT[0]]
                    more.append(_NOT_KEPT)
                message["headers"] = kept + more
            await send(message)

        await self._app(scope, receive, with_headers)


class Timed:
    """Counts and times every answer by its route's template, until it begins: a stream may last for hours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                labels = (_method(scope["method"]), _route(scope), str(message["status"]))
                metrics.HTTP.labels(*labels).observe(time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, timed)


def _method(asked: str) -> str:
    return asked if asked in _METHODS else "other"


def _route(scope: Scope) -> str:
    """The template, so that ids and what strangers guess make no labels of their own."""
    return getattr(scope.get("route"), "path", "none")


_PUBLIC = (about, brand, public_products, accounts, links, language)
"""For everybody; what needs a session asks for it itself."""
_OWNER = (products, owner_stream, preferences)
"""For whoever signed in; each endpoint asks for the person, and reads as them."""
_STAFF = (
    units,
    product_figures,
    alarms,
    notices,
    staff_stream,
    campaigns,
    quarantine,
    events,
    looks,
    notes,
    people,
    staff,
    search,
)
"""For the staff, which is asked here; what needs another right asks for it itself."""


@cache
def _api_routes(*, with_demo: bool) -> list[BaseRoute]:
    """The routes under /api/: the same for every application, for working them out takes longer than most requests."""
    router = APIRouter()
    for each in (*_PUBLIC, *_OWNER, *((demo,) if with_demo else ())):
        router.include_router(each.router)
    for each in _STAFF:
        router.include_router(each.router, dependencies=[Depends(who_may("read"))])
    return router.routes


def create_app(settings: Settings, database: Database, hub: Hub, clock: Clock) -> FastAPI:
    """The application over an opened database; the hub starts and ends with it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hub.start()
        yield
        hub.close()

    app = Documented(title="Product Support Gateway", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.routes += _api_routes(with_demo=settings.demo_outbox is not None)
    app.state.database = database
    app.state.hub = hub
    app.state.clock = clock
    app.state.settings = settings
    app.state.logo = brand.read_logo(settings)
    app.state.accounts = Accounts(settings, database, Passwords(settings.hashes_at_once))
    with as_file(files("gateway") / "web") as web:
        add_pages(app, web)

    add_problem_handlers(app)
    app.add_middleware(BodyLimits, settings=settings)
    app.add_middleware(SameOrigin, settings=settings)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.http_allowed_hosts)
    app.add_middleware(Timed)
    app.add_middleware(SafeHeaders)  # the last one added is the outermost: refusals carry the headers, too
    return app
