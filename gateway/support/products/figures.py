"""Figures of products: counted by one worker in short statements, and read for the pages as of the last pass.

A pass looks at every unit once. It takes a share of the time only, however many units there are: of a few units the
figures are a minute old at most, of a million about a quarter of an hour.
"""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.campaigns.repository import as_written
from gateway.core.clock import Clock
from gateway.core.errors import NotFound
from gateway.readings.connection import UNHEALTHY_CADENCES
from gateway.store import Connection, Row, load_queries

queries = load_queries("gateway.support.products")

EVERY = timedelta(minutes=1)
"""How often a worker looks whether the next pass is due."""
_SHARE = 5
"""A pass of a second is followed by the next one after this many seconds at the earliest."""
_UNITS_A_TURN = 2_000
_ALARMS_A_TURN = 2_000
_FORGOTTEN_A_TURN = 5_000
_PAUSE_SHARE = 2
"""Between two turns it rests this many times as long as one took, so that readings and notices come first."""
DAYS_MAX = 90
"""For so many days alarms are counted."""
LISTED = 100
"""Lots, versions, rules and products on a page at most, those with most units or alarms."""


def count_all(connection: Connection, clock: Clock, stop: threading.Event) -> bool:
    """Count units and alarms if it is time; each statement commits by itself. Returns whether units were counted."""
    _count_alarms(connection, clock(), stop)
    last = connection.execute(queries.last_pass).fetchone()
    if last and clock() < last["finished_at"] + _SHARE * (last["finished_at"] - last["began_at"]):
        return False
    number, began_at, after = last["number"] + 1 if last else 1, clock(), 0
    _drop_figures(connection, number, number)  # of a pass that came to no end
    while not stop.is_set():
        begun = time.monotonic()
        arguments = {"after": after, "limit": _UNITS_A_TURN, "pass": number, "now": clock()}
        row = connection.execute(queries.count_units, arguments | {"cadences": UNHEALTHY_CADENCES}).fetchone()
        if not row or row["units"] < _UNITS_A_TURN:
            connection.execute(queries.end_pass, {"pass": number, "began_at": began_at, "now": clock()})
            _drop_figures(connection, 0, number - 1)
            return True
        after = row["last"]
        stop.wait(_PAUSE_SHARE * (time.monotonic() - begun))
    return False


def _count_alarms(connection: Connection, now: datetime, stop: threading.Event) -> None:
    since = now - timedelta(days=DAYS_MAX)
    while not stop.is_set():
        row = connection.execute(queries.count_alarms, {"since": since, "limit": _ALARMS_A_TURN}).fetchone()
        if not row or row["alarms"] < _ALARMS_A_TURN:
            break
    arguments = {"before": since.date(), "limit": _FORGOTTEN_A_TURN}
    while connection.execute(queries.forget_alarm_figures, arguments).rowcount == _FORGOTTEN_A_TURN:
        pass


def _drop_figures(connection: Connection, first: int, final: int) -> None:
    arguments = {"first": first, "final": final, "limit": _FORGOTTEN_A_TURN}
    while connection.execute(queries.drop_figures, arguments).rowcount == _FORGOTTEN_A_TURN:
        pass


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """The figures of one product, as rows."""

    product: Row
    counted_at: datetime | None
    lots: list[Row]
    firmwares: list[Row]
    rules: list[Row]
    campaigns: list[Row]
    refused: int


def products(connection: Connection) -> tuple[datetime | None, list[Row]]:
    """Returns when units were counted last, and the products with their figures."""
    last = connection.execute(queries.last_pass).fetchone()
    rows = connection.execute(queries.products, {"code": None, "limit": LISTED}).fetchall()
    return last["finished_at"] if last else None, rows


def product(connection: Connection, code: str, days: int, rule: str | None, now: datetime) -> ProductFigures:
    """Returns the figures of a product, with the alarms of some days, of one rule or of all. Raises NotFound."""
    last = connection.execute(queries.last_pass).fetchone()
    row = connection.execute(queries.products, {"code": code, "limit": 1}).fetchone()
    if row is None:
        raise NotFound("There is no such product.")
    day = (now - timedelta(days=days - 1)).date()
    arguments: dict[str, Any] = {"product_id": row["id"], "code": code, "day": day, "rule": rule, "limit": LISTED}
    results = [
        connection.execute(query, arguments).fetchall()
        for query in (queries.lots, queries.firmwares, queries.alarms_by_rule, queries.campaigns)
    ]
    lots, firmwares, rules, campaigns = results
    refused = connection.execute(queries.refused, arguments).fetchone()
    return ProductFigures(
        row,
        last["finished_at"] if last else None,
        lots,
        firmwares,
        rules,
        [as_written(each) for each in campaigns],
        refused["messages"] if refused else 0,
    )
