"""Languages and time zones: which languages there are, their words for the pages, and what a person chose."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator, BaseModel

from gateway import text
from gateway.accounts import repository
from gateway.api import models
from gateway.api.auth import SignedIn
from gateway.api.public.account_models import Language
from gateway.core.errors import NotFound
from gateway.core.places import zone_name
from gateway.store import Database
from gateway.text.catalog import Part

router = APIRouter(tags=["preferences"], responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})

Name = Annotated[str, Path(max_length=40)]

_A_MINUTE = {"Cache-Control": "public, max-age=60"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "no-cache"}


class Spoken(BaseModel):
    """A language that there is a catalog for."""

    language: Language


class Zone(BaseModel):
    """A time zone by its IANA name; null for the one that applies without a choice."""

    time_zone: Annotated[str, AfterValidator(zone_name)] | None


@router.get("/api/languages")
def languages(response: Response) -> list[models.Language]:
    """Every language that there are words for, English first."""
    response.headers.update(_A_MINUTE)
    return [
        models.Language(
            code=each.code,
            name=each.name,
            locale=each.locale,
            app=_address("app", each.code),
            console=_address("console", each.code),
        )
        for each in text.catalog().languages
    ]


@router.get("/text/{part}/{language}/{digest}.ftl", include_in_schema=False)
def page_words(part: Part, language: Name, digest: Name) -> Response:
    """The words of a part of the pages; an address that is out of date brings those of now."""
    if language not in text.codes():
        raise NotFound("There is no such language.")
    words = text.words(language)
    headers = _FOR_EVER if digest == words.digest(part) else _FRESH
    return Response(words.source(part), media_type="text/plain; charset=utf-8", headers=headers)


@router.put("/api/my/language")
def speak(request: Request, account: SignedIn, body: Spoken) -> Spoken:
    """Speak this language to the signed-in person from now on."""
    with _database(request).transaction() as tx:
        repository.choose_language(tx, account.person_id, body.language)
    return body


@router.put("/api/my/time-zone")
def live_in(request: Request, account: SignedIn, body: Zone) -> Zone:
    """Show times of this zone to the signed-in person from now on."""
    with _database(request).transaction() as tx:
        repository.choose_time_zone(tx, account.person_id, body.time_zone)
    return body


def asked_language(request: Request) -> str:
    """Returns the first language that the browser asks for and that there are words for."""
    asked = (each.partition(";")[0].strip() for each in request.headers.get("accept-language", "").split(","))
    plain = (part for each in asked for part in (each, each.partition("-")[0]))
    return next((each for each in plain if each in text.codes()), text.ENGLISH)


def _address(part: Part, language: str) -> str:
    return f"/text/{part}/{language}/{text.words(language).digest(part)}.ftl"


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
