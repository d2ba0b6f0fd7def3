"""Campaigns in the database: rows to values, counts, progress."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.campaigns.audience import canonical, parameters
from gateway.campaigns.model import Audience, AudienceCount, ByFirmware, ByLots, BySerials, Draft, Kind
from gateway.store import Connection, Row, load_queries

queries = load_queries("gateway.campaigns")

NEWEST = 2**63 - 1
_NAMED_MAX = 20


def stored_draft(row: Row, former: str | None) -> Draft:
    """The draft that a campaign's row holds; `former` is the public id of what it supersedes."""
    written = {"product": row["product"], "content": row["content"], "audience": row["audience"], "supersedes": former}
    return Draft.model_validate(written)


def by_row(connection: Connection, row_id: int | None) -> Row | None:
    """A campaign by its row."""
    return None if row_id is None else connection.execute(queries.by_number, {"id": row_id}).fetchone()


def find(connection: Connection, public_id: str) -> Row | None:
    """A campaign by the id that stands in links."""
    return connection.execute(queries.campaign, {"public_id": public_id}).fetchone()


def count(
    connection: Connection,
    product_id: int,
    audience: Audience | None,
    kind: Kind,
    former: int | None,
    now: datetime,
) -> AudienceCount:
    """Whom an audience reaches now; of a withdrawal, whom what it withdraws had reached."""
    asked = parameters(audience) | {
        "product_id": product_id,
        "former": former,
        "withdraws": former if kind == "withdrawal" else None,
        "safety": kind == "recall",
        "now": now,
    }
    row = connection.execute(queries.count, asked).fetchone()
    assert row is not None  # noqa: S101 - an aggregate answers a row
    return AudienceCount(
        **row, unregistered=row["units"] - row["registered"], **_unknown(connection, product_id, audience)
    )


def _unknown(connection: Connection, product_id: int, audience: Audience | None) -> dict[str, Any]:
    """What an audience names that is not here, or not known."""
    asked = {"product_id": product_id, "limit": _NAMED_MAX}
    serials, lots, firmware = [], [], 0
    match audience:
        case BySerials(serials=typed):
            listed = asked | {"typed": typed, "serials": canonical(typed)}
            serials = [row["typed"] for row in connection.execute(queries.unknown_serials, listed)]
        case ByLots(lots=named):
            lots = [row["lot"] for row in connection.execute(queries.unknown_lots, asked | {"lots": named})]
        case ByFirmware():
            row = connection.execute(queries.unknown_firmware, asked).fetchone()
            firmware = row["units"] if row else 0
    return {"unknown_serials": serials, "unknown_lots": lots, "unknown_firmware": firmware}


def lines(connection: Connection, before: int, limit: int, state: str | None) -> list[Row]:
    """Campaigns below a number, the newest first."""
    asked = {"before": before, "limit": limit, "state": state, "public_id": None}
    return connection.execute(queries.lines, asked).fetchall()


def line(connection: Connection, public_id: str) -> Row | None:
    """One campaign, as in a list."""
    asked = {"before": NEWEST, "limit": 1, "state": None, "public_id": public_id}
    return connection.execute(queries.lines, asked).fetchone()


def progress(connection: Connection, ids: Sequence[int], now: datetime) -> dict[int, Row]:
    """How far published campaigns came, by row, each with its channels."""
    asked = {"ids": list(ids), "now": now}
    found = {row.pop("campaign_id"): row | {"channels": []} for row in connection.execute(queries.progress, asked)}
    for row in connection.execute(queries.channels, asked):
        found[row.pop("campaign_id")]["channels"].append(row)
    return found


def units(
    connection: Connection, campaign_id: int, after: int, limit: int, standing: str | None, now: datetime
) -> list[Row]:
    """A frozen audience behind a unit."""
    asked = {"id": campaign_id, "after": after, "limit": limit, "standing": standing, "now": now}
    return connection.execute(queries.units, asked).fetchall()


def choices(connection: Connection) -> list[Row]:
    """Every product with its lots."""
    return connection.execute(queries.choices).fetchall()
