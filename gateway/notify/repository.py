"""Notices, outbox and ledger in the database, in sets; everything runs in the caller's transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gateway.core.reason import Reason
from gateway.notify.model import CAMPAIGN_TEXT, LEDGER, NOTICE, Alarm, EarlierNotice
from gateway.notify.text import campaign_notice
from gateway.registrations.model import Owner
from gateway.rules import repository as rules
from gateway.rules.document import RuleDocument
from gateway.store import Connection, Json, Jsonb, Row, load_queries
from gateway.store.copy import copy_rows

queries = load_queries("gateway.notify")

_NOTICE_OWN = {
    "public_id": "text", "person_id": "int8", "unit_id": "int8", "rule_id": "text", "campaign_id": "int8",
    "kind": "text", "owned_since": "timestamptz", "severity": "text", "trace": "text", "hold_reason": "text",
    "skip_reason": "text", "group_key": "text", "group_size": "int4",
}  # fmt: skip
_NOTICE_COLUMNS = {
    "id": "int8", "state": "text", "schema": "int2", "created_at": "timestamptz", "updated_at": "timestamptz",
    **_NOTICE_OWN, "text": "jsonb", "why": "jsonb", "visible_at": "timestamptz", "is_held": "bool",
}  # fmt: skip
_OUTBOX_COLUMNS = {
    "notice_id": "int8", "channel": "text", "due_at": "timestamptz", "reason": "text", "follows": "text",
    "is_safety": "bool",
}  # fmt: skip
_LINE_OWN = {
    "alarm_id": "int8", "campaign_id": "int8", "unit_id": "int8", "person_id": "int8", "notice_id": "int8",
    "outcome": "text", "reason": "text",
}  # fmt: skip
_LEDGER_COLUMNS = {"at": "timestamptz", "schema": "int2", **_LINE_OWN, "steps": "jsonb"}
"""Columns of new rows, with their types; `_OWN` are those that a row gives by their names."""


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A delivery to insert; with `follows`, only if the notice is not seen on that channel before `due_at`."""

    channel: str
    due_at: datetime
    reason: Reason
    follows: str | None = None
    is_safety: bool = False
    """Whether it goes out before all others."""


def alarms(connection: Connection, alarm_ids: Sequence[int]) -> dict[int, Alarm]:
    """Returns alarms with the data of their notices, by number; a rule of many alarms is read once."""
    documents: dict[tuple[str, int], RuleDocument] = {}
    alarms = {}
    for row in rules.alarms(connection, alarm_ids):
        version = (row["rule_id"], row["version"])
        if version not in documents:
            documents[version] = RuleDocument.model_validate(row["document"])
        alarms[row["id"]] = _alarm(row, documents[version])
    return alarms


def _alarm(row: Row, rule: RuleDocument) -> Alarm:
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
        rule=rule,
        version=row["version"],
        serial=row["serial"],
        product_name=row["product_name"],
        metric_title=row["metric_title"] or {"en": row["evidence"]["metric"]},
    )


def earlier_notices(tx: Connection, owned: Sequence[tuple[Alarm, Owner]], now: datetime) -> dict[int, EarlierNotice]:
    """Returns, by alarm, its owner's last notice of the same rule and unit, locked until the transaction ends."""
    parameters = {
        "person_ids": [owner.person_id for _, owner in owned],
        "unit_ids": [alarm.unit_id for alarm, _ in owned],
        "rule_ids": [alarm.rule.id for alarm, _ in owned],
        "sinces": [owner.since for _, owner in owned],
        "now": now,
    }
    earlier = {}
    for row in tx.execute(queries.earlier, parameters):
        alarm, _ = owned[row.pop("place") - 1]
        text = as_written({name: row[name] for name in ("text", "schema")})["text"]
        del row["schema"]
        earlier[alarm.id] = EarlierNotice(**row | {"text": text})
    return earlier


def notice_times(tx: Connection, person_ids: Collection[int], since: datetime) -> dict[int, tuple[datetime, ...]]:
    """Returns, by person, when notices were, or will be, told to them since a moment; the earliest first."""
    times: dict[int, list[datetime]] = {}
    for row in tx.execute(queries.told_since, {"person_ids": list(person_ids), "since": since}):
        times.setdefault(row["person_id"], []).append(row["visible_at"])
    return {person_id: tuple(each) for person_id, each in times.items()}


def decided(tx: Connection, alarm_ids: Sequence[int]) -> set[tuple[int, int | None]]:
    """Returns the alarms, and for whom, on which the stages have decided."""
    rows = tx.execute(queries.decided, {"alarm_ids": list(alarm_ids)})
    return {(row["alarm_id"], row["person_id"]) for row in rows}


def as_written(row: Row) -> Row:
    """A notice's row with its documents in the present schema; what stands with its campaign is put in."""
    stored = {name: row[name] for name in ("text", "why") if name in row}
    upgraded: Row = NOTICE.read(stored, row["schema"])
    if (told := row.get("told")) and upgraded["text"] is None:
        document = CAMPAIGN_TEXT.read(told["document"], told["schema"])
        upgraded = campaign_notice(document, upgraded["why"])
    return row | upgraded | {"schema": NOTICE.schema}


def of_campaign(row: Row) -> dict[str, str]:
    """Returns the event data on a notice's campaign; empty for an alarm."""
    return {"campaign": row["campaign"]} if row["campaign"] else {}


def backlog(connection: Connection) -> list[Row]:
    """Returns the numbers of waiting deliveries, by channel."""
    return connection.execute(queries.backlog).fetchall()


def keep_campaign_texts(tx: Connection, campaign_id: int, kinds: Mapping[str, Mapping[str, Any]]) -> None:
    """Store what the notices of a campaign say, by kind of the notice and language, unless it is stored."""
    rows = [
        {"kind": kind, "language": language, "document": document}
        for kind, documents in kinds.items()
        for language, document in documents.items()
    ]
    parameters = {"campaign_id": campaign_id, "schema": CAMPAIGN_TEXT.schema, "rows": Json(rows)}
    tx.execute(queries.keep_campaign_text, parameters)


def insert_notices(tx: Connection, notices: Sequence[Row], now: datetime) -> list[int]:
    """Insert notices; what a row does not name is null. Returns their row ids."""
    ids = [row["id"] for row in tx.execute(queries.next_notices, {"count": len(notices)})] if notices else []
    common = ("open", NOTICE.schema, now, now)
    rows = (
        (number, *common, *(notice.get(name) for name in _NOTICE_OWN), *_documents(notice), *_visible(notice, now))
        for number, notice in zip(ids, notices, strict=True)
    )
    copy_rows(tx, "notice", _NOTICE_COLUMNS, rows)
    return ids


def _documents(notice: Row) -> tuple[Jsonb | None, Jsonb]:
    return (Jsonb(notice["text"]) if "text" in notice else None), Jsonb(notice["why"])


def _visible(notice: Row, now: datetime) -> tuple[datetime, bool]:
    held_until = notice.get("held_until")
    return held_until or now, held_until is not None


def join_notices(tx: Connection, joined: Sequence[Row], now: datetime) -> dict[int, int]:
    """Add one more alarm to each notice. Returns the numbers of alarms of the notices by row id."""
    if not joined:
        return {}
    # Both documents of a row are of one schema.
    rows = tx.execute(queries.join_notices, {"rows": Json(joined), "schema": NOTICE.schema, "now": now})
    return {row["id"]: row["count"] for row in rows}


def link_alarms(tx: Connection, links: Sequence[tuple[int, int, int]]) -> None:
    """Note (notice, alarm, person): which alarms notices are about; a person gets one notice of an alarm."""
    if links:
        notice_ids, alarm_ids, person_ids = (list(column) for column in zip(*links, strict=True))
        tx.execute(queries.link_alarms, {"notice_ids": notice_ids, "alarm_ids": alarm_ids, "person_ids": person_ids})


def insert_deliveries(tx: Connection, deliveries: Iterable[tuple[int, PlannedDelivery]]) -> None:
    """Insert the planned deliveries of new notices."""
    rows = (
        (number, planned.channel, planned.due_at, planned.reason, planned.follows, planned.is_safety)
        for number, planned in deliveries
    )
    copy_rows(tx, "outbox", _OUTBOX_COLUMNS, rows)


def send_again(tx: Connection, deliveries: Iterable[tuple[int, PlannedDelivery]], now: datetime) -> None:
    """Have notices sent again by the planned deliveries, whatever became of those of before."""
    rows = [
        {**asdict(planned), "notice_id": number, "due_at": planned.due_at.isoformat()} for number, planned in deliveries
    ]
    if rows:
        tx.execute(queries.send_again, {"rows": Json(rows), "now": now})


def send_after_all(tx: Connection, notice_ids: Sequence[int], reason: Reason, now: datetime) -> None:
    """Have the skipped deliveries of notices sent now."""
    if notice_ids:
        tx.execute(queries.send_after_all, {"notice_ids": list(notice_ids), "reason": reason, "now": now})


def insert_ledger(tx: Connection, lines: Sequence[Row], now: datetime) -> None:
    """Insert ledger lines with the outcomes of the stages."""
    rows = ((now, LEDGER.schema, *(line[name] for name in _LINE_OWN), Jsonb(line["steps"])) for line in lines)
    copy_rows(tx, "ledger", _LEDGER_COLUMNS, rows)


def resolve(tx: Connection, cleared: Iterable[Alarm], now: datetime) -> list[Row]:
    """Resolve the notices of cleared alarms that have no other active alarm. Returns those resolved."""
    rows = [_clearing(alarm) for alarm in cleared]
    if not rows:
        return []
    return [as_written(row) for row in tx.execute(queries.resolve, {"rows": Json(rows), "now": now})]


def _clearing(alarm: Alarm) -> Row:
    clearing = alarm.clearing or {}
    cleared_at = alarm.cleared_at.isoformat() if alarm.cleared_at else None
    why = {
        "cleared_at": cleared_at,
        "cleared_value": clearing.get("value"),
        "cleared_reason": clearing.get("reason"),
        "extreme": clearing.get("extreme", alarm.evidence["extreme"]),
    }
    return {"alarm_id": alarm.id, "onset": alarm.onset.isoformat(), "cleared_at": cleared_at, "why": why}


def held_due(tx: Connection, now: datetime, limit: int) -> list[Row]:
    """Returns held notices whose time has come, locked until `tx` ends."""
    return tx.execute(queries.held_due, {"now": now, "limit": limit}).fetchall()


def show(tx: Connection, skip_reasons: Mapping[int, Reason | None]) -> None:
    """Note that held notices are told, or why not, by row id."""
    tx.execute(queries.show, {"ids": list(skip_reasons), "reasons": list(skip_reasons.values())})


def feed(connection: Connection, before: int, limit: int, language: str) -> list[Row]:
    """Notices below a number, the newest first; those of campaigns in a language."""
    parameters = {"before": before, "limit": limit, "language": language}
    return [as_written(row) for row in connection.execute(queries.feed, parameters)]


def deliveries(connection: Connection, before: int, limit: int) -> list[Row]:
    """Deliveries below a number, the newest first."""
    return connection.execute(queries.deliveries, {"before": before, "limit": limit}).fetchall()


def ledger(connection: Connection, before: int, limit: int) -> list[Row]:
    """Lines of the ledger below a number, the newest first."""
    rows = connection.execute(queries.ledger, {"before": before, "limit": limit})
    return [row | {"steps": LEDGER.read(row["steps"], row.pop("schema"))} for row in rows]
