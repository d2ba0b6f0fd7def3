"""Notes and calls in the records of units and people."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request

from gateway.accounts.model import Account
from gateway.api.auth import who_may
from gateway.api.listing import Place, next_place, read_place
from gateway.api.models import Problem
from gateway.api.paging import Limit, Pool, Reading
from gateway.api.public.accounts import Now
from gateway.api.staff import note_models as models
from gateway.api.staff.look_models import PersonRef, SerialRef
from gateway.core.errors import BadInput, NotFound
from gateway.registrations.repository import unit_number
from gateway.store import Connection, Row
from gateway.store.wakeup import wake
from gateway.support import notes as kept_notes
from gateway.support.people import person_number

if TYPE_CHECKING:
    from gateway.config import Settings

router = APIRouter(tags=["records"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Writer = Annotated[Account, Depends(who_may("keep_notes"))]
Id = Annotated[str | None, Query(max_length=60)]


@router.get("/api/notes")
def notes(database: Reading, unit: Id = None, person: Id = None, after: Place = "", limit: Limit = 20) -> models.Notes:
    """The notes and calls on a unit, on a person, or on both at once, the newest first."""
    if unit is None and person is None:
        raise BadInput("Name a unit, a person or both.")
    subject = {"unit": _unit(database, unit), "person": _person(database, person)}
    place = read_place(after, 1)
    before = int(place[0]) if place else None
    rows = kept_notes.notes(database, **subject, before=before, limit=limit)
    return models.Notes(
        notes=[_note(row) for row in rows],
        next=next_place(rows, limit, "id"),
        counts=models.NoteCounts(notes=kept_notes.count(database, **subject)),
    )


@router.post("/api/notes", status_code=201)
def write(request: Request, database: Pool, author: Writer, now: Now, body: models.NewNote) -> models.Note:
    """Write a note or a call into a record. It cannot be changed; another note corrects it."""
    settings: Settings = request.app.state.settings
    note = kept_notes.NewNote(body.kind, body.text, body.draft, body.happened_at, body.direction, body.minutes)
    with database.transaction() as tx:
        unit, person = _unit(tx, body.unit), _person(tx, body.person)
        row = kept_notes.write(tx, author, note, unit=unit, person=person, most=settings.notes_max, now=now())
    with database.read() as connection:
        wake(connection)
    return _note(row)


def _unit(database: Connection, unit: str | None) -> int | None:
    number = None if unit is None else unit_number(database, unit)
    if unit is not None and number is None:
        raise NotFound("There is no such unit.")
    return number


def _person(database: Connection, person: str | None) -> int | None:
    number = None if person is None else person_number(database, person)
    if person is not None and number is None:
        raise NotFound("There is no such person.")
    return number


def _note(row: Row) -> models.Note:
    return models.Note(
        id=row["public_id"],
        kind=row["kind"],
        text=row["text"],
        direction=row["direction"],
        minutes=row["minutes"],
        happened_at=row["happened_at"],
        written_at=row["written_at"],
        staff=PersonRef(id=row["staff"], name=row["staff_name"]),
        unit=SerialRef(id=row["unit"], serial=row["serial"]) if row["unit"] else None,
        person=PersonRef(id=row["person"], name=row["person_name"]) if row["person"] else None,
    )
