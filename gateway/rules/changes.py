"""Writes the alarm changes of a batch and their events, in a few statements."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.core.clock import from_us
from gateway.core.ids import random_id, trace_of
from gateway.events import append_mixed
from gateway.rules.evaluator import Change
from gateway.rules.repository import CLEARING, EVIDENCE, RuleVersion, queries
from gateway.store import Connection, Jsonb, Row

_Key = tuple[int, int, int]
"""The identity of an alarm: rule version, unit, and onset in microseconds."""


def record_changes(
    tx: Connection,
    changes: Sequence[Change],
    rules: Mapping[int, RuleVersion],
    now: datetime,
    historic_after: timedelta,
    batch: int,
) -> int:
    """Write the alarm changes of a batch and their events in this order; stored ones are skipped.

    The events carry the batch's trace. Returns the number of new changes.
    """
    if not changes:
        return 0
    raised = _raise(tx, [change for change in changes if change.kind == "raised"], rules, now, historic_after)
    cleared = _clear(tx, [change for change in changes if change.kind == "cleared"])
    events = []
    for change in changes:
        row = (raised if change.kind == "raised" else cleared).get(_key(change))
        if row is not None:
            data = _event_data(change, rules[change.version_id], row)
            events.append((f"alarm.{change.kind}", change.unit_id, data | {"trace": trace_of(batch)}))
    append_mixed(tx, events)
    return len(events)


def _key(change: Change) -> _Key:
    return change.version_id, change.unit_id, change.onset


def _raise(
    tx: Connection,
    changes: Sequence[Change],
    rules: Mapping[int, RuleVersion],
    now: datetime,
    historic_after: timedelta,
) -> dict[_Key, Row]:
    """Write alarms. Returns the rows of those that are new."""
    if not changes:
        return {}
    documents = [rules[change.version_id].document for change in changes]
    onsets = [from_us(change.onset) for change in changes]
    alarms = {
        "public_ids": [random_id() for _ in changes],
        "versions": [change.version_id for change in changes],
        "units": [change.unit_id for change in changes],
        "severities": [document.severity for document in documents],
        "onsets": onsets,
        "raised_at": [from_us(change.at) for change in changes],
        "now": now,
        # The age counts from the earliest time of raising, else every alarm of a rule with a long `for` is historic.
        "historic": [
            now - (onset + document.for_) > historic_after for onset, document in zip(onsets, documents, strict=True)
        ],
        "schema": EVIDENCE.schema,
        "evidence": [
            Jsonb(
                {
                    "metric": document.condition.quantity.metric,
                    "unit": document.condition.quantity.unit,
                    "onset_value": change.onset_value,
                    "value": change.value,
                    "extreme": change.extreme,
                }
            )
            for change, document in zip(changes, documents, strict=True)
        ],
    }
    return _by_key(changes, tx.execute(queries.insert_alarms, alarms).fetchall())


def _clear(tx: Connection, changes: Sequence[Change]) -> dict[_Key, Row]:
    """Clear alarms. Returns the rows of those that were active."""
    if not changes:
        return {}
    clearings = {
        "versions": [change.version_id for change in changes],
        "units": [change.unit_id for change in changes],
        "onsets": [from_us(change.onset) for change in changes],
        "cleared_at": [from_us(change.at) for change in changes],
        "clearings": [Jsonb({"value": change.value, "extreme": change.extreme}) for change in changes],
        "schema": CLEARING.schema,
    }
    return _by_key(changes, tx.execute(queries.clear_alarms, clearings).fetchall())


def _by_key(changes: Sequence[Change], rows: Sequence[Row]) -> dict[_Key, Row]:
    """The rows by key; `line` is the number of the change, from 1."""
    return {_key(changes[row["line"] - 1]): row for row in rows}


def _event_data(change: Change, rule: RuleVersion, row: Row) -> dict[str, Any]:
    data = {"alarm": row["public_id"], "alarm_id": row["id"], "rule": rule.rule_id, "version": rule.version}
    if change.kind == "raised":
        data |= {
            "title": rule.document.title["en"],
            "severity": rule.document.severity,
            "onset": from_us(change.onset).isoformat(),
            "raised_at": from_us(change.at).isoformat(),
        }
    else:
        data |= {"cleared_at": from_us(change.at).isoformat()}
    return data | {"value": change.value, "historic": row["historic"]}
