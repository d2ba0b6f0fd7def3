"""Alarms over HTTP: the list, one with its record, and what the staff do about it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from gateway.accounts.model import Account
from gateway.alarms import repository, service
from gateway.alarms.acts import Act, Standing
from gateway.api.auth import SignedIn, Speaking, who_may
from gateway.api.listing import Place, Words, as_csv, place_after, read_place
from gateway.api.models import Problem, Severity
from gateway.api.paging import Limit, Reading
from gateway.api.public.accounts import Now
from gateway.api.staff import alarm_models as models
from gateway.api.staff import alarm_views
from gateway.api.views import words as worded
from gateway.core.clock import Clock
from gateway.core.errors import NotFound
from gateway.notify import listing as notices
from gateway.registrations import repository as registrations
from gateway.store import Connection, Database, Row
from gateway.store.wakeup import wake
from gateway.support.audit import note_look
from gateway.text import Speech

router = APIRouter(tags=["alarms"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Worker = Annotated[Account, Depends(who_may("work_alarms"))]


def filters(
    who: SignedIn,
    words: Words = "",
    unit: str | None = None,
    product: str | None = None,
    severity: Severity | None = None,
    standing: Standing | None = None,
    assigned: models.Assigned | None = None,
    historic: models.Historic | None = None,
    sort: models.Sort = "urgent",
) -> repository.Filters:
    """Returns which alarms are asked for."""
    return repository.Filters(
        words=words.strip(),
        unit=unit,
        product=product,
        severity=severity,
        standing=standing,
        assignee_id=who.person_id if assigned == "me" else None,
        unassigned=assigned == "nobody",
        historic=None if historic is None else historic == "yes",
        newest=sort == "newest",
    )


Filters = Annotated[repository.Filters, Depends(filters)]


@router.get("/api/alarms")
def alarms(database: Reading, chosen: Filters, say: Speaking, after: Place = "", limit: Limit = 50) -> models.Alarms:
    """Open alarms, the urgent first; closed ones where `standing`, `unit` or the order by time asks for them."""
    page = repository.page(database, chosen, read_place(after, 2), limit, say.language)
    counted = {
        standing: models.AlarmCount(count=count.alarms, more=count.more)
        for standing, count in repository.counts(database, chosen, say.language).items()
    }
    return models.Alarms(
        alarms=[alarm_views.line(row, say) for row in page.rows],
        next=place_after(page.next),
        counts=models.StandingCounts(**counted),
    )


@router.get("/api/alarms.csv", dependencies=[Depends(who_may("export"))])
def saved_alarms(request: Request, chosen: Filters, say: Speaking) -> StreamingResponse:
    """The list as a file."""

    def page(connection: Connection, place: str, limit: int) -> tuple[list[list[object]], str | None]:
        found = repository.page(connection, chosen, read_place(place, 2), limit, say.language)
        return [alarm_views.saved(row) for row in found.rows], place_after(found.next)

    return as_csv(_database(request), "alarms", alarm_views.COLUMNS, page)


@router.get("/api/alarms/choices")
def choices(database: Reading, say: Speaking) -> models.AlarmChoices:
    """What alarms are chosen by, and whom they may be assigned to."""
    products = [
        models.ProductName(code=row["code"], name=worded(row["name"], say.language), model=row["model"])
        for row in registrations.product_names(database)
    ]
    staff = [models.StaffMember(**row) for row in repository.staff_members(database)]
    return models.AlarmChoices(products=products, staff=staff)


@router.get("/api/alarms/{alarm_id}")
def alarm(database: Reading, who: SignedIn, alarm_id: str, say: Speaking, clock: Now) -> models.AlarmRecord:
    """One alarm: what was measured, by which rule, who was told and why, and what was done about it."""
    row = _row(database, alarm_id, clock)
    note_look(database, who, unit=row["unit_id"], now=clock())
    return _record(database, row, say, clock)


@router.post("/api/alarms/{alarm_id}/acts")
def act(
    request: Request, who: Worker, alarm_id: str, body: models.NewAct, say: Speaking, clock: Now
) -> models.AlarmRecord:
    """Acknowledge, assign, comment on, judge, resolve or reopen an alarm; 409 when somebody else was faster."""
    done = Act(
        kind=body.act,
        key=body.key,
        person_id=who.person_id,
        at=clock(),
        revision=body.revision,
        value=body.value or None,
        text=body.text or None,
    )
    acts_max = request.app.state.settings.alarm_acts_max
    with _database(request).transaction() as tx:
        service.act_on(tx, alarm_id, done, who.person_public_id, acts_max)
    with _database(request).read() as connection:
        wake(connection)
        return _record(connection, _row(connection, alarm_id, clock), say, clock)


def _row(connection: Connection, alarm_id: str, clock: Clock) -> Row:
    row = repository.record(connection, alarm_id, clock())
    if row is None:
        raise NotFound("There is no such alarm.")
    return row


def _record(connection: Connection, row: Row, say: Speech, clock: Clock) -> models.AlarmRecord:
    return alarm_views.record(
        row,
        repository.acts(connection, row["id"]),
        notices.ledger_of(connection, alarm_id=row["id"]),
        notices.of_alarm(connection, row["id"], say.language, clock()),
        say,
    )


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
