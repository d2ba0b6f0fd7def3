"""Who of the staff looked at which records, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from gateway.api.auth import who_may
from gateway.api.listing import Place, as_csv, next_place, read_place
from gateway.api.models import Problem
from gateway.api.paging import Limit, Pool, Reading
from gateway.api.staff import look_models as models
from gateway.store import Connection, Row
from gateway.support import audit
from gateway.support.audit import LookFilter

router = APIRouter(
    tags=["staff"],
    responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    dependencies=[Depends(who_may("administer"))],
)

_PLACE = ("at", "id")
_CSV = ("at", "staff_name", "page", "serial", "person_name", "staff", "unit", "person")

Id = Annotated[str | None, Query(max_length=60)]


def look_filter(staff: Id = None, unit: Id = None, person: Id = None) -> LookFilter:
    """Returns whose looks are asked for, and at what."""
    return LookFilter(staff, unit, person)


Which = Annotated[LookFilter, Depends(look_filter)]


@router.get("/api/looks")
def looks(database: Reading, which: Which, after: Place = "", limit: Limit = 50) -> models.Looks:
    """Who looked at which unit or person, the newest first; the same look within ten minutes is one line."""
    rows = audit.looks(database, which, read_place(after, len(_PLACE)), limit)
    count = audit.count_looks(database, which)
    return models.Looks(
        looks=[_look(row) for row in rows],
        next=next_place(rows, limit, *_PLACE),
        counts=models.LookCounts(looks=min(count, audit.COUNT_MAX), more=count > audit.COUNT_MAX),
    )


@router.get("/api/looks.csv", response_class=StreamingResponse)
def looks_csv(database: Pool, which: Which) -> StreamingResponse:
    """The same list as a file."""

    def page(connection: Connection, after: str, limit: int) -> tuple[list[list[object]], str | None]:
        rows = audit.looks(connection, which, read_place(after, len(_PLACE)), limit)
        return [[row[column] for column in _CSV] for row in rows], next_place(rows, limit, *_PLACE)

    return as_csv(database, "looks", _CSV, page)


def _look(row: Row) -> models.Look:
    return models.Look(
        id=str(row["id"]),
        at=row["at"],
        page=row["page"],
        staff=models.PersonRef(id=row["staff"], name=row["staff_name"]),
        unit=models.SerialRef(id=row["unit"], serial=row["serial"]) if row["unit"] else None,
        person=models.PersonRef(id=row["person"], name=row["person_name"]) if row["person"] else None,
    )
