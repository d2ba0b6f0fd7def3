"""Revisions of the catalog, suspended products and their unjudged readings; in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.catalog.model import Suspension
from gateway.events import append
from gateway.store import Connection, load_queries
from gateway.store.locks import Lock, hold

queries = load_queries("gateway.catalog")

NUMBERS_KEPT = 1_000
"""The number of newest revisions whose actor is stored here; the event log has all of them."""

_REASON_MAX = 500


def lock(tx: Connection) -> None:
    """Become the only writer of the catalog until the transaction ends. Call it before reading what will change."""
    hold(tx, Lock.CATALOG)


def revise(tx: Connection, product: str, *, actor: str, what: str) -> int:
    """Write the present state of a product as a new revision. Returns its number. The caller holds the lock."""
    row = tx.execute(queries.begin_revision, {"actor": actor, "what": what}).fetchone()
    assert row is not None  # noqa: S101 - an INSERT with RETURNING returns a row
    number = int(row["number"])
    row = tx.execute(queries.revise_product, {"revision": number, "product": product}).fetchone()
    if row is None:
        raise LookupError(f"no product has the code {product}")
    parameters = {"revision": number, "product_id": row["product_id"]}
    tx.execute(queries.revise_metrics, parameters)
    tx.execute(queries.forget_revisions, parameters)
    tx.execute(queries.forget_numbers, {"revision": number, "keep": NUMBERS_KEPT})
    return number


def newest(connection: Connection) -> int:
    """The number of the newest revision; 0 before the first."""
    row = connection.execute(queries.newest).fetchone()
    return int(row["number"]) if row else 0


def suspensions(connection: Connection) -> list[Suspension]:
    """The suspended products, by code."""
    return [Suspension(**row) for row in connection.execute(queries.suspensions)]


def suspended_at(connection: Connection) -> dict[int, int]:
    """For each suspended product, by id, the batch after which its readings wait."""
    return {row["product_id"]: row["seq"] for row in connection.execute(queries.suspended_at)}


def suspend(
    tx: Connection, reasons: Mapping[int, str], rules: Mapping[int, Sequence[int]], seq: int, now: datetime
) -> None:
    """Suspend products after batch `seq`. `reasons` are by product id; a suspended product gets the new reason.

    `rules` has, by product id, the rule versions of the saved state.
    """
    for product_id, reason in reasons.items():
        parameters = {
            "product_id": product_id,
            "reason": reason[:_REASON_MAX].replace("\0", ""),
            "rules": list(rules.get(product_id, ())),
            "seq": seq,
            "now": now,
        }
        if tx.execute(queries.suspend, parameters).fetchone():
            append(tx, "product.suspended", {"product": _code(tx, product_id), "reason": parameters["reason"]})


def resume(tx: Connection, product_id: int) -> None:
    """End a product's suspension."""
    row = tx.execute(queries.resume, {"product_id": product_id}).fetchone()
    if row:
        append(tx, "product.resumed", {"product": _code(tx, product_id), "since": row["since"].isoformat()})


def forget_state(tx: Connection, product_id: int) -> None:
    """Delete a suspended product's saved state, so that none of its rule versions keeps a state."""
    tx.execute(queries.forget_state, {"product_id": product_id})


def narrow(tx: Connection, in_force: Sequence[int], seq: int) -> None:
    """Void suspended products' state of rule versions that are not in force from batch `seq` on."""
    tx.execute(queries.narrow, {"in_force": list(in_force), "seq": seq})


def saved_under(tx: Connection, product_id: int, rules: Sequence[int], seq: int) -> None:
    """Store the rule versions and the batch of a suspended product's saved state."""
    tx.execute(queries.saved_under, {"product_id": product_id, "rules": list(rules), "seq": seq})


def kept_rules(connection: Connection, product_id: int) -> list[int] | None:
    """Returns the rule versions whose saved state is valid; None for a product that is not suspended."""
    row = connection.execute(queries.kept_rules, {"product_id": product_id}).fetchone()
    return list(row["rules"]) if row else None


def _code(tx: Connection, product_id: int) -> str:
    row = tx.execute(queries.product_code, {"product_id": product_id}).fetchone()
    return str(row["code"]) if row else ""


def keep_unjudged(tx: Connection, seq: int, readings: Mapping[int, bytes]) -> None:
    """Store the readings of batch `seq`, by product id, that are not judged now."""
    if readings:
        parameters = {"seq": seq, "products": list(readings), "readings": list(readings.values())}
        tx.execute(queries.keep_unjudged, parameters)


def unjudged(connection: Connection, product_id: int, batches: int, max_bytes: int) -> list[tuple[int, bytes]]:
    """Returns number and readings of a product's next unjudged batches, up to `batches` or about `max_bytes`."""
    parameters = {"product_id": product_id, "batches": batches, "bytes": max_bytes}
    return [(row["seq"], row["readings"]) for row in connection.execute(queries.unjudged, parameters)]


def drop_judged(tx: Connection, product_id: int, seq: int) -> bool:
    """Delete a product's unjudged batches up to `seq`. Returns whether it has more."""
    row = tx.execute(queries.drop_judged, {"product_id": product_id, "seq": seq}).fetchone()
    return bool(row and row["more"])


def drop_unjudged(connection: Connection, before: datetime) -> None:
    """Delete unjudged batches from before a time, when their readings are deleted too."""
    connection.execute(queries.drop_unjudged, {"before": before})
