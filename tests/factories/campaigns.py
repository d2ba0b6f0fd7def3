"""The content of a recall, an update and a withdrawal, as the console sends it, and units and owners for them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.core.ids import random_id
from gateway.registrations.model import OwnerRow, UnitRow
from gateway.registrations.service import import_product
from gateway.store import Connection
from tests.factories import product
from tests.factories.imports import import_owners, import_units

CONTACT = {"phone": "0800 000", "email": None, "url": None}
SINCE = datetime(2024, 1, 1, tzinfo=UTC)

RECALL: dict[str, Any] = {
    "kind": "recall",
    "title": {"en": "The pump may catch fire", "de": "Die Pumpe kann Feuer fangen"},
    "hazard": {"en": "The motor overheats.", "de": "Der Motor überhitzt."},
    "action": "unplug",
    "action_text": {"en": "Unplug it now.", "de": "Ziehen Sie jetzt den Stecker."},
    "remedies": ["replacement", "refund"],
    "remedy_text": {"en": "We bring a new one.", "de": "Wir bringen eine neue."},
    "contact": CONTACT,
}
UPDATE: dict[str, Any] = {
    "kind": "update",
    "title": {"en": "Firmware 2.4", "de": "Firmware 2.4"},
    "changes": {"en": "It starts softly.", "de": "Sie läuft sanft an."},
    "action_text": {"en": "Leave it on over night.", "de": "Lassen Sie sie über Nacht an."},
    "contact": CONTACT,
}
WITHDRAWAL: dict[str, Any] = {
    "kind": "withdrawal",
    "title": {"en": "The pump is safe", "de": "Die Pumpe ist sicher"},
    "reason": {"en": "Our test was wrong.", "de": "Unser Test war falsch."},
    "contact": CONTACT,
}


def draft_body(
    content: dict[str, Any] = RECALL,
    audience: dict[str, Any] | None = None,
    supersedes: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Returns a draft; its audience is lot L1, or firmware below 2.4, unless it is given, or none for a withdrawal."""
    if audience is None and content["kind"] == "recall":
        audience = {"by": "lots", "lots": ["L1"]}
    if audience is None and content["kind"] == "update":
        audience = {"by": "firmware", "below": "2.4"}
    return {"product": "pump", "content": content | changes, "audience": audience, "supersedes": supersedes}


def add_units(db: Connection, *units: tuple[str, str | None, str | None], code: str | None = None) -> None:
    """Create pumps by serial, lot and firmware."""
    with db.transaction():
        import_product(db, product(), actor="test")
        rows = [
            UnitRow(product="pump", serial=serial, lot=lot, firmware=firmware, claim_code=code)
            for serial, lot, firmware in units
        ]
        import_units(db, dict(enumerate(rows, 2)), actor="test")


def add_owners(db: Connection, owners: dict[str, str], since: datetime = SINCE) -> None:
    """Begin ownerships: owners' names by serial, as a maker's file has them."""
    rows = [
        OwnerRow(person=name, email=f"{name.lower()}@example.org", unit=f"pump/{serial}", since=since)
        for serial, name in owners.items()
    ]
    with db.transaction():
        import_owners(db, dict(enumerate(rows, 2)), actor="test")


def person(db: Connection, name: str) -> int:
    """Returns the row id of an owner."""
    row = db.execute("SELECT id FROM person WHERE name = %s", [name]).fetchone()
    assert row
    return int(row["id"])


def confirm(db: Connection, *names: str) -> None:
    """Give owners an account with a confirmed address."""
    for name in names:
        db.execute(
            "INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)"
            " VALUES (%s, %s, 'customer', now(), now())",
            [random_id(), person(db, name)],
        )


def set_language(db: Connection, language: str, *names: str) -> None:
    db.execute("UPDATE person SET language = %s WHERE name = ANY(%s)", [language, list(names)])


def column_values(db: Connection, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Returns the rows of a query: the values of its one column, or tuples."""
    rows = db.execute(query, parameters).fetchall()
    return [next(iter(row.values())) if len(row) == 1 else tuple(row.values()) for row in rows]
