"""What everybody may know of products: their pictures, and where serial and claim code stand."""

from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from gateway.api import models
from gateway.api.paging import PAGE_MAX, Reading
from gateway.api.pictures import served
from gateway.api.public.account_models import Language
from gateway.api.views import words
from gateway.core.pictures import Picture
from gateway.registrations import repository
from gateway.store import Row

router = APIRouter(tags=["products"], responses={"5XX": {"model": models.Problem}})

Code = Annotated[str, Path(max_length=63)]


@router.get(
    "/api/products/{code}/picture", response_class=Response, responses={200: {"content": {"image/*": {}}}, 304: {}}
)
def picture(request: Request, database: Reading, code: Code) -> Response:
    """What a product looks like; a plain box where no file said it."""
    return served(request, repository.picture(database, code) or _box())


@router.get("/api/claim-hints")
def claim_hints(database: Reading, response: Response, language: Language = "en") -> list[models.ClaimHint]:
    """Where serial and claim code of each product stand; null where its file does not say it."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return [_hint(row, language) for row in repository.claim_hints(database, PAGE_MAX)]


def _hint(row: Row, language: str) -> models.ClaimHint:
    return models.ClaimHint(
        product=models.ProductRef(code=row["code"], name=words(row["name"], language), model=row["model"]),
        serial=words(row["serial_hint"], language) if row["serial_hint"] else None,
        code=words(row["code_hint"], language) if row["code_hint"] else None,
    )


@cache
def _box() -> Picture:
    return Picture((files("gateway.api") / "public" / "box.svg").read_bytes(), "image/svg+xml")
