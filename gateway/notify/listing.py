"""Notices as the staff see them: a list in which a campaign is one line, and one notice with all that became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.core.serial import canonical_serial
from gateway.notify.model import LEDGER
from gateway.notify.repository import as_written, queries
from gateway.store import Connection, Row, as_literal

LOOKED_MAX = 10_000
"""Notices that a page looks at for a filter; and those that are counted."""
FOUND_MAX = 100
"""Units, and people, that words may name."""
_OF_ONE_MAX = 1_000
"""Notices of one of them that are looked at."""
_RECORDS_MAX = 50
_TRAIL_MAX = 1_000
_CAMPAIGNS = ("recall", "update", "withdrawal")
_FIRST = (-1, -(2**62))
_ALL, _OPEN, _OVER = (0, 6), (0, 4), (5, 6)
"""Spans of `notice_urgency` and the ranks of campaigns (migration 0035)."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which notices a list has; what is None lets all through."""

    words: str = ""
    """How a serial or the owner's name begins; of campaigns part of number or title."""
    kind: str | None = None
    severity: str | None = None
    """Of alarms' notices: with one, no campaign is shown."""
    state: Literal["open", "over"] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the place of the next page; a page that looked at LOOKED_MAX may have few rows and yet a next one."""

    rows: list[Row]
    next: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `more` says that there may be more than were looked at."""

    notices: int
    more: bool


def page(
    connection: Connection, filters: Filters, place: Sequence[int] | None, limit: int, language: str, now: datetime
) -> Page:
    """Returns a page of notices and campaigns behind a place, the titles of campaigns in a language."""
    rank, minus = place or _FIRST
    chosen = _chosen(connection, filters)
    is_filtered = chosen["units"] is not None or filters.severity is not None
    looked = LOOKED_MAX if is_filtered else limit
    parameters = {"rank": rank, "minus": minus, "looked": looked, "of_one": _OF_ONE_MAX, "limit": limit, "now": now}
    # Not prepared, because the best plans with and without words differ.
    rows = connection.execute(queries.listed, chosen | parameters, prepare=False).fetchall()
    found = [_titled(row, language) for row in rows if row["id"] is not None]
    if len(found) == limit:
        return Page(found, (found[-1]["rank"], found[-1]["minus"]))
    if chosen["units"] is None and rows[0]["looked"] >= looked:
        return Page(found, (rows[0]["last_rank"], rows[0]["last_minus"]))
    return Page(found, None)


def _titled(row: Row, language: str) -> Row:
    """A row with its title; that of a campaign in a language, else in English."""
    if row["campaign_id"] is not None:
        titles = row["titles"] or {}
        return row | {"title": titles.get(language) or titles.get("en") or row["number"]}
    return row | {"title": as_written({"text": row["text"], "schema": row["schema"]})["text"]["title"]}


def counts(connection: Connection, filters: Filters) -> dict[str, Count]:
    """Returns how many the filters let through: `open` and `over` notices of alarms, and `campaigns`."""
    parameters = _chosen(connection, filters) | {"looked": LOOKED_MAX + 1, "of_one": _OF_ONE_MAX}
    found = {name: Count(0, more=False) for name in ("open", "over", "campaigns")}
    for row in connection.execute(queries.counted, parameters, prepare=False):
        found[row["name"]] = Count(min(row["notices"], LOOKED_MAX), more=row["looked"] > LOOKED_MAX)
    return found


def record(connection: Connection, public_id: str, language: str, now: datetime) -> Row | None:
    """Returns a notice by its public id with its `trail`."""
    rows = _records(connection, {"public_id": public_id, "alarm_id": None}, language, now)
    return rows[0] if rows else None


def of_alarm(connection: Connection, alarm_id: int, language: str, now: datetime) -> list[Row]:
    """Returns the notices that tell of an alarm, each with its `trail`."""
    return _records(connection, {"public_id": None, "alarm_id": alarm_id}, language, now)


def _records(connection: Connection, which: Row, language: str, now: datetime) -> list[Row]:
    parameters = which | {"language": language, "now": now, "limit": _RECORDS_MAX}
    rows = [as_written(row) for row in connection.execute(queries.records, parameters, prepare=False)]
    trails: dict[int, list[Row]] = {row["row"]: _of_the_feed(row, now) for row in rows}
    for step in connection.execute(queries.trail, {"ids": list(trails), "limit": _TRAIL_MAX}):
        trails[step.pop("notice_id")].append(step)
    return [row | {"trail": sorted(trails[row["row"]], key=lambda step: step["at"])} for row in rows]


def _of_the_feed(row: Row, now: datetime) -> list[Row]:
    """A notice is in the feed as soon as it is visible; one that was over before then is not told."""
    if row["visible_at"] > now:
        return []
    at = max(row["visible_at"], row["created_at"])
    step = "skipped" if row["skip_reason"] else "told"
    return [{"at": at, "channel": "feed", "step": step, "reason": row["skip_reason"] or ""}]


def ledger_of(connection: Connection, *, alarm_id: int | None = None, notice_id: int | None = None) -> list[Row]:
    """Returns what the stages decided about an alarm, or what a notice tells of, the newest first."""
    parameters = {"alarm_id": alarm_id, "notice_id": notice_id, "limit": _RECORDS_MAX}
    rows = connection.execute(queries.ledger_of, parameters, prepare=False)
    return [row | {"steps": LEDGER.read(row["steps"], row.pop("schema"))} for row in rows]


def _chosen(connection: Connection, filters: Filters) -> Row:
    """The parameters of a list's filters: words become units, people and part of a title."""
    kinds = [kind for kind in _CAMPAIGNS if filters.severity is None and filters.kind in (None, kind)]
    low, high = {"open": _OPEN, "over": _OVER, None: _ALL}[filters.state]
    return _named(connection, filters.words) | {
        "alarms": filters.kind in (None, "alarm"),
        "kinds": kinds,
        "severity": filters.severity,
        "title": f"%{as_literal(filters.words)}%" if filters.words else None,
        "low": low,
        "high": high,
    }


def _named(connection: Connection, words: str) -> Row:
    """The units and people that words name; None without words."""
    if not words:
        return {"units": None, "persons": None}
    people = {"words": words, "limit": FOUND_MAX}
    return {
        "units": _units(connection, words),
        "persons": [row["id"] for row in connection.execute(queries.people_begun, people)],
    }


def _units(connection: Connection, words: str) -> list[int]:
    try:
        begin = f"{as_literal(canonical_serial(words))}%"
    except ValueError:  # no serial is written so
        return []
    return [row["id"] for row in connection.execute(queries.units_begun, {"begin": begin, "limit": FOUND_MAX})]
