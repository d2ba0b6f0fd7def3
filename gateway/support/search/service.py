"""One search over units, people, notices, campaigns and alarms: what is or begins like the words first.

Each kind is a line in `SEARCHES`: the query of what begins so, that of what has the words anywhere, and what is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.core.errors import GatewayError
from gateway.core.ids import alarm_number, notice_number
from gateway.notify.repository import as_written
from gateway.store import Connection, Database, Query, QueryCanceled, Row, load_queries
from gateway.support.search.typed import read
from gateway.text import Speech

queries = load_queries("gateway.support.search")

Kind = Literal["unit", "person", "notice", "campaign", "alarm"]
_TOO_WIDE = "This matches too much to be found in time; write more of it."
_PATIENCE = "SET LOCAL statement_timeout = '2s'"
_PLANNED_ONCE = "SET LOCAL plan_cache_mode = force_generic_plan"
_PLANNED_EACH_TIME = "SET LOCAL plan_cache_mode = force_custom_plan"
"""How common a pattern is decides how it is looked for; what begins with the words is always found by an index."""


class SearchTooWide(GatewayError):
    """The words match too much to be found in time."""

    code = "search_too_wide"
    status = 422


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found: its public id, what it is called, and a line by which it is told from others."""

    id: str
    title: str
    line: str


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one kind, the best first; `more` when there are others."""

    kind: Kind
    hits: Sequence[Hit]
    more: bool


@dataclass(frozen=True, slots=True)
class Search:
    """How one kind is searched. `part` is asked where `first` finds too little and nothing that is exactly meant."""

    kind: Kind
    first: Query
    part: Query | None
    hit: Callable[[Row, Speech], Hit]


def search(database: Database, words: str, limit: int, say: Speech) -> list[Found]:
    """Returns what the words find, at most `limit` of each kind. Raises SearchTooWide."""
    typed = read(words)
    if typed is None:
        return []
    try:
        with database.pipelined() as tx:
            rows_by_kind = _rows(tx, SEARCHES, typed | {"language": say.language}, limit + 1)
    except QueryCanceled as error:
        raise SearchTooWide(_TOO_WIDE) from error
    return [
        Found(one.kind, [one.hit(row, say) for row in rows[:limit]], more=len(rows) > limit)
        for one in SEARCHES
        if (rows := rows_by_kind[one.kind])
    ]


def unit_ids(tx: Connection, words: str, limit: int) -> list[int]:
    """Returns the numbers of units that words find, the best first; for lists that are filtered by words."""
    return _ids(tx, "unit", words, limit)


def person_ids(tx: Connection, words: str, limit: int) -> list[int]:
    """Returns the numbers of people that words find, the best first; for lists that are filtered by words."""
    return _ids(tx, "person", words, limit)


def _ids(tx: Connection, kind: Kind, words: str, limit: int) -> list[int]:
    typed = read(words)
    if typed is None:
        return []
    searches = [one for one in SEARCHES if one.kind == kind]
    try:
        return [row["row"] for row in _rows(tx, searches, typed, limit)[kind]]
    except QueryCanceled as error:
        raise SearchTooWide(_TOO_WIDE) from error


def _rows(tx: Connection, searches: Sequence[Search], typed: Mapping[str, Any], limit: int) -> dict[Kind, list[Row]]:
    """Asks all kinds together, then together what is to be looked for in any place; one transaction of the caller."""
    parameters = {**typed, "limit": limit}
    tx.execute(_PATIENCE)
    tx.execute(_PLANNED_ONCE)
    compared = tx.execute(queries.compared, parameters)
    first = {one.kind: tx.execute(one.first, parameters) for one in searches}
    rows = {kind: cursor.fetchall() for kind, cursor in first.items()}
    patterns = {**(compared.fetchone() or {}), "limit": limit}
    tx.execute(_PLANNED_EACH_TIME)
    parts = {
        one.kind: tx.execute(one.part, patterns)
        for one in searches
        if one.part and len(rows[one.kind]) < limit and not any(row["exact"] for row in rows[one.kind])
    }
    for kind, cursor in parts.items():
        known = {row["row"] for row in rows[kind]}
        rows[kind] += [row for row in cursor.fetchall() if row["row"] not in known][: limit - len(known)]
    return rows


def _unit(row: Row, say: Speech) -> Hit:
    lot = row["lot"] and say("console-search-lot", lot=row["lot"])
    order = row["order_number"] and say("console-search-order", number=row["order_number"])
    return Hit(row["id"], row["serial"], _line(_product(row, say), lot, order, row["owner"]))


def _person(row: Row, _say: Speech) -> Hit:
    return Hit(row["id"], row["name"], _line(row["email"], row["phone"], row["address"], row["customer_number"]))


def _notice(row: Row, _say: Speech) -> Hit:
    title = as_written(row)["text"]["title"]
    return Hit(row["id"], title, _line(notice_number(row["row"]), row["person"], row["serial"]))


def _campaign(row: Row, say: Speech) -> Hit:
    state = "live" if row["state"] == "published" else row["state"]
    in_words = say(f"console-state-{state}", kind=say(f"console-kind-{row['kind']}"))
    return Hit(row["id"], _in(row["title"], say), _line(row["number"], in_words))


def _alarm(row: Row, say: Speech) -> Hit:
    state = say("console-search-cleared" if row["cleared_at"] else "console-search-active")
    title = _in(row["title"], say)
    return Hit(row["id"], title, _line(alarm_number(row["row"]), row["serial"], _product(row, say), state))


def _product(row: Row, say: Speech) -> str:
    return f"{_in(row['product'], say)} {row['model']}"


def _in(texts: Mapping[str, str], say: Speech) -> str:
    return texts.get(say.language) or texts.get("en") or next(iter(texts.values()), "")


def _line(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


SEARCHES: tuple[Search, ...] = (
    Search("unit", queries.units_begun, queries.units_with, _unit),
    Search("person", queries.people_begun, queries.people_with, _person),
    Search("notice", queries.notices, None, _notice),
    Search("campaign", queries.campaigns, None, _campaign),
    Search("alarm", queries.alarms, None, _alarm),
)
