"""Revisions of the catalog, suspended products and their unjudged readings; in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.catalog.model import Suspension
from gateway.events import append
from gateway.store import Connection, load_queries
from gateway.store.locks import Lock, hold

queries = load_queries("gateway.catalog")

NUMBERS_KEPT = 1_000
"""Revisions whose actor is kept here; the event log has it of all."""

_REASON_MAX = 500


def lock(tx: Connection) -> None:
    """Become the catalog's only writer until the transaction ends. Call it before reading what is to be changed."""
    hold(tx, Lock.CATALOG)


def revise(tx: Connection, product: str, *, actor: str, what: str) -> int:
    """Write the present product as a new revision. Returns the revision's number. The caller holds the lock."""
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
    """The suspended products, by id, each with the batch after which its readings wait."""
    return {row["product_id"]: row["seq"] for row in connection.execute(queries.suspended_at)}


def suspend(
    tx: Connection, reasons: Mapping[int, str], rules: Mapping[int, Sequence[int]], seq: int, now: datetime
) -> None:
    """Suspend products after a batch, by id, each for a reason; one that is suspended already takes the new reason.

    `rules` are, by product, the rule versions under which the state was saved.
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
    """Drop a suspended product's saved state: no rule version of it counts any more."""
    tx.execute(queries.forget_state, {"product_id": product_id})


def narrow(tx: Connection, in_force: Sequence[int], seq: int) -> None:
    """Note the rule versions in force from batch `seq` on: state of suspended products under others is void."""
    tx.execute(queries.narrow, {"in_force": list(in_force), "seq": seq})


def saved_under(tx: Connection, product_id: int, rules: Sequence[int], seq: int) -> None:
    """Note under which rule versions, and after which batch, a suspended product's state was saved."""
    tx.execute(queries.saved_under, {"product_id": product_id, "rules": list(rules), "seq": seq})


def kept_rules(connection: Connection, product_id: int) -> list[int] | None:
    """Returns the rule versions under which saved state still counts; None for a product that is not suspended."""
    row = connection.execute(queries.kept_rules, {"product_id": product_id}).fetchone()
    return list(row["rules"]) if row else None


def _code(tx: Connection, product_id: int) -> str:
    row = tx.execute(queries.product_code, {"product_id": product_id}).fetchone()
    return str(row["code"]) if row else ""


def keep_unjudged(tx: Connection, seq: int, readings: Mapping[int, bytes]) -> None:
    """Keep the readings of batch `seq`, by product id, that are not judged now."""
    if readings:
        parameters = {"seq": seq, "products": list(readings), "readings": list(readings.values())}
        tx.execute(queries.keep_unjudged, parameters)


def unjudged(connection: Connection, product_id: int, batches: int, max_bytes: int) -> list[tuple[int, bytes]]:
    """Returns number and readings of a product's next unjudged batches: up to `batches`, or just over `max_bytes`."""
    limits = {"product_id": product_id, "batches": batches, "bytes": max_bytes}
    return [(row["seq"], row["readings"]) for row in connection.execute(queries.unjudged, limits)]


def drop_judged(tx: Connection, product_id: int, seq: int) -> bool:
    """Drop a product's batches up to `seq`. Returns whether more of them wait."""
    row = tx.execute(queries.drop_judged, {"product_id": product_id, "seq": seq}).fetchone()
    return bool(row and row["more"])


def drop_unjudged(connection: Connection, before: datetime) -> None:
    """Forget unjudged batches that came before a moment; their readings are forgotten at the same time."""
    connection.execute(queries.drop_unjudged, {"before": before})
