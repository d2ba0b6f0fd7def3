"""The pages behind the links in mails and pushes: open a notice, and unsubscribe from mail (RFC 8058)."""

from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.api.public.language import asked_language
from gateway.core.reason import Reason
from gateway.notify import addresses, attention
from gateway.notify.compose import page
from gateway.notify.links import TOKEN_MAX_CHARS, Links, address_digest
from gateway.store import Connection, Database, Row
from gateway.store.wakeup import wake
from gateway.text import Speech

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.core.clock import Clock
    from gateway.core.maker import Maker

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Path(max_length=TOKEN_MAX_CHARS)]

_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/u/page.css")
def style() -> Response:
    """The style of these pages; they work without it."""
    text = files("gateway.notify").joinpath("templates/page.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@router.get("/l/{token}")
def open_notice(request: Request, token: Token) -> Response:
    """Note that a notice was opened on a channel, and go to its page."""
    now = request.app.state.clock()
    database: Database = request.app.state.database
    with database.transaction() as tx:
        link = _links(request, tx).read_open(token)
        if link is not None and _is_a_person(request):
            attention.note_opened(tx, link.notice, link.channel, now)
    if link is None:
        return _gone_page(request, "link")
    with database.read() as connection:
        wake(connection)
    return RedirectResponse(f"/n/{link.notice}", 303, _PRIVATE)


@router.get("/u/{token}")
def ask_to_unsubscribe(request: Request, token: Token) -> Response:
    """A page that asks; nothing changes, since scanners follow links too."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        person = _subscriber(request, tx, token)
    if person is None:
        return _gone_page(request, "mail")
    say = Speech(person["language"])
    title, body = say("page-mail-stop-title"), say("page-mail-stop-text")
    return _page(page(say, _maker(request), title, body, button=say("page-mail-stop-do")))


@router.post("/u/{token}")
def unsubscribe(request: Request, token: Token) -> Response:
    """End mail of notices to this address: from the page's button, or by the mail program itself, without a session."""
    clock: Clock = request.app.state.clock
    database: Database = request.app.state.database
    with database.transaction() as tx:
        person = _subscriber(request, tx, token)
        if person is not None:
            addresses.suppress(tx, person["id"], person["email"], Reason.of("stopped-by-link"), clock())
    if person is None:
        return _gone_page(request, "mail")
    say = Speech(person["language"])
    title, body = say("page-mail-stopped-title"), say("page-mail-stopped-text")
    return _page(page(say, _maker(request), title, body, back=True))


def _is_a_person(request: Request) -> bool:
    """Whether the headers say that a person opened the link in a browser.

    Mail scanners and previews follow links as well, and must not stop the notice on the next channel: they are
    redirected, too, but not counted as a visit.
    """
    headers = request.headers
    is_visit = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return request.method == "GET" and is_visit and "sec-purpose" not in headers


def _subscriber(request: Request, tx: Connection, token: str) -> Row | None:
    """Returns the person of a link; None for a link that is not ours, or when their address is another now."""
    link = _links(request, tx).read_unsubscribe(token)
    person = addresses.person(tx, link.person) if link else None
    if link is None or person is None or address_digest(person["email"]) != link.address:
        return None
    return person


def _links(request: Request, tx: Connection) -> Links:
    settings: Settings = request.app.state.settings
    return addresses.links(tx, settings.public_url, settings.link_secret)


def _maker(request: Request) -> "Maker":
    settings: Settings = request.app.state.settings
    return settings.maker


def _gone_page(request: Request, which: str) -> HTMLResponse:
    say = Speech(asked_language(request))
    title, body = say(f"page-{which}-gone-title"), say(f"page-{which}-gone-text")
    return _page(page(say, _maker(request), title, body, back=True), 404)


def _page(html: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status, _PRIVATE)
