"""The list of units: filtered, by what is urgent or by serial, with counts. Bounded, however many units there are.

Where few units match, all of them are looked at. Else a page looks at the units of one state after the other, each
found on the side of its campaigns or alarms, and at 2,000 units at most: a page may be short, and the next one goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gateway.core.serial import canonical_serial
from gateway.readings.connection import UNHEALTHY_CADENCES
from gateway.store import SQL, Connection, Row, load_queries

queries = load_queries("gateway.support.units")

LOOKED_AT = 2_000
"""Units that one page looks at; counts are exact up to it."""
_COUNTED = 200
"""Units of one state that are counted, where many units match."""
_FIRST_STEP = 4

Sort = Literal["urgent", "serial"]
State = Literal["recalled", "critical", "checking", "warning", "update", "info", "fine", "silent"]
STATES: tuple[State, ...] = ("recalled", "critical", "checking", "warning", "update", "info", "fine", "silent")
"""By urgency, which begins with 1, as the function unit_urgency has it; a silent unit may be of any."""
_REST = STATES.index("fine") + 1


@dataclass(frozen=True, slots=True)
class Filters:
    """Which units a list shows; None lets all through."""

    words: str = ""
    """The beginning of a serial."""
    product: str | None = None
    lot: str | None = None
    firmware: str | None = None
    state: State | None = None
    registered: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The unit after which a page begins: by serial `urgency` is 0, by urgency `serial` is empty."""

    urgency: int = 0
    serial: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; `more`: at least."""

    number: int
    more: bool


class UnitList:
    """The units that filters let through, as they are now."""

    def __init__(self, connection: Connection, filters: Filters, now: datetime) -> None:
        self._connection = connection
        self._state = filters.state
        self._arguments = _arguments(connection, filters, now)
        self._few = self._all() if self._matching() <= LOOKED_AT else None

    def page(self, sort: Sort, after: Place, limit: int) -> tuple[list[int], Place | None]:
        """Returns the ids of the next units, and where the next page begins."""
        if self._is_by_serial(sort):
            rows, last = _walk(self._read_by_serial, after, self._is_chosen, limit, LOOKED_AT)
            return _ids(rows), Place(serial=last["serial"], id=last["id"]) if last else None
        if self._few is not None:
            return self._page_of_few(self._few, after, limit)
        return self._page_by_state(after, limit)

    def counts(self) -> tuple[Count, dict[State, Count]]:
        """Returns how many units there are, and how many of each state whatever state is chosen."""
        if self._few is not None:
            passing = [row for row in self._few if row["passes"]]
            states = {state: Count(sum(_is(row, state) for row in passing), more=False) for state in STATES}
            return states[self._state] if self._state else Count(len(passing), more=False), states
        states = {state: self._count(state) for state in STATES if state != "fine"}
        if self._state or self._arguments["registered"] is not None:
            return (states.get(self._state) if self._state else None) or Count(0, more=True), states
        return Count(LOOKED_AT, more=True), states

    def _is_by_serial(self, sort: Sort) -> bool:
        if self._few is None and self._state is None and self._arguments["registered"] is not None:
            return True  # state by state, all of one might have an owner
        return sort == "serial" and (self._few is not None or self._state in (None, "fine"))

    def _matching(self) -> int:
        row = self._run(queries.count, most=LOOKED_AT + 1)[0]
        return int(row["units"])

    def _all(self) -> list[Row]:
        return self._read_by_serial(Place(), LOOKED_AT)

    def _is_chosen(self, row: Row) -> bool:
        return row["passes"] and (self._state is None or _is(row, self._state))

    def _page_of_few(self, few: Sequence[Row], after: Place, limit: int) -> tuple[list[int], Place | None]:
        chosen = sorted((row for row in few if self._is_chosen(row)), key=lambda row: (row["urgency"], row["id"]))
        rest = [row for row in chosen if (row["urgency"], row["id"]) > (after.urgency, after.id)]
        rows = rest[:limit]
        return _ids(rows), Place(rows[-1]["urgency"], id=rows[-1]["id"]) if len(rest) > limit else None

    def _page_by_state(self, after: Place, limit: int) -> tuple[list[int], Place | None]:
        states = [self._state] if self._state else STATES[:_REST]
        ids: list[int] = []
        for state in states:
            urgency = STATES.index(state) + 1
            if urgency < after.urgency:
                continue
            begin = Place(id=after.id if urgency == after.urgency else 0)
            chosen = self._is_chosen if self._state else lambda row, state=state: row["passes"] and _of(row, state)
            rows, last = _walk(self._reader(state), begin, chosen, limit - len(ids), LOOKED_AT)
            ids += _ids(rows)
            if last is not None:
                return ids, Place(urgency, id=last["id"])
        return ids, None

    def _count(self, state: State) -> Count:
        rows, last = _walk(
            self._reader(state), Place(), lambda row: row["passes"] and _is(row, state), _COUNTED, _COUNTED
        )
        return Count(len(rows), more=last is not None)

    def _read_by_serial(self, after: Place, most: int) -> list[Row]:
        return self._run(queries.by_serial, after_serial=after.serial, after=after.id, most=most)

    def _reader(self, state: State) -> Callable[[Place, int], list[Row]]:
        """Returns what reads the next units that may be of a state, in the order of their ids."""
        query, more = _SOURCES[state]

        def read(after: Place, most: int) -> list[Row]:
            ids = _ids(self._run(query, after=after.id, most=most, **more))
            return self._run(queries.facts, ids=ids) if ids else []

        return read

    def _run(self, query: SQL, **arguments: Any) -> list[Row]:  # noqa: ANN401 - as the query takes them
        # Not prepared: only a plan for these filters goes by their index.
        return self._connection.execute(query, self._arguments | arguments, prepare=False).fetchall()


_SOURCES: dict[State, tuple[SQL, dict[str, Any]]] = {
    "recalled": (queries.in_campaigns, {"kind": "recall"}),
    "critical": (queries.in_alarm, {"severities": ["safety", "critical"]}),
    "checking": (queries.candidates, {}),
    "warning": (queries.in_alarm, {"severities": ["warning"]}),
    "update": (queries.in_campaigns, {"kind": "update"}),
    "info": (queries.in_alarm, {"severities": ["info"]}),
    "fine": (queries.in_order, {}),
    "silent": (queries.silent, {}),
}


def shown(connection: Connection, ids: Sequence[int], now: datetime) -> list[Row]:
    """Returns units as pages show them, in the order of the ids."""
    return connection.execute(queries.shown, {"ids": list(ids), "unit": None, "now": now}).fetchall()


def saved(connection: Connection, ids: Sequence[int], now: datetime) -> list[Row]:
    """Returns units as a saved list has them, in the order of the ids."""
    rows = connection.execute(queries.saved, {"ids": list(ids), "now": now}).fetchall()
    return [row | {"state": STATES[row["urgency"] - 1]} for row in rows]


def _arguments(connection: Connection, filters: Filters, now: datetime) -> dict[str, Any]:
    # A lot or a version is looked up product by product, as its index has them.
    by_product = filters.product or filters.lot or filters.firmware
    products = _ids(connection.execute(queries.products, {"code": filters.product})) if by_product else None
    return {
        "products": products,
        "lot": filters.lot,
        "firmware": filters.firmware,
        "prefix": _prefix(filters.words) if filters.words.strip() else None,
        "registered": filters.registered,
        "now": now,
        "cadences": UNHEALTHY_CADENCES,
    }


def _prefix(words: str) -> str:
    """Returns the pattern of serials that begin so; of what no serial begins with, one that matches none."""
    try:
        return canonical_serial(words).replace("_", r"\_") + "%"
    except ValueError:
        return ""


def _walk(
    read: Callable[[Place, int], list[Row]], after: Place, is_chosen: Callable[[Row], bool], want: int, most: int
) -> tuple[list[Row], Row | None]:
    """Returns the next chosen rows, and the last one looked at; None when there are no more."""
    chosen: list[Row] = []
    looked = 0
    last: Row | None = None
    step = min(most, want * _FIRST_STEP)
    while looked < most:
        rows = read(after, step)
        for last in rows:
            if is_chosen(last):
                chosen.append(last)
                if len(chosen) == want:
                    return chosen, last
        if len(rows) < step or last is None:
            return chosen, None
        looked += len(rows)
        after = Place(serial=last["serial"], id=last["id"])
        step = min(most - looked, step * 2)
    return chosen, last


def _is(row: Row, state: State) -> bool:
    """Whether a unit is of a state: what is silent is not known to be fine."""
    if state == "silent":
        return bool(row["silent"])
    return _of(row, state) and not (state == "fine" and row["silent"])


def _of(row: Row, state: State) -> bool:
    """Whether a unit stands among those of a state; the silent ones, among the fine."""
    return bool(row["urgency"] == STATES.index(state) + 1)


def _ids(rows: Any) -> list[int]:  # noqa: ANN401 - rows, or a cursor of them
    return [row["id"] for row in rows]
