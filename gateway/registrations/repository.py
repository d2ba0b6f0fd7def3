"""Products, units and owners in the database."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from gateway.registrations.model import Metric, Owner, Product, Unit
from gateway.store import Connection, Row, load_queries

queries = load_queries("gateway.registrations")


def products(connection: Connection) -> list[Product]:
    """Every product with its metric registry."""
    metrics: dict[int, list[Metric]] = {}
    for row in connection.execute(queries.registry):
        metrics.setdefault(row.pop("product_id"), []).append(Metric(**row))
    return [Product(**row, metrics=tuple(metrics.get(row["id"], ()))) for row in connection.execute(queries.products)]


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


def unit_metric(connection: Connection, unit: str, metric: str) -> Row | None:
    """The measuring unit of a metric that the unit with this public id has."""
    return connection.execute(queries.unit_metric, {"unit": unit, "metric": metric}).fetchone()


def readings(
    connection: Connection, unit: str, metric: str, since: datetime, until: datetime, limit: int
) -> list[tuple[datetime, float]]:
    """One metric of one unit, oldest first; of more than `limit` the newest."""
    arguments: dict[str, Any] = {
        "unit": unit,
        "metric": metric,
        "since": since,
        "until": until,
        "limit": limit,
    }
    rows = connection.execute(queries.readings, arguments).fetchall()
    return [(row["time"], row["value"]) for row in reversed(rows)]


def has_unit(connection: Connection, unit: str) -> bool:
    """Whether there is a unit with this public id."""
    row = connection.execute(queries.unit_exists, {"unit": unit}).fetchone()
    return row is not None and bool(row["found"])


def stored_readings(
    connection: Connection, unit: str, since: datetime, until: datetime, after: tuple[datetime, int], limit: int
) -> list[Row]:
    """A unit's readings as they are stored, behind a time and a metric's number, oldest first."""
    place = {"after_time": after[0], "after_metric": after[1]}
    arguments = {"unit": unit, "since": since, "until": until, "limit": limit} | place
    return connection.execute(queries.stored_readings, arguments).fetchall()


def conflicting_readings(connection: Connection, unit: str, since: datetime, until: datetime, limit: int) -> list[Row]:
    """A unit's readings that said otherwise than what stands for their time, oldest first."""
    arguments = {"unit": unit, "since": since, "until": until, "limit": limit}
    return connection.execute(queries.conflicting_readings, arguments).fetchall()


def conflicts_ever(connection: Connection, unit: str) -> int:
    """The number of readings of a unit that ever said otherwise than what stood, kept or not."""
    row = connection.execute(queries.conflicts_ever, {"unit": unit}).fetchone()
    return row["readings"] if row else 0


def messages(connection: Connection, unit: str) -> list[Row]:
    """The last messages of a unit, the newest first."""
    return connection.execute(queries.unit_messages, {"unit": unit}).fetchall()


def owners_when(connection: Connection, places: Sequence[tuple[int, datetime, datetime]]) -> list[int | None]:
    """Who owned each unit at both of its moments; None where nobody did, or not the same person."""
    units, ats, moments = (list(column) for column in zip(*places, strict=True)) if places else ([], [], [])
    owners: list[int | None] = [None] * len(places)
    for row in connection.execute(queries.owners_when, {"units": units, "ats": ats, "moments": moments}):
        owners[row["place"] - 1] = row["person_id"]
    return owners
