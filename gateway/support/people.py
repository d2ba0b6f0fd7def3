"""People as the staff find them: the list, the record of one person, and whom My Products is shown as."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.notify.repository import as_written
from gateway.store import Connection, Row
from gateway.support.audit import queries
from gateway.support.search import service as search

COUNT_MAX = 10_000
"""People, units and notices are counted up to this number."""
UNITS_SHOWN = 200
"""Units of one record."""
NOTICES_SHOWN = 8
"""Notices of one record."""
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people; `words` are those of the search, None is all."""

    words: str = ""
    language: str | None = None
    account: bool | None = None
    """Whether they have an account, or are only in the maker's files."""
    recall: bool = False
    """Only those who have a recall that they did not acknowledge."""


def person_number(connection: Connection, public_id: str) -> int | None:
    """Returns the number of a person; None when there is none."""
    row = connection.execute(queries.person_number, {"person": public_id}).fetchone()
    return row["id"] if row else None


def people(connection: Connection, which: PeopleFilter, before: int, limit: int) -> list[Row]:
    """Returns a page of people, those who came last first."""
    ids = _ids(connection, which, before, limit)
    return connection.execute(queries.people, {"ids": ids, "most": COUNT_MAX}).fetchall()


def count_people(connection: Connection, which: PeopleFilter) -> int:
    """Returns how many people there are; COUNT_MAX + 1 stands for more than COUNT_MAX."""
    return len(_ids(connection, which, NEWEST, COUNT_MAX + 1))


def _ids(connection: Connection, which: PeopleFilter, before: int, limit: int) -> Sequence[int]:
    found = None
    if which.words.strip():
        with connection.transaction():
            found = search.person_ids(connection, which.words, COUNT_MAX + 1)
    # Never prepared: a plan for any filter would be one for none.
    query = queries.recalled_people_ids if which.recall else queries.people_ids
    parameters = {
        "found": found,
        "language": which.language,
        "account": which.account,
        "before": before,
        "limit": limit,
    }
    return [row["id"] for row in connection.execute(query, parameters, prepare=False)]


def person(connection: Connection, public_id: str, now: datetime) -> Row | None:
    """Returns a person with account, sessions and browsers, and an account's fields for who has none."""
    return connection.execute(queries.person, {"person": public_id, "now": now}).fetchone()


def units(connection: Connection, person_id: int) -> list[Row]:
    """Returns the units that are a person's now, UNITS_SHOWN at most."""
    return connection.execute(queries.units_of_person, {"person_id": person_id, "limit": UNITS_SHOWN}).fetchall()


def notices(connection: Connection, person_id: int, language: str) -> list[Row]:
    """Returns the newest notices to a person, NOTICES_SHOWN at most, with how they went; campaigns in a language."""
    parameters = {"person_id": person_id, "language": language, "limit": NOTICES_SHOWN}
    return [as_written(row) for row in connection.execute(queries.notices_of_person, parameters)]


def counts(connection: Connection, person_id: int) -> Row:
    """Returns how many units and notices a person has, counted to one more than COUNT_MAX."""
    row = connection.execute(queries.count_of_person, {"person_id": person_id, "most": COUNT_MAX + 1}).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
    return row
