"""Units and their readings, as the staff see them."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from gateway.api import models
from gateway.api.paging import MINUTES_MAX, PAGE_MAX, After, Limit, Reading, Rows, next_page
from gateway.api.staff import views
from gateway.api.views import message, metric_history
from gateway.catalog.repository import suspensions
from gateway.core.clock import Clock, from_us, to_us
from gateway.core.errors import BadInput, NotFound
from gateway.ingest import repository as ingest
from gateway.readings import charts
from gateway.readings.history import ALL_UNITS, history
from gateway.registrations import repository as registrations
from gateway.store import Connection

router = APIRouter(
    tags=["units"],
    responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}},
)


@router.get("/api/units")
def units(database: Reading, after: After = 0, limit: Limit = PAGE_MAX) -> models.Units:
    """Units with their newest readings, in a steady order."""
    rows = registrations.units_page(database, after, limit)
    return models.Units(
        units=[views.unit(row) for row in rows],
        next=next_page(rows, limit, "row"),
        suspended=[
            models.SuspendedProduct(product=suspension.product, since=suspension.since, reason=suspension.reason)
            for suspension in suspensions(database)
        ],
    )


@router.get("/api/units/{unit_id}/readings")
def readings(
    request: Request,
    database: Reading,
    unit_id: str,
    metric: str,
    minutes: Annotated[int, Query(ge=1, le=MINUTES_MAX)] = 30,
    limit: Rows = 5_000,
) -> models.Readings:
    """One metric of a unit over the last minutes.

    A short time has its readings, beyond `limit` the lowest and highest of each part; a longer one hours or days.
    """
    clock: Clock = request.app.state.clock
    series = charts.series(database, unit_id, metric)
    if series is None:
        raise NotFound("There is no such unit, or it has no such metric.")
    until = clock() + timedelta(days=1)  # a device's clock may be ahead
    since = clock() - timedelta(minutes=minutes)
    found = history(database, ALL_UNITS, series.unit_id, series.metric_id, since, until, limit)
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
