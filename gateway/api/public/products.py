"""What everybody may know of products: their pictures, and where serial and claim code stand."""

from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from gateway.api import models, views
from gateway.api.paging import Reading
from gateway.api.pictures import served
from gateway.api.public.account_models import Language
from gateway.core.pictures import Picture
from gateway.registrations import repository
from gateway.store import Row

router = APIRouter(tags=["products"], responses={"5XX": {"model": models.Problem}})

Code = Annotated[str, Path(max_length=63)]
Words = Annotated[str, Query(max_length=100)]
HINTS_MAX = 50


@router.get(
    "/api/products/{code}/picture", response_class=Response, responses={200: {"content": {"image/*": {}}}, 304: {}}
)
def picture(request: Request, database: Reading, code: Code) -> Response:
    """What a product looks like; a plain box where no file said it."""
    return served(request, repository.picture(database, code) or _box())


@router.get("/api/claim-hints")
def claim_hints(
    database: Reading, response: Response, language: Language = "en", words: Words = ""
) -> list[models.ClaimHint]:
    """Where serial and claim code of products stand; null where a product's file does not say it.

    `words` are a part of the product's name, model or code; the first 50 by code that have it are returned.
    """
    response.headers["Cache-Control"] = "public, max-age=60"
    return [_hint(row, language) for row in repository.claim_hints(database, words, HINTS_MAX)]


def _hint(row: Row, language: str) -> models.ClaimHint:
    return models.ClaimHint(
        product=models.ProductRef(code=row["code"], name=views.words(row["name"], language), model=row["model"]),
        serial=views.words(row["serial_hint"], language) if row["serial_hint"] else None,
        code=views.words(row["code_hint"], language) if row["code_hint"] else None,
    )


@cache
def _box() -> Picture:
    return Picture((files("gateway.api") / "public" / "box.svg").read_bytes(), "image/svg+xml")
