"""A random fleet by SQL: units of two products in every state, with what each is known to be."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.store import Connection

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CADENCE = timedelta(minutes=1)
_SEVERITIES = ("safety", "critical", "warning", "info")
_URGENCY = {"safety": 2, "critical": 2, "warning": 4, "info": 6}


@dataclass(frozen=True)
class Known:
    """A unit of the fleet; `states` are those under which the list must have it."""

    id: int
    product: str
    serial: str
    lot: str
    firmware: str
    registered: bool
    urgency: int
    states: frozenset[str]


def make_random_fleet(db: Connection, count: int, seed: int) -> list[Known]:
    """Create the fleet, its campaigns, alarms and owners; the references fit, and triggers do not run."""
    dice = random.Random(seed)
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute(_BASE)
        return [_unit(db, number, dice) for number in range(1, count + 1)]


def _unit(db: Connection, number: int, dice: random.Random) -> Known:
    product, lot, firmware = dice.randint(1, 2), f"L{dice.randint(1, 4)}", f"2.{dice.randint(1, 3)}"
    serial = f"{'AB'[dice.random() < 0.3]}_{dice.randint(0, 99):02}{number}"
    db.execute(
        "INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware) VALUES (%s, %s, %s, %s, %s, %s)",
        [f"u{number}", product, serial, serial, lot, firmware],
    )
    urgencies = [7, _campaigns(db, number, product, dice), _alarms(db, number, product, dice)]
    if dice.random() < 0.05:
        db.execute("INSERT INTO campaign_candidate VALUES (%s, %s, 'lot', %s)", [product, number, NOW])
        urgencies.append(3)
    registered = dice.random() < 0.6
    if registered:
        db.execute("INSERT INTO ownership VALUES (%s, 1, tstzrange('2024-01-01', NULL))", [number])
    elif dice.random() < 0.3:
        db.execute("INSERT INTO ownership VALUES (%s, 1, tstzrange('2024-01-01', '2025-01-01'))", [number])
    silent = _silence(db, number, product, dice)
    urgency = min(urgencies)
    states = {1: "recalled", 2: "critical", 3: "checking", 4: "warning", 5: "update", 6: "info", 7: "fine"}
    found = {states[urgency]} - ({"fine"} if silent else set()) | ({"silent"} if silent else set())
    return Known(number, f"p{product}", serial, lot, firmware, registered, urgency, frozenset(found))


def _campaigns(db: Connection, unit: int, product: int, dice: random.Random) -> int:
    """Put it into campaigns of its product: a live recall, a live update, one that was withdrawn."""
    urgency = 7
    for campaign, of_live in ((product, 1), (product + 2, 5), (product + 4, 7)):
        if dice.random() < 0.9:
            continue
        standing, closed = dice.choice(["affected", "affected", "cleared"]), dice.random() < 0.2
        db.execute(
            "INSERT INTO campaign_unit (campaign_id, unit_id, standing, matched, closed_at)"
            " VALUES (%s, %s, %s, 'lot', %s)",
            [campaign, unit, standing, NOW if closed else None],
        )
        if standing == "affected" and not closed:
            urgency = min(urgency, of_live)
    return urgency


def _alarms(db: Connection, unit: int, product: int, dice: random.Random) -> int:
    urgency = 7
    for number in range(dice.choice([0, 0, 0, 1, 1, 2])):
        severity, cleared = dice.choice(_SEVERITIES), dice.random() < 0.5
        onset = NOW - timedelta(hours=number + 1)
        db.execute(
            "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic,"
            " evidence, cleared_at) VALUES (%s, %s, %s, %s, %s, %s, %s, false, '{}', %s)",
            [f"a{unit}-{number}", product, unit, severity, onset, onset, onset, NOW if cleared else None],
        )
        if not cleared:
            urgency = min(urgency, _URGENCY[severity])
    return urgency


def _silence(db: Connection, unit: int, product: int, dice: random.Random) -> bool:
    """Store when it was last heard: just now, long ago, or never. Returns whether it is silent."""
    ago = dice.choice([CADENCE, CADENCE, 2 * CADENCE, 31 * CADENCE, None])
    if ago is not None:
        at = NOW - ago
        db.execute("INSERT INTO latest VALUES (%s, 1, %s, 1, %s)", [unit, at, at])
    if silent := ago is None or ago > 30 * CADENCE:
        db.execute("INSERT INTO unit_silence VALUES (%s, %s)", [unit, product])
    return silent


_BASE = """
INSERT INTO product (code, model, brand, name) VALUES ('p1', 'M', 'B', '{"en": "P"}'), ('p2', 'M', 'B', '{"en": "P"}');
INSERT INTO metric (name) VALUES ('m');
INSERT INTO product_metric (product_id, metric_id, position, title, unit, low, high, cadence)
SELECT p, 1, 1, '{"en": "M"}', '1', 0, 9, '1min' FROM generate_series(1, 2) p;
INSERT INTO person (public_id, name, email) VALUES ('o1', 'Ada Owner', 'ada@example.org');
INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)
SELECT 'r' || n, 1, n, '{"title": {"en": "R"}}', 'd', true FROM generate_series(1, 2) n;
INSERT INTO campaign (public_id, number, kind, state, product_id, content, audience, authors, created_at, edited_by,
                      edited_at, approved_by, published_at, units, ended_at)
SELECT 'c' || n, 'R-2026-' || n, CASE WHEN n IN (3, 4) THEN 'update' ELSE 'recall' END,
       CASE WHEN n > 4 THEN 'withdrawn' ELSE 'published' END, (n - 1) % 2 + 1, '{"title": {"en": "C"}}', '{}', '{1}',
       now(), 1, now(), 2, now(), 500, CASE WHEN n > 4 THEN now() END
FROM generate_series(1, 6) n;
"""
