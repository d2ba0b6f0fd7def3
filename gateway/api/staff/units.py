"""Units and their readings, as the staff see them."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from gateway.accounts.model import Account
from gateway.accounts.rights import may
from gateway.api import models
from gateway.api.auth import SignedIn, Speaking, who_may
from gateway.api.listing import Place, Words, as_csv, place_after, read_place
from gateway.api.paging import MINUTES_MAX, PAGE_MAX, Limit, Reading, Rows
from gateway.api.public.accounts import Now
from gateway.api.staff import unit_models, unit_views, views
from gateway.api.views import message, metric_history
from gateway.catalog.repository import suspensions
from gateway.core.clock import Clock, from_us, to_us
from gateway.core.errors import BadInput, NotFound
from gateway.ingest import repository as ingest
from gateway.readings import charts
from gateway.readings.history import ALL_UNITS, history
from gateway.registrations import repository as registrations
from gateway.store import Connection, Database
from gateway.support.audit import note_look
from gateway.support.units import lists
from gateway.support.units.lists import Sort, State
from gateway.support.units.record import unit_record

router = APIRouter(
    tags=["units"],
    responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}},
)

_AHEAD_MINUTES = 24 * 60
Exporter = Annotated[Account, Depends(who_may("export"))]
Value = Annotated[str | None, Query(min_length=1, max_length=100)]


def _filters(
    words: Words = "",
    product: Value = None,
    lot: Value = None,
    firmware: Value = None,
    state: State | None = None,
    registered: Literal["yes", "no"] | None = None,
) -> lists.Filters:
    return lists.Filters(words, product, lot, firmware, state, None if registered is None else registered == "yes")


Chosen = Annotated[lists.Filters, Depends(_filters)]


@router.get("/api/units")
def units(
    database: Reading,
    say: Speaking,
    clock: Now,
    filters: Chosen,
    sort: Sort = "urgent",
    after: Place = "",
    limit: Limit = PAGE_MAX,
) -> unit_models.Units:
    """Units with their newest readings: the urgent ones first, or by serial; those of one state as they were made."""
    now = clock()
    listed = lists.UnitList(database, filters, now)
    ids, last = listed.page(sort, _read_place(after), limit)
    return unit_models.Units(
        units=[unit_views.line(row, say, now) for row in lists.shown(database, ids, now)],
        next=_place(last),
        counts=unit_views.counts(*listed.counts()),
        suspended=[
            models.SuspendedProduct(product=suspension.product, since=suspension.since, reason=suspension.reason)
            for suspension in suspensions(database)
        ],
    )


_COLUMNS = ("serial", "product", "model", "lot", "firmware", "state", "last_seen", "registered_since")


@router.get("/api/units.csv", response_class=StreamingResponse)
def saved_units(
    request: Request, who: Exporter, clock: Now, filters: Chosen, sort: Sort = "urgent"
) -> StreamingResponse:
    """The list as a file; the owners' names stand in it for those who may save lists that name people."""
    columns = (*_COLUMNS, "owner") if may(who.role, "export_people") else _COLUMNS
    now = clock()

    def page(connection: Connection, place: str, limit: int) -> tuple[list[list[object]], str | None]:
        ids, last = lists.UnitList(connection, filters, now).page(sort, _read_place(place), limit)
        rows = [row | {"registered_since": row["since"]} for row in lists.saved(connection, ids, now)]
        return [[row[column] for column in columns] for row in rows], _place(last)

    database: Database = request.app.state.database
    return as_csv(database, "units", columns, page)


@router.get("/api/units/{unit_id}")
def unit(request: Request, who: SignedIn, say: Speaking, clock: Now, unit_id: str) -> unit_models.UnitRecord:
    """All that is known of one unit: owners, alarms, notices with their deliveries, campaigns, firmware."""
    now = clock()
    database: Database = request.app.state.database
    with database.pipelined() as connection:
        found = unit_record(connection, unit_id, say.language, now)
    with database.read() as connection:
        note_look(connection, who, unit=found.unit["row"], now=now)
    return unit_views.record(found, say, now)


@router.get("/api/units/{unit_id}/readings")
def readings(
    request: Request,
    database: Reading,
    unit_id: str,
    metric: str,
    minutes: Annotated[int, Query(ge=1, le=MINUTES_MAX)] = 30,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: Rows = 5_000,
) -> models.Readings:
    """One metric of a unit over the last minutes, or from `since` to before `until`.

    A short time has its readings, beyond `limit` the lowest and highest of each part; a longer one hours or days.
    """
    clock: Clock = request.app.state.clock
    series = charts.series(database, unit_id, metric)
    if series is None:
        raise NotFound("There is no such unit, or it has no such metric.")
    end = until or clock() + timedelta(days=1)  # a device's clock may be ahead
    begin = since or min(end, clock()) - timedelta(minutes=minutes)
    if not timedelta() < end - begin <= timedelta(minutes=MINUTES_MAX + _AHEAD_MINUTES):
        raise BadInput("Let a chart begin before it ends, and show ten years at most.")
    found = history(database, ALL_UNITS, series.unit_id, series.metric_id, begin, end, limit)
    return metric_history(metric, series.measure, found)


@router.get("/api/units/{unit_id}/telemetry")
def telemetry(
    database: Reading, unit_id: str, since: AwareDatetime, until: AwareDatetime, after: str = "0.0", limit: Rows = 5_000
) -> models.StoredReadings:
    """Every reading of a unit from `since` to before `until`, exactly as stored, with when it came and whether late."""
    time_us, dot, metric = after.partition(".")
    if not (dot and time_us.isdecimal() and metric.isdecimal() and len(time_us) < 17 and len(metric) < 5):
        raise BadInput(f"{after!r} is not a place among readings; use the `next` of a page")
    place = (from_us(int(time_us)), int(metric))
    rows = charts.stored_readings(database, _number(database, unit_id), since, until, place, limit)
    last = f"{to_us(rows[-1]['time'])}.{rows[-1]['metric_id']}" if len(rows) == limit else None
    return models.StoredReadings(readings=[views.stored_reading(row) for row in rows], next=last)


@router.get("/api/units/{unit_id}/conflicts")
def conflicts(
    database: Reading, unit_id: str, since: AwareDatetime, until: AwareDatetime, limit: Rows = 5_000
) -> models.ConflictingReadings:
    """The readings of a unit that said otherwise than the one that stands for their time, the first `limit`."""
    unit = _number(database, unit_id)
    rows = charts.conflicting_readings(database, unit, since, until, limit)
    return models.ConflictingReadings(
        readings=[(row["metric"], to_us(row["time"]), row["value"], to_us(row["received_at"])) for row in rows],
        ever=charts.conflicts_ever(database, unit),
    )


@router.get("/api/units/{unit_id}/messages")
def messages(database: Reading, unit_id: str) -> models.Messages:
    """The last messages of a unit, and what was refused, ignored or not taken of them, as its owner sees them."""
    unit = _number(database, unit_id)
    return models.Messages(messages=[message(row) for row in ingest.messages(database, unit)])


def _number(database: Connection, unit_id: str) -> int:
    number = registrations.unit_number(database, unit_id)
    if number is None:
        raise NotFound("There is no such unit.")
    return number


def _place(place: lists.Place | None) -> str | None:
    return place_after([place.urgency, place.serial, place.id] if place else None)


def _read_place(text: str) -> lists.Place:
    match read_place(text, 3):
        case None:
            return lists.Place()
        case [int(urgency), str(serial), int(number)]:
            return lists.Place(urgency, serial, number)
    raise BadInput("This is not a place in this list; use the `next` of a page of the same order")
