"""What the reading endpoints share: a connection for one request, the limits of a page, and how it is sent."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from gateway.store import Connection, Database, Row

PAGE_MAX = 500
READINGS_MAX = 20_000
MINUTES_MAX = 60 * 24 * 3_660
"""Ten years."""
NEWEST = 2**63 - 1


def connection(request: Request) -> Iterator[Connection]:
    """Yields a connection for one request."""
    database: Database = request.app.state.database
    with database.read() as request_connection:
        yield request_connection


def pool(request: Request) -> Database:
    """Returns the database, for who needs transactions of its own."""
    database: Database = request.app.state.database
    return database


Reading = Annotated[Connection, Depends(connection)]
Pool = Annotated[Database, Depends(pool)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Rows = Annotated[int, Query(ge=1, le=READINGS_MAX)]
After = Annotated[int, Query(ge=0)]
Before = Annotated[int, Query(ge=0)]


def as_json(page: BaseModel) -> Response:
    """Returns a page as it is sent, written in the endpoint's own thread; else it is validated a second time."""
    return Response(page.model_dump_json(), media_type="application/json")


def next_page(rows: list[Row], limit: int, key: str) -> str | None:
    """Where the next page begins; None when this one was not full."""
    return str(rows[-1][key]) if len(rows) == limit else None
