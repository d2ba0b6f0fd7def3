"""Alarms, and what became of them: notices, the ledger and deliveries, as the staff see them."""

from fastapi import APIRouter

from gateway.api import models
from gateway.api.paging import NEWEST, Before, Limit, Reading, next_page
from gateway.api.staff import views
from gateway.notify import repository as notify
from gateway.rules import repository as rules

router = APIRouter(responses={"4XX": {"model": models.Problem}, "5XX": {"model": models.Problem}})


@router.get("/api/feed", tags=["notices"])
def feed(database: Reading, before: Before = NEWEST, limit: Limit = 50) -> models.Feed:
    """Notices, the newest first."""
    rows = notify.feed(database, before, limit, views.LANGUAGE)
    return models.Feed(notices=[views.notice(row) for row in rows], next=next_page(rows, limit, "row"))


@router.get("/api/ledger", tags=["notices"])
def ledger(database: Reading, before: Before = NEWEST, limit: Limit = 50) -> models.Ledger:
    """What the stages answered to each alarm: why somebody was told, or why nobody was."""
    rows = notify.ledger(database, before, limit)
    lines = [views.ledger_line(row) for row in rows]
    return models.Ledger(lines=lines, next=next_page(rows, limit, "id"))


@router.get("/api/deliveries", tags=["notices"])
def deliveries(database: Reading, before: Before = NEWEST, limit: Limit = 50) -> models.Deliveries:
    """Each notice on each channel and how it ended, the newest first."""
    rows = notify.deliveries(database, before, limit)
    return models.Deliveries(
        deliveries=[views.delivery(row) for row in rows],
        next=next_page(rows, limit, "id"),
    )


@router.get("/api/alarms", tags=["alarms"])
def alarms(database: Reading, unit: str | None = None, before: Before = NEWEST, limit: Limit = 50) -> models.Alarms:
    """Alarms, the newest first, also historic ones that were told to nobody."""
    rows = rules.alarms_page(database, before, limit, unit)
    return models.Alarms(alarms=[models.Alarm(**row) for row in rows], next=next_page(rows, limit, "row"))
