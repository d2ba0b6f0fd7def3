"""Rule versions, alarms and the saved evaluator state in the database; everything runs in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.clock import from_us
from gateway.core.documents import DocumentKind
from gateway.core.ids import IdMaker
from gateway.events import append
from gateway.rules.document import RULE, RuleDocument, stored_rule
from gateway.rules.evaluator import Change
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
    """What the evaluator must be in step with: it takes the rules anew when this differs."""

    versions: tuple[int, ...] = ()
    products_changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The snapshots are of the state after batch `seq`, under these rule versions."""

    seq: int = 0
    versions: tuple[int, ...] = ()


def activate(tx: Connection, rule: RuleDocument, *, actor: str) -> int | None:
    """Bring a checked rule into force, as a new version if it says something new; None if it was in force."""
    tx.execute(queries.lock_rule, {"rule_id": rule.id})
    newest = tx.execute(queries.newest_version, {"rule_id": rule.id}).fetchone()
    if newest and newest["digest"] == rule.digest():
        if newest["active"]:
            return None
        tx.execute(queries.reactivate, {"id": newest["id"]})
        version = newest["version"]
    else:
        version = newest["version"] + 1 if newest else 1
        tx.execute(queries.retire, {"rule_id": rule.id})
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
    return int(version)


def deactivate(tx: Connection, rule_id: str, *, actor: str) -> bool:
    """Take a rule out of force; false if it was not."""
    tx.execute(queries.lock_rule, {"rule_id": rule_id})
    row = tx.execute(queries.retire, {"rule_id": rule_id}).fetchone()
    if row:
        append(tx, "rule.deactivated", {"rule": rule_id, "version": row["version"]}, actor=actor)
    return row is not None


def in_force(connection: Connection) -> InForce:
    """The rule versions in force now, and when a product last changed."""
    row = connection.execute(queries.active_ids).fetchone()
    return InForce(tuple(row["ids"]), row["products_changed"]) if row else InForce()


def versions(connection: Connection, ids: Iterable[int]) -> list[RuleVersion]:
    """Rule versions by number."""
    rows = connection.execute(queries.versions, {"ids": list(ids)})
    return [
        RuleVersion(**row | {"document": stored_rule(row["document"], row.pop("schema"))}) for row in rows.fetchall()
    ]


def record_changes(
    tx: Connection,
    changes: Sequence[Change],
    rules: dict[int, RuleVersion],
    *,
    now: datetime,
    historic_after: timedelta,
    new_id: IdMaker,
    trace: str | None = None,
) -> int:
    """Write alarm changes and tell of them in the event log; known ones are passed over. Answers how many were new.

    The events carry the trace of the batch, so that log lines can be followed from a reading to its notice.
    """
    written = 0
    for change in changes:
        rule = rules[change.version_id]
        if change.kind == "raised":
            written += _raise(tx, change, rule, now, historic_after, new_id, trace)
        else:
            written += _clear(tx, change, rule, trace)
    return written


def _raise(
    tx: Connection,
    change: Change,
    rule: RuleVersion,
    now: datetime,
    historic_after: timedelta,
    new_id: IdMaker,
    trace: str | None,
) -> bool:
    onset = from_us(change.onset)
    # Counted from the first moment at which it could have been raised, else a long `for` would make all historic.
    historic = now - (onset + rule.document.for_) > historic_after
    alarm = {
        "public_id": new_id(),
        "version_id": change.version_id,
        "unit_id": change.unit_id,
        "severity": rule.document.severity,
        "onset": onset,
        "raised_at": from_us(change.at),
        "judged_at": now,
        "historic": historic,
        "schema": EVIDENCE.schema,
        "evidence": Jsonb(
            {
                "metric": rule.document.condition.metric,
                "unit": rule.document.condition.unit,
                "onset_value": change.onset_value,
                "value": change.value,
                "extreme": change.extreme,
            }
        ),
    }
    row = tx.execute(queries.insert_alarm, alarm).fetchone()
    if row is None:
        return False
    told = {
        "alarm": alarm["public_id"],
        "alarm_id": row["id"],
        "rule": rule.rule_id,
        "version": rule.version,
        "title": rule.document.title["en"],
        "severity": rule.document.severity,
        "onset": onset.isoformat(),
        "raised_at": from_us(change.at).isoformat(),
        "value": change.value,
        "historic": historic,
    }
    told |= {"trace": trace} if trace else {}
    append(tx, "alarm.raised", told, unit_id=change.unit_id)
    return True


def _clear(tx: Connection, change: Change, rule: RuleVersion, trace: str | None) -> bool:
    row = tx.execute(
        queries.clear_alarm,
        {
            "version_id": change.version_id,
            "unit_id": change.unit_id,
            "onset": from_us(change.onset),
            "cleared_at": from_us(change.at),
            "clearing": Jsonb({"value": change.value, "extreme": change.extreme}),
            "schema": CLEARING.schema,
        },
    ).fetchone()
    if row is None:
        return False
    told = {
        "alarm": row["public_id"],
        "alarm_id": row["id"],
        "rule": rule.rule_id,
        "version": rule.version,
        "cleared_at": from_us(change.at).isoformat(),
        "value": change.value,
        "historic": row["historic"],
    }
    told |= {"trace": trace} if trace else {}
    append(tx, "alarm.cleared", told, unit_id=change.unit_id)
    return True


def clear_retired(tx: Connection, kept: Iterable[int], now: datetime) -> None:
    """Clear the active alarms of versions that are out of force: nobody judges them any more."""
    reason = "the rule was changed or taken out of force"
    rows = tx.execute(
        queries.clear_retired,
        {
            "in_force": list(kept),
            "cleared_at": now,
            "clearing": Jsonb({"reason": reason}),
            "schema": CLEARING.schema,
        },
    ).fetchall()
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
    rows = connection.execute(queries.alarms_page, {"before": before, "limit": limit, "unit": unit})
    return [_as_written(row) for row in rows]


def forget_alarms(connection: Connection, before: datetime, limit: int) -> int:
    """Forget some alarms that were cleared before a moment and are named nowhere any more; returns how many."""
    return connection.execute(queries.forget_alarms, {"before": before, "limit": limit}).rowcount


def mark(connection: Connection) -> Mark:
    """What the saved state is of."""
    row = connection.execute(queries.mark).fetchone()
    return Mark(row["seq"], tuple(row["versions"])) if row else Mark()


def snapshots(connection: Connection) -> dict[int, list[bytes]]:
    """The saved state, by product."""
    saved: dict[int, list[bytes]] = {}
    for row in connection.execute(queries.snapshots):
        saved.setdefault(row["product_id"], []).append(SNAPSHOT.read(row["state"], row["schema"]))
    return saved


def save(tx: Connection, mark: Mark, dumps: Iterable[tuple[int, int, bytes]]) -> None:
    """Save (product, partition, state) of what changed, and what all of it is of now."""
    with tx.cursor() as cursor:
        cursor.executemany(
            queries.save_snapshot,
            [
                {"product_id": product, "partition": partition, "state": state, "schema": SNAPSHOT.schema}
                for product, partition, state in dumps
            ],
        )
    tx.execute(queries.set_mark, {"seq": mark.seq, "versions": list(mark.versions)})
