"""Rule versions, alarms and the saved evaluator state in the database; everything runs in the caller's transaction."""

from collections.abc import Iterable, Sequence
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
"""The clearing reading, or another reason why an alarm was cleared; its schema may differ from the evidence's."""


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it was at one time; it never changes."""

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
    """A partition, with all its products, is saved as after batch `seq`, under this revision of the catalog."""

    seq: int
    revision: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The state of a product's rules for one partition after batch `seq`.

    `seq` is None when an earlier version of the gateway saved it, in 16 partitions by unit id.
    """

    partition: int
    seq: int | None
    state: bytes


def activate(tx: Connection, rule: RuleDocument, *, actor: str) -> int | None:
    """Activate a checked rule, as a new version if its content is new. Returns None if it was in force already."""
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
    """Take a rule out of force. Returns False if it was not in force."""
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
    """The rule versions in force at a revision of the catalog, by product, as stored rows for `read_version`."""
    ids = {row["product_id"]: row["rules"] for row in connection.execute(queries.in_force_at, {"revision": revision})}
    rows = connection.execute(queries.versions, {"ids": [number for rules in ids.values() for number in rules]})
    by_product: dict[int, list[Row]] = {product_id: [] for product_id in ids}
    for row in rows:
        by_product[row["product_id"]].append(row)
    return by_product


def in_force_of(connection: Connection, products: Iterable[str]) -> list[Row]:
    """The rules in force for products, by product code, as stored rows with the product's code."""
    return connection.execute(queries.in_force_of, {"products": list(products)}).fetchall()


def versions(connection: Connection, ids: Iterable[int]) -> list[RuleVersion]:
    """Rule versions by number."""
    rows = connection.execute(queries.versions, {"ids": list(ids)})
    return [read_version(row) for row in rows.fetchall()]


def read_version(row: Row) -> RuleVersion:
    """A rule version from a row. Raises ValueError or Unavailable when this code cannot read its document."""
    fields = {name: value for name, value in row.items() if name != "schema"}
    return RuleVersion(**fields | {"document": stored_rule(row["document"], row["schema"])})


def clear_retired(tx: Connection, active_ids: Iterable[int], now: datetime) -> None:
    """Clear the active alarms of rule versions that are not active: their readings are not judged any more."""
    reason = "the rule was changed or taken out of force"
    parameters = {
        "in_force": list(active_ids),
        "cleared_at": now,
        "clearing": Jsonb({"reason": reason}),
        "schema": CLEARING.schema,
    }
    _tell_cleared(tx, tx.execute(queries.clear_retired, parameters).fetchall(), now, reason)


def clear_product(tx: Connection, product_id: int, now: datetime) -> None:
    """Clear the active alarms of a product whose rule state is dropped: no reading could clear them."""
    reason = "the state of the product's rules was dropped"
    parameters = {
        "product_id": product_id,
        "cleared_at": now,
        "clearing": Jsonb({"reason": reason}),
        "schema": CLEARING.schema,
    }
    _tell_cleared(tx, tx.execute(queries.clear_product, parameters).fetchall(), now, reason)


def _tell_cleared(tx: Connection, rows: Iterable[Row], now: datetime, reason: str) -> None:
    for row in rows:
        event_data = {
            "alarm": row["public_id"],
            "alarm_id": row["id"],
            "rule": row["rule_id"],
            "version": row["version"],
            "cleared_at": now.isoformat(),
            "reason": reason,
            "historic": row["historic"],
        }
        append(tx, "alarm.cleared", event_data, unit_id=row["unit_id"])


def alarms(connection: Connection, alarm_ids: Sequence[int]) -> list[Row]:
    """Alarms with their rules' documents, units and products."""
    rows = connection.execute(queries.alarms, {"ids": list(alarm_ids)})
    return [in_present_schemas(row) | {"document": RULE.read(row["document"], row["rule_schema"])} for row in rows]


def in_present_schemas(row: Row) -> Row:
    """An alarm's row with evidence and clearing in the present schemas."""
    clearing = None if row["clearing"] is None else CLEARING.read(row["clearing"], row["clearing_schema"])
    return row | {"evidence": EVIDENCE.read(row["evidence"], row["schema"]), "clearing": clearing}


def forget_alarms(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` alarms that cleared before a time and that nothing refers to. Returns the number of them."""
    return connection.execute(queries.forget_alarms, {"before": before, "limit": limit}).rowcount


def marks(connection: Connection) -> dict[int, Mark]:
    """The mark of each partition."""
    return {row["partition"]: Mark(row["seq"], row["revision"]) for row in connection.execute(queries.marks)}


def set_mark(tx: Connection, partition: int, mark: Mark) -> None:
    """Store the mark of a partition."""
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
    """Save (product id, partition, state) as of batch `seq`."""
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
