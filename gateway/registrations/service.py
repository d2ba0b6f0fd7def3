"""Imports of makers' files: repeatable, all or nothing, and every change told in the event log."""

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import BadInput
from gateway.core.ids import IdMaker, random_id
from gateway.core.serial import canonical_serial
from gateway.events import append, append_all
from gateway.registrations import repository
from gateway.registrations.claims import keep_codes
from gateway.registrations.model import MetricEntry, OwnerRow, ProductFile, UnitRow
from gateway.registrations.repository import queries
from gateway.store import Connection, Jsonb, UniqueViolation


def import_product(tx: Connection, product: ProductFile, *, actor: str) -> bool:
    """Create a product or bring it to what its file says; true if that changed anything."""
    wanted = {
        "code": product.code,
        "model": product.model,
        "brand": product.brand,
        "gtin": product.gtin,
        "name": product.name,
        "receipts": product.receipts,
        "metrics": [_registry_line(metric) for metric in product.metrics],
    }
    known = tx.execute(queries.product_with_metrics, {"code": product.code}).fetchone()
    if known and {name: known[name] for name in wanted} == wanted:
        return False
    try:
        row = tx.execute(queries.upsert_product, wanted | {"name": Jsonb(product.name)}).fetchone()
    except UniqueViolation as error:
        raise BadInput(
            f"The GTIN {product.gtin} of {product.code} is another product's; correct one of them."
        ) from error
    assert row is not None  # noqa: S101 - an upsert with RETURNING answers a row
    metric_ids = [_upsert_metric(tx, row["id"], position, metric) for position, metric in enumerate(product.metrics)]
    tx.execute(queries.drop_other_metrics, {"product_id": row["id"], "metric_ids": metric_ids})
    kind = "product.changed" if known else "product.imported"
    append(tx, kind, {"product": product.code, "metrics": [metric.name for metric in product.metrics]}, actor=actor)
    return True


def _registry_line(metric: MetricEntry) -> dict[str, Any]:
    low, high = metric.normal or (None, None)
    return {
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "low": metric.range[0],
        "high": metric.range[1],
        "normal_low": low,
        "normal_high": high,
        "cadence": metric.cadence.total_seconds(),
    }


def _upsert_metric(tx: Connection, product_id: int, position: int, metric: MetricEntry) -> int:
    row = tx.execute(queries.metric_id, {"name": metric.name}).fetchone()
    if row is None:
        raise BadInput(f"The metric {metric.name} is being made by another import; try again.")
    line = _registry_line(metric) | {"title": Jsonb(metric.title), "cadence": metric.cadence}
    tx.execute(queries.upsert_metric, line | {"product_id": product_id, "metric_id": row["id"], "position": position})
    return int(row["id"])


def import_units(tx: Connection, lines: Mapping[int, UnitRow], *, actor: str, new_id: IdMaker = random_id) -> int:
    """Create units and bring known ones to what the file says; answers how many were created or changed.

    Raises BadInput, with line numbers, for products that are not there and for serials that stand twice.
    """
    products = {product.code: product.id for product in repository.products(tx)}
    problems: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for line, row in lines.items():
        key = (row.product, canonical_serial(row.serial))
        if row.product not in products:
            problems.append(f"line {line}: product: {row.product!r} is not here; import its product file first")
        if key in seen:
            problems.append(f"line {line}: serial: {row.serial} stands in line {seen[key]} already")
        seen.setdefault(key, line)
    if problems:
        raise BadInput("The units were not imported, none of them:", problems)
    changed = tx.execute(
        queries.upsert_units,
        {
            "public_ids": [new_id() for _ in lines],
            "product_ids": [products[row.product] for row in lines.values()],
            "serials": [serial for _, serial in seen],
            "printed": [row.serial for row in lines.values()],
            "lots": [row.lot for row in lines.values()],
            "firmwares": [row.firmware for row in lines.values()],
            "made_on": [row.made_on for row in lines.values()],
        },
    ).fetchall()
    _keep_claim_codes(tx, dict(zip(seen, lines.values(), strict=True)))
    codes = {product_id: code for code, product_id in products.items()}
    for kind, created in (("unit.imported", True), ("unit.changed", False)):
        append_all(
            tx,
            kind,
            (
                (
                    row["id"],
                    {
                        "product": codes[row["product_id"]],
                        "serial": row["serial"],
                        "lot": row["lot"],
                        "firmware": row["firmware"],
                    },
                )
                for row in changed
                if row["created"] is created
            ),
            actor=actor,
        )
    return len(changed)


def _keep_claim_codes(tx: Connection, rows: Mapping[tuple[str, str], UnitRow]) -> None:
    codes = {key: row.claim_code.get_secret_value() for key, row in rows.items() if row.claim_code}
    units = repository.units_by_key(tx, codes)
    keep_codes(tx, {unit.id: codes[key] for key, unit in units.items()})


def import_owners(tx: Connection, lines: Mapping[int, OwnerRow], *, actor: str, new_id: IdMaker = random_id) -> int:
    """Let ownerships begin, ending the one that ran; answers how many began. Known ones are left as they are.

    Raises BadInput, with line numbers, for units that are not there and for dates before a later owner's.
    """
    units = repository.units_by_key(tx, {row.unit_key for row in lines.values()})
    problems: list[str] = []
    began = 0
    for line, row in lines.items():
        unit = units.get(row.unit_key)
        if unit is None:
            problems.append(f"line {line}: unit: {row.unit} is not here; import its units file first")
            continue
        person = tx.execute(
            queries.upsert_person, {"public_id": new_id(), "name": row.person, "email": row.email}
        ).fetchone()
        assert person is not None  # noqa: S101 - an upsert with RETURNING answers a row
        tx.execute(queries.lock_unit, {"unit_id": unit.id})
        place = {"unit_id": unit.id, "since": row.since}
        known = tx.execute(queries.ownership_from, place).fetchone()
        if known and known["person_id"] == person["id"] and known["since"] <= row.since:
            continue
        if known and (known["since"] >= row.since or known["until"] is not None):
            problems.append(f"line {line}: since: {row.unit} has an owner from {known['since']:%Y-%m-%d} on already")
            continue
        tx.execute(queries.end_ownership, {"unit_id": unit.id, "until": row.since})
        tx.execute(queries.begin_ownership, place | {"person_id": person["id"]})
        append(
            tx,
            "ownership.began",
            {"since": row.since.isoformat(), "replaces": known is not None},
            actor=actor,
            unit_id=unit.id,
            person_id=person["id"],
        )
        began += 1
    if problems:
        raise BadInput("The owners were not imported, none of them:", problems)
    return began
