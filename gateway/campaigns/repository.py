"""Campaigns in the database: rows to values, counts, progress."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.campaigns.audience import canonical, parameters
from gateway.campaigns.model import CAMPAIGN, Audience, AudienceCount, ByFirmware, ByLots, BySerials, Draft, Kind
from gateway.notify.network import EMAIL, PUSH
from gateway.store import Connection, Row, load_queries

queries = load_queries("gateway.campaigns")

NEWEST = 2**63 - 1
_NAMED_MAX = 20


def as_written(row: Row) -> Row:
    """A campaign's row with its documents in the present schema."""
    stored = {name: row[name] for name in ("content", "audience") if name in row}
    upgraded: Row = CAMPAIGN.read(stored, row["schema"])
    return row | upgraded | {"schema": CAMPAIGN.schema}


def _as_written(row: Row | None) -> Row | None:
    return None if row is None else as_written(row)


def hold(tx: Connection, public_id: str) -> Row | None:
    """A campaign by the id that stands in links, held until `tx` ends."""
    return _as_written(tx.execute(queries.hold, {"public_id": public_id}).fetchone())


def hold_former(tx: Connection, row_id: int | None) -> Row | None:
    """What a campaign supersedes, held until `tx` ends."""
    return _as_written(tx.execute(queries.hold_former, {"id": row_id}).fetchone())


def stored_draft(row: Row, former: str | None) -> Draft:
    """The draft that a campaign's row holds; `former` is the public id of what it supersedes."""
    written = {"product": row["product"], "content": row["content"], "audience": row["audience"], "supersedes": former}
    return Draft.model_validate(written)


def by_row(connection: Connection, row_id: int | None) -> Row | None:
    """A campaign by its row."""
    return None if row_id is None else _as_written(connection.execute(queries.by_number, {"id": row_id}).fetchone())


def find(connection: Connection, public_id: str) -> Row | None:
    """A campaign by the id that stands in links."""
    return _as_written(connection.execute(queries.campaign, {"public_id": public_id}).fetchone())


def count(
    connection: Connection,
    product_id: int,
    audience: Audience | None,
    kind: Kind,
    former: int | None,
    channels: Sequence[str],
    now: datetime,
) -> AudienceCount:
    """Whom an audience reaches now on the channels that are set up; of a withdrawal, whom what it withdraws had."""
    asked = parameters(audience) | {
        "product_id": product_id,
        "former": former,
        "withdraws": former if kind == "withdrawal" else None,
        "safety": kind == "recall",
        "email": EMAIL in channels,
        "push": PUSH in channels,
        "now": now,
    }
    row = connection.execute(queries.count, asked).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    return AudienceCount(
        **row,
        unregistered=row["units"] - row["registered"],
        channels=list(channels),
        **_unknown(connection, product_id, audience),
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
    return [as_written(row) for row in connection.execute(queries.lines, asked)]


def line(connection: Connection, public_id: str) -> Row | None:
    """One campaign, as in a list."""
    asked = {"before": NEWEST, "limit": 1, "state": None, "public_id": public_id}
    return _as_written(connection.execute(queries.lines, asked).fetchone())


def progress(connection: Connection, ids: Sequence[int], now: datetime) -> dict[int, Row]:
    """How far published campaigns came, by row, each with its channels."""
    asked = {"ids": list(ids), "now": now}
    progress_by_id = {
        row.pop("campaign_id"): row | {"channels": []} for row in connection.execute(queries.progress, asked)
    }
    for row in connection.execute(queries.channels, asked):
        progress_by_id[row.pop("campaign_id")]["channels"].append(row)
    return progress_by_id


def units(
    connection: Connection, campaign_id: int, after: int, limit: int, standing: str | None, now: datetime
) -> list[Row]:
    """A frozen audience behind a unit."""
    asked = {"id": campaign_id, "after": after, "limit": limit, "standing": standing, "now": now}
    return connection.execute(queries.units, asked).fetchall()


def joined(connection: Connection, ids: Sequence[int], now: datetime) -> dict[int, Row]:
    """By campaign, what matches it since its audience was frozen; only those that something matches."""
    rows = connection.execute(queries.joined, {"ids": list(ids), "now": now})
    return {row.pop("campaign_id"): row for row in rows}


def joined_units(connection: Connection, campaign_id: int, after: int, limit: int, now: datetime) -> list[Row]:
    """The units behind a unit that match a published campaign since its audience was frozen."""
    asked = {"id": campaign_id, "after": after, "limit": limit, "now": now}
    return connection.execute(queries.joined_units, asked).fetchall()


def choices(connection: Connection) -> list[Row]:
    """Every product with its lots."""
    return connection.execute(queries.choices).fetchall()
