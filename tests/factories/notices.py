"""Owners with addresses, alarms, and a running worker that notifies them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.core.ids import random_id
from gateway.events import append
from gateway.notify import addresses
from gateway.roles.worker import Worker
from gateway.store import Connection, Database, connect
from gateway.store.wakeup import wake
from tests.dsl.reasons import in_words
from tests.factories import apply_hot_rule, make_fleet

QUICK: dict[str, Any] = {
    "retry_first": "50ms",
    "retry_max": "100ms",
    "wakeup_fallback": "100ms",
    "send_timeout": "1500ms",
    "claim_timeout": "5s",
    "link_secret": "s" * 32,
    "public_url": "http://gateway.test",
}


def make_owner(
    url: str, folder: Path, *, confirmed: bool = True, phones: tuple[str, ...] = (), severity: str = "warning"
) -> int:
    """Ada with pump P1, the rule "Pump overheats", a confirmed address and these phones. Returns her number."""
    make_fleet(url, ("P1",))
    apply_hot_rule(url, folder, severity=severity)
    with connect(url, "test") as db:
        ada = db.execute("SELECT id FROM person").fetchone()["id"]
        if confirmed:
            db.execute(
                "INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)"
                " VALUES (%s, %s, 'customer', now(), now())",
                [random_id(), ada],
            )
        for phone in phones:
            addresses.register_phone(db, ada, "token", phone, "android", system_clock(), tokens_max=20)
        db.execute("DELETE FROM engagement")
    return ada


def raise_alarm(db: Connection, ago: float = 60.0) -> int:
    """An alarm of the rule on P1, as the ingest role writes it. Returns its number."""
    onset = datetime.now(UTC) - timedelta(seconds=ago)
    evidence = {"metric": "temp_c", "unit": "°C", "onset_value": 91.0, "value": 95.0, "extreme": 96.0}
    with db.transaction():
        row = db.execute(
            "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic,"
            " evidence) SELECT %s, r.id, u.id, r.document->>'severity', %s, %s, now(), false, %s"
            " FROM rule_version r, unit u WHERE r.active AND u.serial = 'P1' RETURNING id, unit_id",
            [random_id(), onset, onset, json.dumps(evidence)],
        ).fetchone()
        append(db, "alarm.raised", {"alarm_id": row["id"]}, unit_id=row["unit_id"])
    wake(db)
    return int(row["id"])


def clear_alarm(db: Connection, alarm: int) -> None:
    with db.transaction():
        db.execute("UPDATE alarm SET cleared_at = now(), clearing = '{\"value\": 80}' WHERE id = %s", [alarm])
        append(db, "alarm.cleared", {"alarm_id": alarm, "cleared_at": datetime.now(UTC).isoformat()})
    wake(db)


@contextmanager
def running_worker(url: str, **settings: Any) -> Iterator[Worker]:
    """The worker role inside the test's process."""
    with Database(url, "test-worker") as database:
        worker = Worker(Settings(**QUICK | settings), database, system_clock)
        stop = threading.Event()
        thread = threading.Thread(target=worker.run, args=[stop])
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()


def deliveries(db: Connection) -> dict[str, dict[str, Any]]:
    """The external deliveries of the newest notice, by channel."""
    rows = db.execute(
        "SELECT channel, status, reason, attempts, provider_id, follows, due_at FROM outbox"
        " WHERE notice_id = (SELECT max(id) FROM notice)"
    )
    return {row.pop("channel"): row | {"reason": in_words(row["reason"])} for row in rows}


def tries(db: Connection) -> list[tuple[str | None, str]]:
    """Every try of the newest notice: phone (None for mail) and outcome, in order."""
    rows = db.execute(
        "SELECT p.value, t.outcome FROM delivery_try t JOIN outbox o ON o.id = t.outbox_id"
        " LEFT JOIN push_token p ON p.id = t.push_token_id"
        " WHERE o.notice_id = (SELECT max(id) FROM notice) ORDER BY t.id"
    )
    return [(row["value"], row["outcome"]) for row in rows]
