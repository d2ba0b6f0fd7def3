"""The pages: My Products and the console (built by vite), the staff's first page, and each notice without a script."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.accounts.model import Account, NotSignedIn
from gateway.api import models, my_models, my_views
from gateway.api.auth import signed_in
from gateway.api.chart import Words, chart
from gateway.api.page_icons import ICONS
from gateway.api.page_words import Speech
from gateway.core.errors import Unavailable
from gateway.notify import attention
from gateway.registrations import owned
from gateway.store import Connection, Database
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

CONSOLE_PATHS = (
    "/console",
    "/console/campaigns",
    "/console/campaigns/new",
    "/console/campaigns/{campaign}",
)
"""What the console shows, to the staff; the page itself carries no data: the API behind it asks who is there."""

_LEAD = timedelta(minutes=10)
_TAIL = timedelta(minutes=3)
_LONGEST = timedelta(hours=12)
_POINTS_MAX = 20_000
_ROWS = 10
_MARKS = {
    "safety": ("recall", "safety"),
    "critical": ("crit", "warn"),
    "warning": ("warn", "warn"),
    "info": ("info", "info"),
}
_CHANNELS = {"email": "mail", "push": "push", "feed": "bell"}
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


class FreshFiles(StaticFiles):
    """Files that are asked for again each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As ever, and never kept unasked."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def add_pages(app: FastAPI, web: Path) -> None:
    """Serve the pages that stand in `web`: dist, built by vite, and staff."""
    app.include_router(router)
    app.mount("/assets", HashedFiles(directory=web / "dist" / "assets", check_dir=False))

    for path in APPLICATION_PATHS:
        app.add_api_route(path, _built(web / "dist" / "index.html"), include_in_schema=False)
    for path in CONSOLE_PATHS:
        app.add_api_route(path, _built(web / "dist" / "console.html"), include_in_schema=False)

    @app.get("/favicon.svg", include_in_schema=False)
    def favicon() -> FileResponse:
        return FileResponse(web / "staff" / "favicon.svg", headers={"Cache-Control": "max-age=86400"})

    @app.get("/staff", include_in_schema=False)
    def staff_page() -> FileResponse:
        # It carries no data: the API behind it asks who is there.
        return FileResponse(web / "staff" / "index.html", headers=_FRESH)

    app.mount("/staff", FreshFiles(directory=web / "staff"))


def _built(page: Path) -> Callable[[], FileResponse]:
    def answer() -> FileResponse:
        if not page.is_file():
            raise Unavailable("The pages are not built; run `npm ci && npm run build` in gateway/web.")
        return FileResponse(page, headers=_FRESH)

    return answer


@router.get("/n/{notice_id}")
def notice_page(request: Request, notice_id: NoticeId) -> Response:
    """A notice, to its owner; somebody else learns that it is not his, nobody is asked to sign in."""
    try:
        account = signed_in(request)
    except NotSignedIn:
        return RedirectResponse(f"/sign-in?next=/n/{notice_id}", 303, _PRIVATE)
    database: Database = request.app.state.database
    now: datetime = request.app.state.clock()
    with database.transaction() as tx:
        is_his = attention.read(tx, account.person_id, notice_id, now)
    if is_his:
        _wake(database)
    with database.transaction() as mine:
        act_as_owner(mine, account.person_id)
        html = _notice(mine, account, notice_id, now)
    if html is None:
        return HTMLResponse(_render(account, notice=None), 404, _PRIVATE)
    return HTMLResponse(html, headers=_PRIVATE)


@router.post("/n/{notice_id}")
def acknowledge(request: Request, notice_id: NoticeId) -> Response:
    """The page's button: note that he did it, and show the page again."""
    account = signed_in(request)
    database: Database = request.app.state.database
    with database.transaction() as mine:
        act_as_owner(mine, account.person_id)
        is_his = owned.notice(mine, notice_id) is not None
    if is_his:
        with database.transaction() as tx:
            attention.acknowledged(tx, account.person_id, notice_id, request.app.state.clock())
        _wake(database)
    return RedirectResponse(f"/n/{notice_id}", 303, _PRIVATE)


def _wake(database: Database) -> None:
    with database.read() as connection:
        wake(connection)


def _notice(mine: Connection, account: Account, notice_id: str, now: datetime) -> str | None:
    row = owned.notice(mine, notice_id)
    if row is None:
        return None
    notice = my_views.notice(row, account)
    if notice.why is None:
        return None
    found = owned.unit(mine, notice.unit.id)
    unit = my_views.unit(found, account, now) if found else None
    why, say = notice.why, Speech(account.language)
    begin = why.onset - _LEAD
    over = why.cleared_at or notice.resolved_at
    end = min(now, over + _TAIL if over else now, begin + _LONGEST)
    points = owned.readings(mine, notice.unit.id, why.metric, begin, end, _POINTS_MAX)
    normal = next((each.normal for each in unit.readings if each.metric == why.metric), None) if unit else None
    return _render(
        account,
        notice=notice,
        place=unit.place if unit else None,
        mark=_MARKS[notice.severity][0],
        tone=_MARKS[notice.severity][1],
        normal=_band(say, normal, why.unit),
        limit=f"{say.plain(why.limit)} {why.unit}",
        chart=_chart(say, notice, why, points, normal),
        table=points[:: max(1, len(points) // _ROWS)][-_ROWS - 1 :],
        channels=_CHANNELS,
    )


def _chart(
    say: Speech,
    notice: my_models.MyNotice,
    why: models.Why,
    points: list[tuple[datetime, float]],
    normal: tuple[float, float] | None,
) -> str:
    if not points:
        return ""
    first, last = say.clock(points[0][0]), say.clock(points[-1][0])
    band = _band(say, normal, why.unit)
    label = say(
        "chart",
        title=why.title,
        first=first,
        last=last,
        normal=f"{band}." if band else "",
        limit=f"{say.plain(why.limit)} {why.unit}",
        onset=say.clock(why.onset),
        value=f"{say.number(points[-1][1])} {why.unit}",
    )
    alarm = say("alarm_since", time=say.clock(why.onset))
    words = Words(label, band, alarm, say.plain(why.limit), first, last)
    tone = "safety" if notice.severity == "safety" else ""
    return chart(points, normal, why.limit, why.onset, why.cleared_at, words, tone)


def _band(say: Speech, normal: tuple[float, float] | None, unit: str) -> str:
    return say("normal", low=say.plain(normal[0]), high=f"{say.plain(normal[1])} {unit}") if normal else ""


def _render(account: Account, **values: object) -> str:
    return (
        _templates()
        .get_template("notice.html")
        .render(say=Speech(account.language), icons=ICONS, style=_stylesheet(), **values)
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("gateway.api"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _stylesheet() -> str | None:
    """The one stylesheet that vite built, by its hashed name; without it the page is plain, and complete."""
    manifest = files("gateway") / "web" / "dist" / ".vite" / "manifest.json"
    try:
        built = json.loads(manifest.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return next((f"/{each['file']}" for each in built.values() if each["file"].endswith(".css")), None)
