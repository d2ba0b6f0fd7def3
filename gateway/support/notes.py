"""Notes and calls in the records of units and people. They are never changed: another note corrects one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.accounts.model import Account
from gateway.core.errors import BadInput
from gateway.core.ids import random_id
from gateway.events import append
from gateway.store import Connection, Row
from gateway.support.audit import queries

Kind = Literal["note", "call"]
Direction = Literal["in", "out"]

TEXT_MAX = 4_000
"""Characters of a note."""
_AHEAD = timedelta(minutes=10)
"""What a browser's clock may be ahead."""
_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note as it was written; `draft` is the page's name for it, by which a second try is known."""

    kind: Kind
    text: str
    draft: str
    happened_at: datetime | None = None
    """None is now."""
    direction: Direction | None = None
    minutes: int | None = None


def write(
    tx: Connection, author: Account, note: NewNote, *, unit: int | None, person: int | None, most: int, now: datetime
) -> Row:
    """Store a note on a unit, a person or both, of which each keeps the newest `most`. Returns it.

    Sent again it is returned as it is stored. Raises BadInput for a call of the future.
    """
    if note.happened_at and note.happened_at > now + _AHEAD:
        raise BadInput("Nothing can be noted before it happens; choose an earlier time.")
    subject = {"unit_id": unit, "person_id": person}
    public_id = random_id()
    stored = tx.execute(
        queries.insert_note,
        subject
        | {
            "public_id": public_id,
            "kind": note.kind,
            "text": note.text,
            "direction": note.direction,
            "minutes": note.minutes,
            "happened_at": note.happened_at or now,
            "account_id": author.id,
            "now": now,
            "draft": note.draft,
        },
    ).fetchone()
    if stored is None:
        stored = tx.execute(queries.note_of_draft, {"account_id": author.id, "draft": note.draft}).fetchone()
    else:
        tx.execute(queries.trim_notes, subject | {"most": most})
        append(tx, "note.written", {"note": public_id}, actor=author.person_public_id, unit_id=unit, person_id=person)
    assert stored is not None  # noqa: S101 - inserted, or there
    row = tx.execute(queries.note, {"id": stored["id"]}).fetchone()
    assert row is not None  # noqa: S101 - it was just found
    return row


def notes(connection: Connection, *, unit: int | None, person: int | None, before: int | None, limit: int) -> list[Row]:
    """Returns a page of the notes on a unit, a person, or on both at once, the newest first."""
    place = {"before": _NEWEST if before is None else before, "limit": limit}
    query = queries.notes_of_person if unit is None else queries.notes_of_unit
    return connection.execute(query, {"unit_id": unit, "person_id": person} | place).fetchall()


def count(connection: Connection, *, unit: int | None, person: int | None) -> int:
    """Returns the number of notes on a unit, a person, or on both at once."""
    row = connection.execute(queries.count_notes, {"unit_id": unit, "person_id": person}).fetchone()
    assert row is not None  # noqa: S101 - count returns a row
    return int(row["notes"])


def forget_notes(connection: Connection, before: datetime, limit: int) -> int:
    """Forget notes from before a time. Returns the number of them."""
    return connection.execute(queries.forget_notes, {"before": before, "limit": limit}).rowcount
