"""Products, units and owners in the database."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.core.pictures import Picture
from gateway.registrations.model import Metric, Owner, Product, Unit
from gateway.store import Connection, Row, load_queries

queries = load_queries("gateway.registrations")


def products(connection: Connection) -> list[Product]:
    """Every product with its metric registry."""
    return _with_metrics(connection.execute(queries.products), connection.execute(queries.registry))


def product_names(connection: Connection) -> list[Row]:
    """Every product with its names."""
    return connection.execute(queries.products).fetchall()


def products_at(connection: Connection, revision: int) -> list[Product]:
    """Every product with its metric registry as they were at a revision of the catalog."""
    at = {"revision": revision}
    return _with_metrics(connection.execute(queries.products_at, at), connection.execute(queries.registry_at, at))


def _with_metrics(products: Iterable[Row], registry: Iterable[Row]) -> list[Product]:
    metrics: dict[int, list[Metric]] = {}
    for row in registry:
        metrics.setdefault(row.pop("product_id"), []).append(Metric(**row))
    return [Product(**row, metrics=tuple(metrics.get(row["id"], ()))) for row in products]


def picture(connection: Connection, code: str) -> Picture | None:
    """What a product looks like; None where its file has no picture, or there is no such product."""
    row = connection.execute(queries.picture, {"code": code}).fetchone()
    return Picture(bytes(row["content"]), row["media_type"]) if row else None


def set_picture(tx: Connection, product_id: int, picture: Picture | None) -> None:
    """Give a product this picture, or none."""
    if picture is None:
        tx.execute(queries.drop_picture, {"product_id": product_id})
        return
    values = {"product_id": product_id, "media_type": picture.media_type, "content": picture.content}
    tx.execute(queries.set_picture, values)


def claim_hints(connection: Connection, words: str, limit: int) -> list[Row]:
    """Products with these words in name, model or code, by code, and where serial and claim code stand."""
    return connection.execute(queries.claim_hints, {"words": words.strip(), "limit": limit}).fetchall()


def units_by_key(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Unit]:
    """Returns those of these units, by (product code, canonical serial), that exist."""
    codes, serials = zip(*keys, strict=True) if (keys := list(keys)) else ((), ())
    rows = connection.execute(queries.units_by_key, {"codes": list(codes), "serials": list(serials)})
    return {(row["product_code"], row["serial"]): Unit(**row) for row in rows}


def unit_keys(connection: Connection, units: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Product code and canonical serial of units, by their numbers."""
    rows = connection.execute(queries.unit_keys, {"units": list(units)})
    return {row["id"]: (row["product_code"], row["serial"]) for row in rows}


def owners_at(connection: Connection, unit_ids: Sequence[int], at: datetime) -> dict[int, Owner]:
    """Returns the owners of the units at this moment, by unit; none for a unit without one."""
    rows = connection.execute(queries.owners_at, {"unit_ids": list(unit_ids), "at": at})
    return {row.pop("unit_id"): Owner(**row) for row in rows}


def unit_number(connection: Connection, unit: str) -> int | None:
    """Returns the row number of the unit with this public id; None without one."""
    row = connection.execute(queries.unit_number, {"unit": unit}).fetchone()
    return int(row["id"]) if row else None


def owners_when(connection: Connection, places: Sequence[tuple[int, datetime, datetime]]) -> list[int | None]:
    """Returns the person who owned each unit at both of its times; None when no single person did."""
    units, ats, moments = (list(column) for column in zip(*places, strict=True)) if places else ([], [], [])
    owners: list[int | None] = [None] * len(places)
    for row in connection.execute(queries.owners_when, {"units": units, "ats": ats, "moments": moments}):
        owners[row["place"] - 1] = row["person_id"]
    return owners
