"""The page with the demo's mail and pushes; it exists only when the settings name the demo's outbox."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from gateway.api.public.language import asked_language
from gateway.notify.rendering import render
from gateway.text import Speech

if TYPE_CHECKING:
    from gateway.config import Settings

_ITEMS_MAX = 100
_READ_BYTES = 4_000_000

_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter(include_in_schema=False)

Kind = Annotated[Literal["mail", "push"] | None, Query()]


@router.get("/demo/outbox")
def outbox(request: Request, kind: Kind = None) -> HTMLResponse:
    """Caught mail and pushes, the newest first."""
    say = Speech(asked_language(request))
    html = render("outbox.html", say=say, items=_newest(request, kind), kind=kind)
    return HTMLResponse(html, headers=_NO_STORE)


@router.get("/demo/outbox.json")
def outbox_items(request: Request, kind: Kind = None) -> JSONResponse:
    """The same for programs."""
    return JSONResponse({"items": _newest(request, kind)}, headers=_NO_STORE)


def _newest(request: Request, kind: str | None) -> list[dict[str, Any]]:
    settings: Settings = request.app.state.settings
    assert settings.demo_outbox is not None  # noqa: S101 - the routes exist only with it
    items = [item for item in _read_items(settings.demo_outbox) if kind is None or item["kind"] == kind]
    return items[::-1][:_ITEMS_MAX]


def _read_items(path: Path) -> list[dict[str, Any]]:
    """Returns the items at the end of the file, without a line that is still being written."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _READ_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    items = []
    for line in lines:
        try:
            items.append(json.loads(line))
        except ValueError:
            continue
    return items
