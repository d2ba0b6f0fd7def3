"""Who of the staff looked at which unit or person: a line for each look, listed for administrators."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from gateway.accounts.model import Account
from gateway.store import Connection, Row, load_queries
from gateway.store.locks import Lock, hold_key

queries = load_queries("gateway.support")

Page = Literal["record", "my_products"]
"""What was looked at: the record, or a person's products as they see them."""

ONE_LOOK = timedelta(minutes=10)
"""The same member of the staff at the same subject within this is one line."""
COUNT_MAX = 10_000
"""Looks are counted up to this number."""
NEWEST = (datetime(9999, 1, 1, tzinfo=UTC), 2**63 - 1)
"""The place before the first page."""


@dataclass(frozen=True, slots=True)
class LookFilter:
    """Whose looks, and at what, by public ids; None is all."""

    staff: str | None = None
    unit: str | None = None
    person: str | None = None


def note_look(
    database: Connection,
    account: Account,
    *,
    unit: int | None = None,
    person: int | None = None,
    now: datetime,
    page: Page = "record",
) -> None:
    """Store that somebody of the staff looks at a unit or a person, in a short transaction of its own.

    `database` is the request's connection; it must not be in a transaction.
    """
    with database.transaction():
        hold_key(database, Lock.LOOK, str(account.id))
        database.execute(
            queries.note_look,
            {
                "account_id": account.id,
                "unit_id": unit,
                "person_id": person,
                "page": page,
                "now": now,
                "since": now - ONE_LOOK,
            },
        )


def looks(connection: Connection, which: LookFilter, place: Sequence[object] | None, limit: int) -> list[Row]:
    """Returns a page of looks, the newest first; `place` is (at, id) of the last one of the page before."""
    at, number = place or NEWEST
    return connection.execute(queries.looks, asdict(which) | {"at": at, "id": number, "limit": limit}).fetchall()


def count_looks(connection: Connection, which: LookFilter) -> int:
    """Returns how many looks there are; COUNT_MAX + 1 stands for more than COUNT_MAX."""
    row = connection.execute(queries.count_looks, asdict(which) | {"most": COUNT_MAX + 1}).fetchone()
    assert row is not None  # noqa: S101 - count returns a row
    return int(row["looks"])


def forget_looks(connection: Connection, before: datetime, limit: int, most: int) -> int:
    """Forget looks from before a time and those beyond the newest `most`. Returns the number of them."""
    return connection.execute(queries.forget_looks, {"before": before, "most": most, "limit": limit}).rowcount
