"""Notices, outbox and ledger in the database; everything runs in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.notify.model import LEDGER, NOTICE, Alarm, EarlierNotice, Facts, Policy
from gateway.registrations import repository as registrations
from gateway.rules import repository as rules
from gateway.rules.document import RuleDocument
from gateway.store import Connection, Jsonb, Row, load_queries

queries = load_queries("gateway.notify")


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A delivery to insert; with `follows`, only if the notice is not seen on that channel before `due_at`."""

    channel: str
    due_at: datetime
    reason: str
    follows: str | None = None


def alarm(connection: Connection, alarm_id: int) -> Alarm:
    """Returns an alarm with the data of its notice."""
    row = rules.alarm(connection, alarm_id)
    return Alarm(
        id=row["id"],
        unit_id=row["unit_id"],
        severity=row["severity"],
        onset=row["onset"],
        raised_at=row["raised_at"],
        judged_at=row["judged_at"],
        historic=row["historic"],
        evidence=row["evidence"],
        cleared_at=row["cleared_at"],
        clearing=row["clearing"],
        rule=RuleDocument.model_validate(row["document"]),
        version=row["version"],
        serial=row["serial"],
        product_name=row["product_name"],
        metric_title=row["metric_title"] or {"en": row["evidence"]["metric"]},
    )


def facts(tx: Connection, alarm: Alarm, now: datetime, policy: Policy) -> Facts:
    """Returns what the stages decide on; the earlier notice is locked until the transaction ends."""
    owner = registrations.owner_at(tx, alarm.unit_id, now)
    earlier = None
    if owner:
        key = {"person_id": owner.person_id, "unit_id": alarm.unit_id, "rule_id": alarm.rule.id, "since": owner.since}
        row = tx.execute(queries.earlier, key).fetchone()
        earlier = EarlierNotice(**row) if row else None
    recent = recent_notice_times(tx, owner.person_id, now) if owner else ()
    return Facts(alarm, owner, earlier, recent, now, policy)


def recent_notice_times(tx: Connection, person_id: int, now: datetime) -> tuple[datetime, ...]:
    """Returns when notices to a person were, or will be, due since an hour before now; the earliest first."""
    parameters = {"person_id": person_id, "since": now - timedelta(hours=1)}
    return tuple(row["due_at"] for row in tx.execute(queries.told_since, parameters))


def as_written(row: Row) -> Row:
    """A notice's row with its documents in the present schema."""
    upgraded: Row = NOTICE.read({name: row[name] for name in ("text", "why") if name in row}, row["schema"])
    return row | upgraded | {"schema": NOTICE.schema}


def is_answered(tx: Connection, alarm: Alarm) -> bool:
    """Whether the stages have decided on this alarm already."""
    row = tx.execute(queries.answered, {"alarm_id": alarm.id}).fetchone()
    return row is not None and bool(row["answered"])


def is_decided(tx: Connection, alarm_id: int, person_id: int) -> bool:
    """Whether the stages have decided already if this person is told of this alarm."""
    row = tx.execute(queries.decided, {"alarm_id": alarm_id, "person_id": person_id}).fetchone()
    return row is not None and bool(row["decided"])


def of_campaign(row: Row) -> dict[str, str]:
    """Returns the event data on a notice's campaign; empty for an alarm."""
    return {"campaign": row["campaign"]} if row["campaign"] else {}


def backlog(connection: Connection) -> list[Row]:
    """Returns the numbers of waiting deliveries, by channel."""
    return connection.execute(queries.backlog).fetchall()


def insert_notice(tx: Connection, notice: dict[str, Any]) -> int:
    """Insert a notice. Returns its row id."""
    row = tx.execute(
        queries.insert_notice,
        notice | {"text": Jsonb(notice["text"]), "why": Jsonb(notice["why"]), "schema": NOTICE.schema},
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING returns a row
    return int(row["id"])


def join_notice(tx: Connection, notice_id: int, why: dict[str, Any], now: datetime) -> int:
    """Add one more alarm to a notice. Returns the number of alarms of the notice."""
    earlier = tx.execute(queries.notice_documents, {"id": notice_id}).fetchone()
    assert earlier is not None  # noqa: S101 - the notice is locked
    # Both documents of a row are of one schema.
    documents = {"text": Jsonb(as_written(earlier)["text"]), "why": Jsonb(why), "schema": NOTICE.schema}
    row = tx.execute(queries.join_notice, documents | {"id": notice_id, "now": now}).fetchone()
    assert row is not None  # noqa: S101 - the notice is locked
    return int(row["count"])


def link_alarm(tx: Connection, notice_id: int, alarm_id: int, person_id: int) -> None:
    """Note that a notice is about an alarm; a person gets one notice of an alarm."""
    tx.execute(queries.link_alarm, {"notice_id": notice_id, "alarm_id": alarm_id, "person_id": person_id})


def insert_outbox(
    tx: Connection, notice_id: int, channel: str, due_at: datetime, reason: str, follows: str | None = None
) -> None:
    """Insert one delivery of a notice; see PlannedDelivery."""
    insert_deliveries(tx, [PlannedDelivery(channel, due_at, reason, follows)], notice_id)


def insert_deliveries(tx: Connection, deliveries: Sequence[PlannedDelivery], notice_id: int) -> None:
    """Insert the planned deliveries of a notice."""
    with tx.cursor() as cursor:
        cursor.executemany(
            queries.insert_outbox, [{"notice_id": notice_id, **asdict(delivery)} for delivery in deliveries]
        )


def send_after_all(tx: Connection, notice_id: int, reason: str, now: datetime) -> None:
    """Have the skipped delivery of a notice sent now."""
    tx.execute(queries.send_after_all, {"notice_id": notice_id, "reason": reason, "now": now})


def insert_ledger(tx: Connection, lines: Sequence[dict[str, Any]]) -> None:
    """Insert ledger lines with the outcomes of the stages."""
    with tx.cursor() as cursor:
        cursor.executemany(
            queries.insert_ledger, [line | {"steps": Jsonb(line["steps"]), "schema": LEDGER.schema} for line in lines]
        )


def resolve(tx: Connection, alarm: Alarm, now: datetime) -> list[Row]:
    """Resolve the notices of a cleared alarm that have no other active alarm. Returns those resolved."""
    clearing = alarm.clearing or {}
    why = {
        "cleared_at": alarm.cleared_at.isoformat() if alarm.cleared_at else None,
        "cleared_value": clearing.get("value"),
        "cleared_reason": clearing.get("reason"),
        "extreme": clearing.get("extreme", alarm.evidence["extreme"]),
    }
    rows = tx.execute(queries.resolve, {"alarm_id": alarm.id, "onset": alarm.onset, "why": Jsonb(why), "now": now})
    return [as_written(row) for row in rows]


def due(tx: Connection, now: datetime, limit: int) -> list[Row]:
    """Returns the deliveries that are due, locked until `tx` ends."""
    return [as_written(row) for row in tx.execute(queries.due, {"now": now, "limit": limit})]


def finish(tx: Connection, delivery_id: int, status: str, reason: str, now: datetime) -> None:
    """Note how a delivery ended."""
    tx.execute(queries.finish, {"id": delivery_id, "status": status, "reason": reason, "now": now})


def feed(connection: Connection, before: int, limit: int) -> list[Row]:
    """Notices below a number, the newest first."""
    return [as_written(row) for row in connection.execute(queries.feed, {"before": before, "limit": limit})]


def deliveries(connection: Connection, before: int, limit: int) -> list[Row]:
    """Deliveries below a number, the newest first."""
    return connection.execute(queries.deliveries, {"before": before, "limit": limit}).fetchall()


def ledger(connection: Connection, before: int, limit: int) -> list[Row]:
    """Lines of the ledger below a number, the newest first."""
    rows = connection.execute(queries.ledger, {"before": before, "limit": limit})
    return [row | {"steps": LEDGER.read(row["steps"], row.pop("schema"))} for row in rows]
