"""Units that can be claimed; their readings, alarms and notices are written into the tables directly."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core.clock import to_us
from gateway.ingest.repository import keep_last
from gateway.m2m.message import Heard, Message
from gateway.registrations.claims import Claimant, Limits, Outcome, claim
from gateway.registrations.model import OwnerRow, UnitRow
from gateway.registrations.service import import_product
from gateway.store import Connection, Jsonb
from gateway.store.timeseries import TimeSeries
from tests.factories import product
from tests.factories.imports import import_owners, import_units

CODE = "K7QM-2XRT"
WRONG = "AAAA-AAAA"
LIMITS = Limits(per_unit=10, per_account=10, per_network=50, window=timedelta(hours=1))


def make_units(db: Connection, *serials: str, code: str | None = CODE, products: tuple[str, ...] = ("pump",)) -> None:
    """Units with one claim code, of each of these products."""
    with db.transaction():
        for product_code in products:
            import_product(db, product(code=product_code, model=f"M {product_code}"), actor="test")
        rows = [
            UnitRow(product=product_code, serial=serial, claim_code=code)
            for product_code in products
            for serial in serials
        ]
        import_units(db, dict(enumerate(rows, 2)), actor="test")


def make_person(db: Connection, name: str) -> Claimant:
    row = db.execute(
        "INSERT INTO person (public_id, name, email) VALUES (%s, %s, %s) RETURNING id",
        [f"person-{name.lower()}", name, f"{name.lower()}@example.org"],
    ).fetchone()
    assert row
    return Claimant(row["id"], f"person-{name.lower()}", "203.0.113.7")


def import_owner(db: Connection, serial: str, since: datetime, name: str = "Ada", product_code: str = "pump") -> None:
    """Ownership by import, as a maker's file says it."""
    row = OwnerRow(person=name, email=f"{name.lower()}@example.org", unit=f"{product_code}/{serial}", since=since)
    with db.transaction():
        import_owners(db, {2: row}, actor="test")


def try_claim(
    db: Connection,
    who: Claimant,
    serial: str = "P1",
    code: str = CODE,
    product_code: str | None = None,
    *,
    now: datetime | None = None,
    limits: Limits = LIMITS,
) -> Outcome:
    with db.transaction():
        return claim(db, who, serial, code, product_code, limits, now or datetime.now(UTC))


def unit_id(db: Connection, serial: str) -> int:
    row = db.execute("SELECT id FROM unit WHERE serial = %s", [serial]).fetchone()
    assert row
    return int(row["id"])


def add_reading(db: Connection, serial: str, at: datetime, value: float, *, received: datetime | None = None) -> None:
    """A reading of temp_c, also the newest one if it is newer."""
    TimeSeries(db).ensure_days([at.date()])
    parameters = {"unit": unit_id(db, serial), "at": at, "value": value, "received": received or at}
    metric = "(SELECT id FROM metric WHERE name = 'temp_c')"
    db.execute(
        f"INSERT INTO telemetry (time, unit_id, metric_id, value, received_at, late)"
        f" VALUES (%(at)s, %(unit)s, {metric}, %(value)s, %(received)s, false)",
        parameters,
    )
    db.execute(
        f"INSERT INTO latest (unit_id, metric_id, time, value, received_at)"
        f" VALUES (%(unit)s, {metric}, %(at)s, %(value)s, %(received)s)"
        " ON CONFLICT (unit_id, metric_id) DO UPDATE SET time = excluded.time, value = excluded.value,"
        " received_at = excluded.received_at WHERE latest.time < excluded.time",
        parameters,
    )


def add_message(db: Connection, serial: str, at: datetime, payload: bytes = b"{}") -> None:
    """Keep a message as ingest does."""
    with db.transaction():
        keep_last(db, [Heard(unit_id(db, serial), Message("t", payload, 1, 1, False, to_us(at)), None)], 1024)


def add_alarm(db: Connection, serial: str, raised: datetime, cleared: datetime | None = None) -> str:
    """Insert an alarm of a rule without content. Returns its public id."""
    public_id = f"alarm-{serial}-{raised:%H%M%S%f}"
    document = {"title": {"en": "Hot", "de": "Heiß"}}
    db.execute(
        "INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)"
        " SELECT 'hot', 1, product_id, %s, '', true FROM unit WHERE serial = %s ON CONFLICT DO NOTHING",
        [Jsonb(document), serial],
    )
    db.execute(
        "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic,"
        " evidence, cleared_at, clearing) SELECT %s, v.id, %s, 'warning', %s, %s, %s, false, %s, %s, %s"
        " FROM rule_version v WHERE rule_id = 'hot'",
        [
            public_id,
            unit_id(db, serial),
            raised - timedelta(seconds=1),
            raised,
            raised,
            Jsonb({"value": 99.0}),
            cleared,
            Jsonb({"value": 60.0}) if cleared else None,
        ],
    )
    return public_id


def add_notice(db: Connection, serial: str, person_id: int, at: datetime, **changes: Any) -> str:
    """Insert a notice with a delivery by mail. Returns its public id."""
    public_id = f"notice-{serial}-{person_id}-{at:%H%M%S%f}"
    why = {
        "rule": "hot", "version": 1, "sentence": "Raise *Hot*", "metric": "temp_c", "title": "Temperature",
        "value": 97.0, "extreme": 99.0, "unit": "°C", "limit": 90.0, "onset": at.isoformat(),
        "raised_at": at.isoformat(), "cleared_at": None, "cleared_value": None, "told_because": "you own this unit",
    }  # fmt: skip
    notice = {
        "public_id": public_id,
        "person_id": person_id,
        "unit_id": unit_id(db, serial),
        "at": at,
        "text": Jsonb({"title": "Switch it off", "body": "It is 97 °C.", "action": "Wait."}),
        "why": Jsonb(why | changes.pop("why", {})),
        "state": "open",
        "updated_at": at,
        "resolved_at": None,
    } | changes
    row = db.execute(
        "INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why,"
        " created_at, updated_at, resolved_at)"
        " VALUES (%(public_id)s, %(person_id)s, %(unit_id)s, 'hot', 'warning', %(state)s, %(text)s, %(why)s,"
        " %(at)s, %(updated_at)s, %(resolved_at)s) RETURNING id",
        notice,
    ).fetchone()
    assert row
    db.execute(
        "INSERT INTO outbox (notice_id, channel, due_at, status, reason, finished_at)"
        " VALUES (%s, 'email', %s, 'delivered', 'the mail server took it', %s)",
        [row["id"], at, at],
    )
    return public_id
