"""What stands behind the links of mails and pushes: a notice that was opened, and the end of mail (RFC 8058)."""

from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.notify import addresses, attention
from gateway.notify.compose import page
from gateway.notify.links import TOKEN_MAX_CHARS, Links, address_digest
from gateway.notify.words import words
from gateway.store import Connection, Database, Row
from gateway.store.wakeup import wake

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.core.clock import Clock
    from gateway.core.maker import Maker

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Path(max_length=TOKEN_MAX_CHARS)]

_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/u/page.css")
def style() -> Response:
    """The pages' looks; they work without."""
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
            attention.opened(tx, link.notice, link.channel, now)
    if link is None:
        return _gone(request, "l_gone")
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
        return _gone(request, "u_gone")
    said = words(person["language"])
    return _page(page(said["u_title"], said["u_body"], person["language"], _maker(request), button=said["u_button"]))


@router.post("/u/{token}")
def unsubscribe(request: Request, token: Token) -> Response:
    """End mail of notices to this address: from the page's button, or by the mail program itself, without a session."""
    clock: Clock = request.app.state.clock
    database: Database = request.app.state.database
    with database.transaction() as tx:
        person = _subscriber(request, tx, token)
        if person is not None:
            addresses.suppress(tx, person["id"], person["email"], "you stopped mail by a link in one", clock())
    if person is None:
        return _gone(request, "u_gone")
    said = words(person["language"])
    title, body, back = said["u_done_title"], said["u_done_body"], said["to_products"]
    return _page(page(title, body, person["language"], _maker(request), back=back))


def _is_a_person(request: Request) -> bool:
    """Whether a browser says that somebody went there.

    Mail scanners and previews follow links as well, and must not stop the other channel from following: what does not
    look like a visit is redirected all the same, and counts as nothing.
    """
    headers = request.headers
    is_visit = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return request.method == "GET" and is_visit and "sec-purpose" not in headers


def _subscriber(request: Request, tx: Connection, token: str) -> Row | None:
    """Whose link this is; None when it is not ours, or the address is not that person's any more."""
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


def _gone(request: Request, which: str) -> HTMLResponse:
    language = _language(request)
    said = words(language)
    title, body, back = said[f"{which}_title"], said[f"{which}_body"], said["to_products"]
    return _page(page(title, body, language, _maker(request), back=back), 404)


def _language(request: Request) -> str:
    return "de" if request.headers.get("accept-language", "").lower().startswith("de") else "en"


def _page(html: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status, _PRIVATE)
