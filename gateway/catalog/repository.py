"""Revisions of the catalog, suspended products and their unjudged readings; in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.catalog.model import Suspension
from gateway.events import append
from gateway.store import Connection, load_queries
from gateway.store.locks import Lock, hold

queries = load_queries("gateway.catalog")

NUMBERS_KEPT = 1_000
"""Revisions of which it is kept who made them; the event log says so of all."""

_REASON_MAX = 500


def lock(tx: Connection) -> None:
    """Become the catalog's only writer until the transaction ends; do it before reading what is to be changed."""
    hold(tx, Lock.CATALOG)


def revise(tx: Connection, product: str, *, actor: str, what: str) -> int:
    """Write what a product is now as a new revision; returns its number. The caller holds the lock."""
    row = tx.execute(queries.begin_revision, {"actor": actor, "what": what}).fetchone()
    assert row is not None  # noqa: S101 - an INSERT with RETURNING returns a row
    number = int(row["number"])
    changed = tx.execute(queries.revise_product, {"revision": number, "product": product}).fetchone()
    if changed is None:
        raise LookupError(f"no product has the code {product}")
    place = {"revision": number, "product_id": changed["product_id"]}
    tx.execute(queries.revise_metrics, place)
    tx.execute(queries.forget_revisions, place)
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

    `rules` are the rule versions that their saved state is of.
    """
    for product_id, reason in reasons.items():
        values = {
            "product_id": product_id,
            "reason": reason[:_REASON_MAX].replace("\0", ""),
            "rules": list(rules.get(product_id, ())),
            "seq": seq,
            "now": now,
        }
        if tx.execute(queries.suspend, values).fetchone():
            append(tx, "product.suspended", {"product": _code(tx, product_id), "reason": values["reason"]})


def resume(tx: Connection, product_id: int) -> None:
    """End a product's suspension."""
    row = tx.execute(queries.resume, {"product_id": product_id}).fetchone()
    if row:
        append(tx, "product.resumed", {"product": _code(tx, product_id), "since": row["since"].isoformat()})


def forget_state(tx: Connection, product_id: int) -> None:
    """Drop a suspended product's saved state: no rule version of it counts any more."""
    tx.execute(queries.forget_state, {"product_id": product_id})


def narrow(tx: Connection, in_force: Sequence[int], seq: int) -> None:
    """From batch `seq` on these rule versions are in force: what products suspended before knew of others is void."""
    tx.execute(queries.narrow, {"in_force": list(in_force), "seq": seq})


def saved_under(tx: Connection, product_id: int, rules: Sequence[int], seq: int) -> None:
    """A suspended product's state was saved under these rule versions, after batch `seq` was judged or waited."""
    tx.execute(queries.saved_under, {"product_id": product_id, "rules": list(rules), "seq": seq})


def kept_rules(connection: Connection, product_id: int) -> list[int] | None:
    """The rule versions of which a suspended product's saved state still counts; None where it is not suspended."""
    row = connection.execute(queries.kept_rules, {"product_id": product_id}).fetchone()
    return list(row["rules"]) if row else None


def _code(tx: Connection, product_id: int) -> str:
    row = tx.execute(queries.product_code, {"product_id": product_id}).fetchone()
    return str(row["code"]) if row else ""


def keep_unjudged(tx: Connection, seq: int, readings: Mapping[int, bytes]) -> None:
    """Keep the readings, by product id, that nobody judges in batch `seq`."""
    if readings:
        parameters = {"seq": seq, "products": list(readings), "readings": list(readings.values())}
        tx.execute(queries.keep_unjudged, parameters)


def unjudged(connection: Connection, product_id: int, batches: int, max_bytes: int) -> list[tuple[int, bytes]]:
    """Number and readings of a product's next unjudged batches: so many, or a little more than so many bytes."""
    limits = {"product_id": product_id, "batches": batches, "bytes": max_bytes}
    return [(row["seq"], row["readings"]) for row in connection.execute(queries.unjudged, limits)]


def drop_judged(tx: Connection, product_id: int, seq: int) -> bool:
    """Drop a product's batches up to `seq`; true if more wait."""
    row = tx.execute(queries.drop_judged, {"product_id": product_id, "seq": seq}).fetchone()
    return bool(row and row["more"])


def drop_unjudged(connection: Connection, before: datetime) -> None:
    """Forget unjudged batches that came before a moment, as their readings are forgotten."""
    connection.execute(queries.drop_unjudged, {"before": before})
