"""The pages: My Products and the console (built by vite), the staff's first page, and each notice without a script."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from gateway.accounts.model import NotSignedIn
from gateway.api.auth import signed_in
from gateway.api.pages import notice as notice_page
from gateway.core.errors import Unavailable
from gateway.notify import attention
from gateway.registrations import owned
from gateway.store import Database
from gateway.store.owner import act_as_owner
from gateway.store.wakeup import wake

APPLICATION_PATHS = (
    "/",
    "/sign-in",
    "/sign-up",
    "/forgot",
    "/invitation",
    "/units/{unit}",
    "/notices",
    "/notices/{notice}",
    "/add",
    "/settings",
    "/account",
)
"""What the application shows; everything else that is not there is a plain 404."""

CONSOLE_PATHS = ("/console", "/console/{page:path}")
"""What the console shows, to the staff; the page itself carries no data: the API behind it asks who is there."""

_PRIVATE = {"Cache-Control": "no-store"}
_FRESH = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)
NoticeId = Annotated[str, InPath(max_length=40)]


class HashedFiles(StaticFiles):
    """Files whose name changes with their content: a browser need never ask again."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """As ever, and kept for a year."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def add_pages(app: FastAPI, web: Path) -> None:
    """Serve the pages that vite built into `web`/dist."""
    app.include_router(router)
    app.mount("/assets", HashedFiles(directory=web / "dist" / "assets", check_dir=False))

    for path in APPLICATION_PATHS:
        app.add_api_route(path, _built(web / "dist" / "index.html"), include_in_schema=False)
    for path in CONSOLE_PATHS:
        app.add_api_route(path, _built(web / "dist" / "console.html"), include_in_schema=False)


def _built(page: Path) -> Callable[[], FileResponse]:
    def answer() -> FileResponse:
        if not page.is_file():
            raise Unavailable("The pages are not built; run `npm ci && npm run build` in gateway/web.")
        return FileResponse(page, headers=_FRESH)

    return answer


@router.get("/n/{notice_id}")
def notice(request: Request, notice_id: NoticeId) -> Response:
    """A notice, to its owner; somebody else learns that it is not theirs, nobody is asked to sign in."""
    try:
        account = signed_in(request)
    except NotSignedIn:
        return RedirectResponse(f"/sign-in?next=/n/{notice_id}", 303, _PRIVATE)
    database: Database = request.app.state.database
    maker = request.app.state.settings.maker
    now = request.app.state.clock()
    with database.transaction() as tx:
        is_theirs = attention.read(tx, account.person_id, notice_id, now)
    if is_theirs:
        _wake(database)
    with database.transaction() as mine:
        act_as_owner(mine, account.person_id)
        html = notice_page.render(mine, account, notice_id, now, maker)
    if html is None:
        return HTMLResponse(notice_page.missing(account, maker), 404, _PRIVATE)
    return HTMLResponse(html, headers=_PRIVATE)


@router.post("/n/{notice_id}")
def acknowledge(request: Request, notice_id: NoticeId) -> Response:
    """The page's button: note that it is done, and show the page again."""
    account = signed_in(request)
    database: Database = request.app.state.database
    with database.transaction() as mine:
        act_as_owner(mine, account.person_id)
        is_theirs = owned.notice(mine, notice_id) is not None
    if is_theirs:
        with database.transaction() as tx:
            attention.acknowledged(tx, account.person_id, notice_id, request.app.state.clock())
        _wake(database)
    return RedirectResponse(f"/n/{notice_id}", 303, _PRIVATE)


def _wake(database: Database) -> None:
    with database.read() as connection:
        wake(connection)
