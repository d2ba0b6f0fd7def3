"""The language of the pages, and of the mail and pushes, that a person gets."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.accounts.repository import queries
from gateway.api import models
from gateway.api.auth import SignedIn
from gateway.api.public.account_models import Language
from gateway.store import Database

router = APIRouter(tags=["preferences"], responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})


class Spoken(BaseModel):
    """A language that there is a catalog for."""

    language: Language


@router.put("/api/my/language")
def speak(request: Request, account: SignedIn, body: Spoken) -> Spoken:
    """Speak this language to the signed-in person from now on."""
    with _database(request).transaction() as tx:
        tx.execute(queries.set_language, {"id": account.person_id, "language": body.language})
    return body


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
