"""Rule versions, alarms and the saved evaluator state in the database; everything runs in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway import catalog
from gateway.core.documents import DocumentKind
from gateway.events import append
from gateway.rules.document import RULE, RuleDocument, stored_rule
from gateway.rules.state import SNAPSHOT
from gateway.store import Connection, Jsonb, Row, load_queries

queries = load_queries("gateway.rules")

EVIDENCE = DocumentKind("alarm's evidence", sql_paths=("metric",))
CLEARING = DocumentKind("alarm's clearing")
"""The clearing reading, or why else an alarm was cleared; it may be of another schema than the alarm's evidence."""


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it was at one time; never edited."""

    id: int
    rule_id: str
    version: int
    product_id: int
    document: RuleDocument


@dataclass(frozen=True, slots=True)
class InForce:
    """The rule versions in force, and the newest revision of the catalog."""

    versions: tuple[int, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A partition of all products is saved as it was after batch `seq`, under this revision of the catalog."""

    seq: int
    revision: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What a product's rules knew of one partition after batch `seq`.

    `seq` is None where a version before saved it, in 16 partitions by the units' numbers.
    """

    partition: int
    seq: int | None
    state: bytes


def activate(tx: Connection, rule: RuleDocument, *, actor: str) -> int | None:
    """Bring a checked rule into force, as a new version if it says something new; None if it was in force."""
    catalog.lock(tx)
    newest = tx.execute(queries.newest_version, {"rule_id": rule.id}).fetchone()
    retired = None
    if newest and newest["digest"] == rule.digest():
        if newest["active"]:
            return None
        tx.execute(queries.reactivate, {"id": newest["id"]})
        version = newest["version"]
    else:
        version = newest["version"] + 1 if newest else 1
        retired = tx.execute(queries.retire, {"rule_id": rule.id}).fetchone()
        tx.execute(
            queries.insert_version,
            {
                "rule_id": rule.id,
                "version": version,
                "product": rule.product,
                "digest": rule.digest(),
                "document": Jsonb(rule.model_dump(mode="json", by_alias=True)),
                "schema": RULE.schema,
            },
        )
    append(tx, "rule.activated", {"rule": rule.id, "version": version, "product": rule.product}, actor=actor)
    if retired and retired["product"] != rule.product:
        catalog.revise(tx, retired["product"], actor=actor, what=f"rule {rule.id} left the product")
    catalog.revise(tx, rule.product, actor=actor, what=f"rule {rule.id} version {version}")
    return int(version)


def deactivate(tx: Connection, rule_id: str, *, actor: str) -> bool:
    """Take a rule out of force; false if it was not."""
    catalog.lock(tx)
    row = tx.execute(queries.retire, {"rule_id": rule_id}).fetchone()
    if row:
        append(tx, "rule.deactivated", {"rule": rule_id, "version": row["version"]}, actor=actor)
        catalog.revise(tx, row["product"], actor=actor, what=f"rule {rule_id} out of force")
    return row is not None


def in_force(connection: Connection) -> InForce:
    """The rule versions in force now, and the newest revision of the catalog."""
    row = connection.execute(queries.active_ids).fetchone()
    return InForce(tuple(row["ids"]), row["revision"]) if row else InForce()


def in_force_at(connection: Connection, revision: int) -> dict[int, list[Row]]:
    """The rule versions in force at a revision of the catalog, by product, as stored: `read_version` reads each."""
    ids = {row["product_id"]: row["rules"] for row in connection.execute(queries.in_force_at, {"revision": revision})}
    rows = connection.execute(queries.versions, {"ids": [number for rules in ids.values() for number in rules]})
    by_product: dict[int, list[Row]] = {product_id: [] for product_id in ids}
    for row in rows:
        by_product[row["product_id"]].append(row)
    return by_product


def in_force_of(connection: Connection, products: Iterable[str]) -> list[Row]:
    """The rules in force for these products, by their codes, as stored, each with its product's code."""
    return connection.execute(queries.in_force_of, {"products": list(products)}).fetchall()


def versions(connection: Connection, ids: Iterable[int]) -> list[RuleVersion]:
    """Rule versions by number."""
    rows = connection.execute(queries.versions, {"ids": list(ids)})
    return [read_version(row) for row in rows.fetchall()]


def read_version(row: Row) -> RuleVersion:
    """A rule version as stored; raises ValueError or Unavailable where this code cannot read its document."""
    fields = {name: value for name, value in row.items() if name != "schema"}
    return RuleVersion(**fields | {"document": stored_rule(row["document"], row["schema"])})


def clear_retired(tx: Connection, kept: Iterable[int], now: datetime) -> None:
    """Clear the active alarms of versions that are out of force: nobody judges them any more."""
    reason = "the rule was changed or taken out of force"
    given = {
        "in_force": list(kept),
        "cleared_at": now,
        "clearing": Jsonb({"reason": reason}),
        "schema": CLEARING.schema,
    }
    _tell_cleared(tx, tx.execute(queries.clear_retired, given).fetchall(), now, reason)


def clear_product(tx: Connection, product_id: int, now: datetime) -> None:
    """Clear the active alarms of a product whose rule state is dropped: nobody could clear them otherwise."""
    reason = "the state of the product's rules was dropped"
    given = {
        "product_id": product_id,
        "cleared_at": now,
        "clearing": Jsonb({"reason": reason}),
        "schema": CLEARING.schema,
    }
    _tell_cleared(tx, tx.execute(queries.clear_product, given).fetchall(), now, reason)


def _tell_cleared(tx: Connection, rows: Iterable[Row], now: datetime, reason: str) -> None:
    for row in rows:
        told = {
            "alarm": row["public_id"],
            "alarm_id": row["id"],
            "rule": row["rule_id"],
            "version": row["version"],
            "cleared_at": now.isoformat(),
            "reason": reason,
            "historic": row["historic"],
        }
        append(tx, "alarm.cleared", told, unit_id=row["unit_id"])


def alarm(connection: Connection, alarm_id: int) -> Row:
    """One alarm with its rule's document, its unit and product."""
    row = connection.execute(queries.alarm, {"id": alarm_id}).fetchone()
    if row is None:
        raise LookupError(f"no alarm has the number {alarm_id}")
    return _as_written(row) | {"document": RULE.read(row["document"], row["rule_schema"])}


def _as_written(row: Row) -> Row:
    """An alarm's row with its evidence and clearing in the present schemas."""
    clearing = None if row["clearing"] is None else CLEARING.read(row["clearing"], row["clearing_schema"])
    return row | {"evidence": EVIDENCE.read(row["evidence"], row["schema"]), "clearing": clearing}


def alarms_page(connection: Connection, before: int, limit: int, unit: str | None = None) -> list[Row]:
    """Alarms below a number, the newest first; of one unit, if its public id is given."""
    # Not prepared: with and without a unit it takes different plans.
    arguments = {"before": before, "limit": limit, "unit": unit}
    return [_as_written(row) for row in connection.execute(queries.alarms_page, arguments, prepare=False)]


def forget_alarms(connection: Connection, before: datetime, limit: int) -> int:
    """Forget some alarms that were cleared before a moment and are named nowhere any more; returns how many."""
    return connection.execute(queries.forget_alarms, {"before": before, "limit": limit}).rowcount


def marks(connection: Connection) -> dict[int, Mark]:
    """Up to where each partition is saved."""
    return {row["partition"]: Mark(row["seq"], row["revision"]) for row in connection.execute(queries.marks)}


def set_mark(tx: Connection, partition: int, mark: Mark) -> None:
    """Note up to where a partition of all products is saved."""
    tx.execute(queries.set_mark, {"partition": partition, "seq": mark.seq, "revision": mark.revision})


def snapshots(connection: Connection) -> dict[int, list[Saved]]:
    """The saved state, by product."""
    saved: dict[int, list[Saved]] = {}
    for row in connection.execute(queries.snapshots):
        saved.setdefault(row["product_id"], []).append(_saved(row))
    return saved


def snapshot(connection: Connection, product_id: int) -> list[Saved]:
    """The saved state of one product."""
    return [_saved(row) for row in connection.execute(queries.snapshot_of, {"product_id": product_id})]


def _saved(row: Row) -> Saved:
    return Saved(row["partition"], row["seq"], SNAPSHOT.read(row["state"], row["schema"]))


def save(tx: Connection, seq: int, dumps: Iterable[tuple[int, int, bytes]]) -> None:
    """Save (product, partition, state) as it is after batch `seq`."""
    with tx.cursor() as cursor:
        cursor.executemany(
            queries.save_snapshot,
            [
                {"product_id": product, "partition": partition, "seq": seq, "state": state, "schema": SNAPSHOT.schema}
                for product, partition, state in dumps
            ],
        )


def drop_snapshots(tx: Connection, product_id: int) -> None:
    """Drop a product's saved state."""
    tx.execute(queries.drop_snapshots, {"product_id": product_id})
