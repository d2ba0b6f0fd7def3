"""The reading side of the API: units, readings, feed, alarms, events, ledger."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from gateway import flow
from gateway.api import models, my_models, my_views, views
from gateway.api.readiness import readiness
from gateway.catalog.repository import suspensions
from gateway.core.clock import Clock, from_us, to_us
from gateway.core.errors import BadInput, NotFound
from gateway.events import Position, read
from gateway.notify import repository as notify
from gateway.registrations import repository as registrations
from gateway.rules import repository as rules
from gateway.store import Connection, Database

PAGE_MAX = 500
READINGS_MAX = 20_000
_NEWEST = 2**63 - 1

router = APIRouter(responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})
"""For the staff: application.py asks for the role."""
open_router = APIRouter(responses={"5XX": {"model": models.Problem}})
"""For everybody."""


def connection(request: Request) -> Iterator[Connection]:
    """A connection for one request."""
    database: Database = request.app.state.database
    with database.read() as opened:
        yield opened


Reading = Annotated[Connection, Depends(connection)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Rows = Annotated[int, Query(ge=1, le=READINGS_MAX)]
After = Annotated[int, Query(ge=0)]
Before = Annotated[int, Query(ge=0)]
Road = Literal["reading", "recall"]


@router.get("/api/units", tags=["units"])
def units(database: Reading, after: After = 0, limit: Limit = PAGE_MAX) -> models.Units:
    """Units with their newest readings, in a steady order."""
    rows = registrations.units_page(database, after, limit)
    return models.Units(
        units=[views.unit(row) for row in rows],
        next=views.next_page(rows, limit, "row"),
        suspended=[
            models.SuspendedProduct(product=each.product, since=each.since, reason=each.reason)
            for each in suspensions(database)
        ],
    )


@router.get("/api/units/{unit_id}/readings", tags=["units"])
def readings(
    request: Request,
    database: Reading,
    unit_id: str,
    metric: str,
    minutes: Annotated[int, Query(ge=1, le=60 * 24 * 31)] = 30,
    limit: Rows = 5_000,
) -> models.Readings:
    """One metric of a unit over the last minutes; beyond `limit` the lowest and highest reading of each part."""
    clock: Clock = request.app.state.clock
    series = registrations.series(database, unit_id, metric)
    if series is None:
        raise NotFound("There is no such unit, or it has no such metric.")
    until = clock() + timedelta(days=1)  # a device's clock may be ahead
    since = clock() - timedelta(minutes=minutes)
    points = registrations.readings(database, series, since, until, limit)
    return models.Readings(
        metric=metric, unit=series.measure, points=[(to_us(at) // 1000, value) for at, value in points]
    )


@router.get("/api/units/{unit_id}/telemetry", tags=["units"])
def telemetry(
    database: Reading, unit_id: str, since: AwareDatetime, until: AwareDatetime, after: str = "0.0", limit: Rows = 5_000
) -> models.StoredReadings:
    """Every reading of a unit from `since` to before `until`, exactly as stored, with when it came and whether late."""
    time_us, dot, metric = after.partition(".")
    if not (dot and time_us.isdecimal() and metric.isdecimal() and len(time_us) < 17 and len(metric) < 5):
        raise BadInput(f"{after!r} is not a place among readings; use the `next` of a page")
    place = (from_us(int(time_us)), int(metric))
    rows = registrations.stored_readings(database, _number(database, unit_id), since, until, place, limit)
    last = f"{to_us(rows[-1]['time'])}.{rows[-1]['metric_id']}" if len(rows) == limit else None
    return models.StoredReadings(readings=[views.stored(row) for row in rows], next=last)


@router.get("/api/units/{unit_id}/conflicts", tags=["units"])
def conflicts(
    database: Reading, unit_id: str, since: AwareDatetime, until: AwareDatetime, limit: Rows = 5_000
) -> models.ConflictingReadings:
    """The readings of a unit that said otherwise than the one that stands for their time, the first `limit`."""
    unit = _number(database, unit_id)
    rows = registrations.conflicting_readings(database, unit, since, until, limit)
    return models.ConflictingReadings(
        readings=[(row["metric"], to_us(row["time"]), row["value"], to_us(row["received_at"])) for row in rows],
        ever=registrations.conflicts_ever(database, unit),
    )


@router.get("/api/units/{unit_id}/messages", tags=["units"])
def messages(database: Reading, unit_id: str) -> my_models.Messages:
    """The last messages of a unit, and what was refused, ignored or not taken of them, as its owner sees them."""
    unit = _number(database, unit_id)
    return my_models.Messages(messages=[my_views.message(row) for row in registrations.messages(database, unit)])


def _number(database: Connection, unit_id: str) -> int:
    number = registrations.unit_number(database, unit_id)
    if number is None:
        raise NotFound("There is no such unit.")
    return number


@router.get("/api/feed", tags=["notices"])
def feed(database: Reading, before: Before = _NEWEST, limit: Limit = 50) -> models.Feed:
    """Notices, the newest first."""
    rows = notify.feed(database, before, limit)
    return models.Feed(notices=[views.notice(row) for row in rows], next=views.next_page(rows, limit, "row"))


@router.get("/api/ledger", tags=["notices"])
def ledger(database: Reading, before: Before = _NEWEST, limit: Limit = 50) -> models.Ledger:
    """What the stages answered to each alarm: why somebody was told, or why nobody was."""
    rows = notify.ledger(database, before, limit)
    lines = [models.LedgerLine(**row | {"id": str(row["id"])}) for row in rows]
    return models.Ledger(lines=lines, next=views.next_page(rows, limit, "id"))


@router.get("/api/deliveries", tags=["notices"])
def deliveries(database: Reading, before: Before = _NEWEST, limit: Limit = 50) -> models.Deliveries:
    """Each notice on each channel and how it ended, the newest first."""
    rows = notify.deliveries(database, before, limit)
    return models.Deliveries(
        deliveries=[models.StaffDelivery(**row | {"id": str(row["id"])}) for row in rows],
        next=views.next_page(rows, limit, "id"),
    )


@router.get("/api/alarms", tags=["alarms"])
def alarms(database: Reading, unit: str | None = None, before: Before = _NEWEST, limit: Limit = 50) -> models.Alarms:
    """Alarms, the newest first, also historic ones that were told to nobody."""
    rows = rules.alarms_page(database, before, limit, unit)
    return models.Alarms(alarms=[models.Alarm(**row) for row in rows], next=views.next_page(rows, limit, "row"))


@router.get("/api/events", tags=["events"])
def events(database: Reading, after: str = "0", limit: Limit = 100) -> models.Events:
    """The event log from any point on, in its one order."""
    place = Position.parse(after)
    found = read(database, place, limit)
    return models.Events(
        events=[views.event(event) for event in found], next=str(found[-1].position if found else place)
    )


@open_router.get("/api/flow", tags=["about"])
def stages(road: Road = "reading") -> list[models.Stage]:
    """The road from a reading, or from a recall, to a notice, stage by stage."""
    return [models.Stage(name=stage.name, sentence=stage.sentence) for stage in flow.ROADS[road]]


@open_router.get("/healthz", tags=["about"])
def health() -> dict[str, Any]:
    """Whether this process answers."""
    return {"alive": True}


@open_router.get("/readyz", tags=["about"], responses={503: {"model": models.Ready}})
def ready(database: Reading, response: Response) -> models.Ready:
    """The database answers, every role does its work, no event is left unread; 503 when not, and what is waited for."""
    state = readiness(database)
    if not state.ready:
        response.status_code = 503
    return state
