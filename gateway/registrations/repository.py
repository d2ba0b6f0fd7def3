"""Products, units and owners in the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.registrations.model import Metric, Owner, Product, Unit
from gateway.store import SQL, Connection, Row, load_queries

queries = load_queries("gateway.registrations")

CHART_READS_MAX = 200_000
"""Readings that are read for one chart, the newest first: 30 days of one every 13 s."""


def products(connection: Connection) -> list[Product]:
    """Every product with its metric registry."""
    return _with_metrics(connection.execute(queries.products), connection.execute(queries.registry))


def products_at(connection: Connection, revision: int) -> list[Product]:
    """Every product with its metric registry as they were at a revision of the catalog."""
    at = {"revision": revision}
    return _with_metrics(connection.execute(queries.products_at, at), connection.execute(queries.registry_at, at))


def _with_metrics(products: Iterable[Row], registry: Iterable[Row]) -> list[Product]:
    metrics: dict[int, list[Metric]] = {}
    for row in registry:
        metrics.setdefault(row.pop("product_id"), []).append(Metric(**row))
    return [Product(**row, metrics=tuple(metrics.get(row["id"], ()))) for row in products]


def units_by_key(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Unit]:
    """The units that exist among these (product code, canonical serial)."""
    codes, serials = zip(*keys, strict=True) if (keys := list(keys)) else ((), ())
    rows = connection.execute(queries.units_by_key, {"codes": list(codes), "serials": list(serials)})
    return {(row["product_code"], row["serial"]): Unit(**row) for row in rows}


def owner_at(connection: Connection, unit_id: int, at: datetime) -> Owner | None:
    """Who owned the unit at this moment."""
    row = connection.execute(queries.owner_at, {"unit_id": unit_id, "at": at}).fetchone()
    return Owner(**row) if row else None


def units_page(connection: Connection, after: int, limit: int) -> list[Row]:
    """Units behind row `after`, as the pages show them."""
    return connection.execute(queries.units_page, {"after": after, "limit": limit}).fetchall()


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of a unit, by the numbers under which its readings are stored."""

    unit_id: int
    metric_id: int
    measure: str
    """What it is measured in, as in the product file."""


def series(connection: Connection, unit: str, metric: str) -> Series | None:
    """The series of this metric, if the unit with this public id has it."""
    row = connection.execute(queries.unit_metric, {"unit": unit, "metric": metric}).fetchone()
    return Series(**row) if row else None


def readings(
    connection: Connection, series: Series, since: datetime, until: datetime, limit: int
) -> list[tuple[datetime, float]]:
    """The readings of a series between two moments, oldest first.

    Of more than `limit` the lowest and the highest of each part of the time, and the newest; of more than
    `CHART_READS_MAX` the older ones are not looked at.
    """
    arguments = chart_arguments(series.unit_id, series.metric_id, since, until, limit)
    return chart_points(connection, queries.readings, arguments)


def chart_arguments(unit_id: int, metric_id: int, since: datetime, until: datetime, limit: int) -> dict[str, Any]:
    """What the queries of readings ask for."""
    return {
        "unit_id": unit_id,
        "metric_id": metric_id,
        "since": since,
        "until": until,
        "limit": limit,
        "most": CHART_READS_MAX,
    }


def chart_points(connection: Connection, query: SQL, arguments: dict[str, Any]) -> list[tuple[datetime, float]]:
    """The readings that a query returns newest first, oldest first."""
    # Not prepared: only a plan made for these moments leaves out the days beyond them.
    rows = connection.execute(query, arguments, prepare=False).fetchall()
    return [(row["time"], row["value"]) for row in reversed(rows)]


def unit_number(connection: Connection, unit: str) -> int | None:
    """The number of the unit with this public id."""
    row = connection.execute(queries.unit_number, {"unit": unit}).fetchone()
    return int(row["id"]) if row else None


def stored_readings(
    connection: Connection, unit_id: int, since: datetime, until: datetime, after: tuple[datetime, int], limit: int
) -> list[Row]:
    """A unit's readings as they are stored, behind a time and a metric's number, oldest first."""
    place = {"after_time": after[0], "after_metric": after[1]}
    arguments = {"unit_id": unit_id, "since": since, "until": until, "limit": limit} | place
    return connection.execute(queries.stored_readings, arguments, prepare=False).fetchall()


def conflicting_readings(
    connection: Connection, unit_id: int, since: datetime, until: datetime, limit: int
) -> list[Row]:
    """A unit's readings that said otherwise than what stands for their time, oldest first."""
    arguments = {"unit_id": unit_id, "since": since, "until": until, "limit": limit}
    return connection.execute(queries.conflicting_readings, arguments).fetchall()


def conflicts_ever(connection: Connection, unit_id: int) -> int:
    """The number of readings of a unit that ever said otherwise than what stood, kept or not."""
    row = connection.execute(queries.conflicts_ever, {"unit_id": unit_id}).fetchone()
    return row["readings"] if row else 0


def messages(connection: Connection, unit_id: int) -> list[Row]:
    """The last messages of a unit, the newest first."""
    return connection.execute(queries.unit_messages, {"unit_id": unit_id}).fetchall()


def owners_when(connection: Connection, places: Sequence[tuple[int, datetime, datetime]]) -> list[int | None]:
    """Who owned each unit at both of its moments; None where nobody did, or not the same person."""
    units, ats, moments = (list(column) for column in zip(*places, strict=True)) if places else ([], [], [])
    owners: list[int | None] = [None] * len(places)
    for row in connection.execute(queries.owners_when, {"units": units, "ats": ats, "moments": moments}):
        owners[row["place"] - 1] = row["person_id"]
    return owners
