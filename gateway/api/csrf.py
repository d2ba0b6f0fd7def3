"""Refuses requests from other sites that would change something with a visitor's session."""

from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.auth import cookie_name
from gateway.api.models import Problem
from gateway.config import Settings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DETAIL = "This was sent from another site, so it was not done. Open the gateway's own page and try again there."


class SameOrigin:
    """Refuses unsafe methods unless the browser says that they come from us; a client without cookies may pass."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cookie = cookie_name(settings)
        self._origin = _host(settings.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["method"] not in _SAFE and not self._is_ours(Headers(scope=scope)):
            problem = Problem(title="Cross site", status=403, code="cross_site", detail=_DETAIL)
            response = JSONResponse(problem.model_dump(), 403, media_type="application/problem+json")
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = headers.get("origin")
        if origin is not None:
            return _host(origin) in {headers.get("host"), self._origin}
        # An old browser sends neither header; then only a request without the session cookie may pass.
        return self._cookie not in cookie_parser("; ".join(headers.getlist("cookie")))


def _host(origin: str) -> str:
    return urlsplit(origin).netloc or "null"
