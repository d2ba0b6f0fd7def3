"""Campaigns in the database: rows as values, counts and progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from gateway.campaigns.audience import audience_parameters, canonical_serials
from gateway.campaigns.model import CAMPAIGN, Audience, AudienceCount, ByFirmware, ByLots, BySerials, Draft, Kind, State
from gateway.store import Connection, Row, as_literal, load_queries

queries = load_queries("gateway.campaigns")

NEWEST = 2**63 - 1
FIGURE_ROWS_MAX = 50
"""Rows of a campaign's figures from which on they are summed."""
COUNT_MAX = 10_000
_EXAMPLES_MAX = 20


def as_written(row: Row) -> Row:
    """A campaign's row with its documents in the present schema."""
    stored = {name: row[name] for name in ("content", "audience") if name in row}
    upgraded: Row = CAMPAIGN.read(stored, row["schema"])
    return row | upgraded | {"schema": CAMPAIGN.schema}


def _as_written(row: Row | None) -> Row | None:
    return None if row is None else as_written(row)


def hold(tx: Connection, public_id: str) -> Row | None:
    """Returns a campaign by its public id, locked until `tx` ends."""
    return _as_written(tx.execute(queries.hold, {"public_id": public_id}).fetchone())


def hold_former(tx: Connection, row_id: int | None) -> Row | None:
    """Returns a superseded campaign by its row id, locked until `tx` ends."""
    return _as_written(tx.execute(queries.hold_former, {"id": row_id}).fetchone())


def stored_draft(row: Row, former: str | None) -> Draft:
    """Returns the draft in a campaign's row; `former` is the public id of the campaign that it supersedes."""
    document = {"product": row["product"], "content": row["content"], "audience": row["audience"], "supersedes": former}
    return Draft.model_validate(document)


def by_row(connection: Connection, row_id: int | None) -> Row | None:
    """Returns a campaign by its row id."""
    return None if row_id is None else _as_written(connection.execute(queries.by_number, {"id": row_id}).fetchone())


def find(connection: Connection, public_id: str) -> Row | None:
    """Returns a campaign by its public id."""
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
    """Returns the reach of an audience now on these channels; of a withdrawal, the reach of what it withdraws."""
    parameters = audience_parameters(audience) | {
        "product_id": product_id,
        "former": former,
        "withdraws": former if kind == "withdrawal" else None,
        "safety": kind == "recall",
        "email": "email" in channels,
        "push": "push" in channels,
        "now": now,
    }
    row = connection.execute(queries.count, parameters).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    return AudienceCount(
        **row,
        unregistered=row["units"] - row["registered"],
        channels=list(channels),
        **_unknown(connection, product_id, audience),
    )


def _unknown(connection: Connection, product_id: int, audience: Audience | None) -> dict[str, Any]:
    """Returns the serials and lots of an audience that do not exist, and the number of units of unknown firmware."""
    parameters = {"product_id": product_id, "limit": _EXAMPLES_MAX}
    serials, lots, firmware = [], [], 0
    match audience:
        case BySerials(serials=typed):
            typed_and_canonical = parameters | {"typed": typed, "serials": canonical_serials(typed)}
            serials = [row["typed"] for row in connection.execute(queries.unknown_serials, typed_and_canonical)]
        case ByLots(lots=named):
            lots = [row["lot"] for row in connection.execute(queries.unknown_lots, parameters | {"lots": named})]
        case ByFirmware():
            row = connection.execute(queries.unknown_firmware, parameters).fetchone()
            firmware = row["units"] if row else 0
    return {"unknown_serials": serials, "unknown_lots": lots, "unknown_firmware": firmware}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which campaigns a list has; what is None or empty lets all through."""

    kind: Kind | None = None
    state: State | None = None
    product: str | None = None
    words: str = ""
    """Part of a number or a title."""

    @property
    def parameters(self) -> dict[str, str | None]:
        """What the queries take."""
        like = f"%{as_literal(self.words)}%" if self.words else None
        return {"kind": self.kind, "state": self.state, "product": self.product, "words": like}


def lines(connection: Connection, filters: Filters, before: int, limit: int) -> list[Row]:
    """Campaigns below a number that the filters let through, the newest first."""
    parameters = filters.parameters | {"before": before, "limit": limit, "public_id": None}
    return [as_written(row) for row in connection.execute(queries.lines, parameters)]


def line(connection: Connection, public_id: str) -> Row | None:
    """One campaign, as in a list."""
    parameters = Filters().parameters | {"before": NEWEST, "limit": 1, "public_id": public_id}
    return _as_written(connection.execute(queries.lines, parameters).fetchone())


def count_lines(connection: Connection, filters: Filters) -> dict[State, int]:
    """Returns how many campaigns of each state the other filters let through, among the newest COUNT_MAX."""
    parameters = filters.parameters | {"looked": COUNT_MAX}
    del parameters["state"]
    counts: dict[State, int] = dict.fromkeys(get_args(State), 0)
    return counts | {row["state"]: row["campaigns"] for row in connection.execute(queries.count_lines, parameters)}


def units(
    connection: Connection, campaign_id: int, after: int, limit: int, standing: str | None, now: datetime
) -> list[Row]:
    """Returns the units of a frozen audience with row ids above `after`."""
    parameters = {"id": campaign_id, "after": after, "limit": limit, "standing": standing, "now": now}
    return connection.execute(queries.units, parameters).fetchall()


def joined(connection: Connection, ids: Sequence[int], now: datetime) -> dict[int, Row]:
    """Returns, by campaign, the counts of units that match it since its audience was frozen; none without such."""
    rows = connection.execute(queries.joined, {"ids": list(ids), "now": now})
    return {row.pop("campaign_id"): row for row in rows}


def joined_units(connection: Connection, campaign_id: int, after: int, limit: int, now: datetime) -> list[Row]:
    """Returns the units with row ids above `after` that match a campaign since its audience was frozen."""
    parameters = {"id": campaign_id, "after": after, "limit": limit, "now": now}
    return connection.execute(queries.joined_units, parameters).fetchall()


def choices(connection: Connection) -> list[Row]:
    """Returns every product with its lots."""
    return connection.execute(queries.choices).fetchall()


def steps_due(connection: Connection, channels: Sequence[str], now: datetime) -> set[str]:
    """Returns the names of the worker's steps that have something to do, where these channels are set up."""
    parameters = {"channels": list(channels), "now": now, "most": FIGURE_ROWS_MAX}
    return {row["step"] for row in connection.execute(queries.steps_due, parameters)}
