"""Alarms in the database as the staff see them: lists, counts, and one with its acts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from gateway.accounts.model import STAFF
from gateway.alarms.acts import STANDINGS, Act, Standing, Work
from gateway.core.serial import canonical_serial
from gateway.rules.document import RULE
from gateway.rules.repository import in_present_schemas
from gateway.store import Connection, Row, as_literal, load_queries

queries = load_queries("gateway.alarms")

LOOKED_MAX = 10_000
"""Alarms that a page looks at for a filter; and those of each standing that are counted."""
UNITS_MAX = 500
"""Units that words may name."""
_OF_UNIT_MAX = 1_000
"""Alarms of one of them that are looked at, the newest first."""
_STAFF_MAX = 500
_CLOSED = 12
_EMPTY: list[int] = []
"""No unit, or no rule, is called so."""
_FIRST = (-1, -(2**62))
"""Before every place."""


@dataclass(frozen=True, slots=True)
class Held:
    """An alarm whose row is held until the transaction ends."""

    id: int
    unit_id: int
    work: Work


@dataclass(frozen=True, slots=True)
class Filters:
    """Which alarms a list has; what is None lets all through."""

    words: str = ""
    """How a serial begins; where none does, part of a title."""
    unit: str | None = None
    product: str | None = None
    severity: str | None = None
    standing: Standing | None = None
    assignee_id: int | None = None
    unassigned: bool = False
    historic: bool | None = None
    newest: bool = False
    """Sorted by time alone, with the closed ones; else by urgency, and without them unless `standing` asks for them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the place of the next page; a page that looked at LOOKED_MAX may have few rows and yet a next one."""

    rows: list[Row]
    next: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `more` says that there may be more than were looked at."""

    alarms: int
    more: bool


def hold(tx: Connection, public_id: str) -> Held | None:
    """Returns an alarm by its public id, locked until `tx` ends."""
    row = tx.execute(queries.hold, {"public_id": public_id}).fetchone()
    return Held(row.pop("id"), row.pop("unit_id"), Work(**row)) if row else None


def is_done(tx: Connection, alarm_id: int, key: str) -> bool:
    """Whether an act with this key was done."""
    return tx.execute(queries.act_by_key, {"id": alarm_id, "key": key}).fetchone() is not None


def staff_member(tx: Connection, public_id: str) -> int | None:
    """Returns the row id of the person whose account of the staff this is."""
    row = tx.execute(queries.staff_member, {"public_id": public_id, "roles": list(STAFF)}).fetchone()
    return row["id"] if row else None


def staff_members(connection: Connection) -> list[Row]:
    """Everybody to whom an alarm may be assigned."""
    return connection.execute(queries.staff_members, {"limit": _STAFF_MAX}).fetchall()


def last_change(tx: Connection, alarm_id: int) -> Row | None:
    """Returns the newest act that changed an alarm: `act`, `revision`, and the `name` of whose it was."""
    return tx.execute(queries.last_change, {"id": alarm_id}).fetchone()


def keep(tx: Connection, alarm_id: int, work: Work, act: Act) -> None:
    """Store where an alarm stands, and the act that brought it there."""
    tx.execute(queries.keep_work, asdict(work) | {"id": alarm_id})
    tx.execute(
        queries.insert_act,
        {
            "id": alarm_id,
            "at": act.at,
            "person_id": act.person_id,
            "act": act.kind,
            "value": act.value,
            "text": act.text,
            "revision": work.revision,
            "key": act.key,
        },
    )


def page(connection: Connection, filters: Filters, place: Sequence[int] | None, limit: int, language: str) -> Page:
    """Returns a page of alarms behind a place, titles in a language."""
    low, high = _span(filters)
    rank, minus = place or _FIRST
    chosen = _chosen(connection, filters, language)
    if _EMPTY in (chosen["units"], chosen["versions"]):
        return Page([], None)
    is_filtered = any(value not in (None, False) for name, value in chosen.items() if name != "newest")
    looked = LOOKED_MAX if is_filtered else limit
    rows = connection.execute(
        queries.page,
        chosen
        | {"low": low, "high": high, "rank": rank, "minus": minus, "looked": looked, "of_unit": _OF_UNIT_MAX}
        | {"limit": limit, "language": language},
        prepare=False,  # the best plans with and without units differ
    ).fetchall()
    found = [_standing_named(in_present_schemas(row)) for row in rows if row["id"] is not None]
    if len(found) == limit:
        return Page(found, (found[-1]["rank"], found[-1]["minus"]))
    if chosen["units"] is None and rows[0]["looked"] >= looked:
        return Page(found, (rows[0]["last_rank"], rows[0]["last_minus"]))
    return Page(found, None)


def counts(connection: Connection, filters: Filters, language: str) -> dict[Standing, Count]:
    """Returns how many alarms the filters but the standing let through, by standing."""
    chosen = _chosen(connection, filters, language)
    found = {standing: Count(0, more=False) for standing in STANDINGS}
    if _EMPTY in (chosen["units"], chosen["versions"]):
        return found
    parameters = chosen | {"looked": LOOKED_MAX + 1, "of_unit": _OF_UNIT_MAX}
    del parameters["newest"]
    for row in connection.execute(queries.counts, parameters, prepare=False):
        count = Count(min(row["alarms"], LOOKED_MAX), more=row["looked"] > LOOKED_MAX)
        found[STANDINGS[row["standing"]]] = count
    return found


def record(connection: Connection, public_id: str, now: datetime) -> Row | None:
    """Returns one alarm with its rule's document, unit, product, metric and the unit's owner."""
    row = connection.execute(queries.record, {"public_id": public_id, "now": now}).fetchone()
    if row is None:
        return None
    return _standing_named(in_present_schemas(row)) | {"document": RULE.read(row["document"], row["rule_schema"])}


def acts(connection: Connection, alarm_id: int) -> list[Row]:
    """Returns what was done about an alarm, in order."""
    return connection.execute(queries.acts, {"id": alarm_id}).fetchall()


def _standing_named(row: Row) -> Row:
    return row | {"standing": STANDINGS[row["standing"]]}


def _span(filters: Filters) -> tuple[int, int]:
    """The least and the greatest urgency of a list."""
    if filters.standing is not None:
        low = STANDINGS.index(filters.standing) * 4
        return low, low + 3
    return 0, _CLOSED + 3 if filters.newest or filters.unit else _CLOSED - 1


def _chosen(connection: Connection, filters: Filters, language: str) -> Row:
    """The parameters of a list's filters: words and products become units and rule versions."""
    units = _units(connection, filters)
    title = None if units is not None or not filters.words else f"%{as_literal(filters.words)}%"
    versions = None
    if title is not None or filters.product is not None:
        parameters = {"product": filters.product, "title": title, "language": language}
        versions = [row["id"] for row in connection.execute(queries.versions_of, parameters)]
    return {
        "units": units,
        "versions": versions,
        "severity": filters.severity,
        "assignee": filters.assignee_id,
        "unassigned": filters.unassigned,
        "historic": filters.historic,
        "newest": filters.newest,
    }


def _units(connection: Connection, filters: Filters) -> list[int] | None:
    """The units that a list is about; None for all."""
    if filters.unit is not None:
        row = connection.execute(queries.unit_by_public_id, {"public_id": filters.unit}).fetchone()
        return [row["id"]] if row else []
    try:
        begin = as_literal(canonical_serial(filters.words)) + "%"
    except ValueError:  # no serial is written so
        return None
    return [
        row["id"] for row in connection.execute(queries.units_of_words, {"begin": begin, "limit": UNITS_MAX})
    ] or None
