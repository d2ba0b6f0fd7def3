"""What the staff's lists share: where a page begins, what is counted over all rows, and how a list is saved as CSV.

A list is `GET /api/<things>?<filters>&sort=&after=&limit=`. It returns the rows of one page, `next` (where the next
page begins) and `counts` (over every row that the filters let through, not over the page). `GET /api/<things>.csv` with
the same filters saves the list.
"""

import csv
import io
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from gateway.core.errors import BadInput
from gateway.store import Connection, Database, Row

SAVED_MAX = 1_000_000
"""Rows of one file."""
_SAVED_AT_ONCE = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Place = Annotated[str, Query(max_length=500, description="The `next` of a page; empty for the first one.")]
Words = Annotated[str, Query(max_length=100)]


def place_of(row: Row | None, *columns: str) -> str | None:
    """Returns the place after a row, by the columns that the list is sorted by; the id is the last of them."""
    return None if row is None else place_after([row[column] for column in columns])


def place_after(values: Sequence[object] | None) -> str | None:
    """Returns the place after these values; None where nothing follows."""
    if values is None:
        return None
    return urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def next_place(rows: Sequence[Row], limit: int, *columns: str) -> str | None:
    """Returns where the next page begins; None when this one was not full."""
    return place_of(rows[-1], *columns) if len(rows) == limit else None


def read_place(text: str, columns: int) -> list[Any] | None:
    """Returns the values of a place, None for the first page; raises BadInput for what no page returned."""
    if not text:
        return None
    try:
        values = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, NotBase64) as error:
        raise BadInput("This is not a place in the list; use the `next` of a page") from error
    if not isinstance(values, list) or len(values) != columns:
        raise BadInput("This is not a place in this list; use the `next` of a page of the same order")
    return values


def as_csv(
    database: Database,
    name: str,
    columns: Sequence[str],
    page: Callable[[Connection, str, int], tuple[Sequence[Sequence[object]], str | None]],
) -> StreamingResponse:
    """Returns a list as a file, read page by page, so that no transaction lasts as long as the download.

    `page` gets a connection, a place and a limit, and returns rows of cells and the next place.
    """

    def lines() -> Iterator[str]:
        yield "\ufeff" + _line(columns)  # the mark lets spreadsheets read it as UTF-8
        place: str | None = ""
        saved = 0
        while place is not None and saved < SAVED_MAX:
            with database.read() as connection:
                rows, place = page(connection, place, min(_SAVED_AT_ONCE, SAVED_MAX - saved))
            saved += len(rows)
            yield "".join(_line([_cell(value) for value in row]) for row in rows)

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def _line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is written as a text."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
