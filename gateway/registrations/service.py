"""Creates and changes products by their files, one at a time."""

from typing import Any

from gateway import catalog
from gateway.core.errors import BadInput
from gateway.core.pictures import Picture
from gateway.events import append
from gateway.registrations import repository
from gateway.registrations.model import MetricEntry, ProductFile
from gateway.registrations.repository import queries
from gateway.store import Connection, Jsonb, UniqueViolation


def import_product(tx: Connection, product: ProductFile, picture: Picture | None = None, *, actor: str) -> bool:
    """Create or change a product as its file says, as a new revision. Returns whether anything changed.

    The caller checks in the same transaction whether the rules in force still fit.
    """
    catalog.lock(tx)
    values = {
        "code": product.code,
        "model": product.model,
        "brand": product.brand,
        "gtin": product.gtin,
        "name": product.name,
        "receipts": product.receipts,
        "serial_hint": product.serial_hint,
        "code_hint": product.code_hint,
        "support_until": product.support_until,
        "keep_raw": product.retention.raw,
        "keep_hour": product.retention.hour,
        "keep_day": product.retention.day,
        "metrics": [_registry_line(metric) for metric in product.metrics],
    }
    stored = tx.execute(queries.product_with_metrics, {"code": product.code}).fetchone()
    is_same_picture = repository.picture(tx, product.code) == picture
    if stored and is_same_picture and {name: stored[name] for name in values} == values:
        return False
    try:
        texts = {name: Jsonb(values[name]) if values[name] else None for name in ("name", "serial_hint", "code_hint")}
        row = tx.execute(queries.upsert_product, values | texts).fetchone()
    except UniqueViolation as error:
        raise BadInput(
            f"The GTIN {product.gtin} of {product.code} is another product's; correct one of them."
        ) from error
    assert row is not None  # noqa: S101 - an upsert with RETURNING returns a row
    metric_ids = [_upsert_metric(tx, row["id"], position, metric) for position, metric in enumerate(product.metrics)]
    tx.execute(queries.drop_other_metrics, {"product_id": row["id"], "metric_ids": metric_ids})
    if not is_same_picture:
        repository.set_picture(tx, row["id"], picture)
    kind = "product.changed" if stored else "product.imported"
    append(tx, kind, {"product": product.code, "metrics": [metric.name for metric in product.metrics]}, actor=actor)
    catalog.revise(tx, product.code, actor=actor, what=f"{kind} {product.code}")
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
