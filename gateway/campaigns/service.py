"""Stage `draft`: campaigns are written, changed and discarded; their authors do not approve them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.campaigns import repository
from gateway.campaigns.checks import checks
from gateway.campaigns.model import CAMPAIGN, Audience, AudienceCount, Check, Draft, Kind
from gateway.campaigns.repository import queries
from gateway.core.errors import BadInput, GatewayError, NotFound
from gateway.core.ids import IdMaker, random_id
from gateway.events import append
from gateway.store import Connection, Jsonb, Row

DRAFTS_MAX = 500
"""The most drafts at one time; published campaigns are kept for ever."""
_NO_FORMER = "supersedes: there is no such campaign"
_LETTERS = {"recall": "R", "update": "U", "withdrawal": "W"}


class Conflict(GatewayError):
    """Somebody else changed the campaign after it was read."""

    code = "conflict"
    status = 409


@dataclass(frozen=True, slots=True)
class Writer:
    """Who drafts or approves."""

    person_id: int
    public_id: str


def draft(tx: Connection, who: Writer, draft_document: Draft, now: datetime, new_id: IdMaker = random_id) -> str:
    """Create a campaign. Returns its public id. Raises BadInput for an unknown product or wrong former campaign."""
    row = _row(tx, who, draft_document, now) | {"kind": draft_document.content.kind, "public_id": new_id()}
    _require_room(tx)
    letter = _LETTERS[draft_document.content.kind]
    number_row = tx.execute(queries.next_number, {"kind": letter, "year": now.year}).fetchone()
    assert number_row is not None  # noqa: S101 - an upsert with RETURNING returns a row
    row["number"] = f"{letter}-{now.year}-{number_row['last']:02}"
    tx.execute(queries.insert_draft, row)
    append_event(tx, "campaign.drafted", row | {"content": dict(draft_document.content)}, who)
    return str(row["public_id"])


def edit(tx: Connection, who: Writer, public_id: str, draft_document: Draft, version: int, now: datetime) -> None:
    """Change a draft; the writer becomes one of its authors. Raises Conflict when its version is another."""
    draft_row = hold_draft(tx, public_id, version)
    if draft_document.content.kind != draft_row["kind"]:
        raise BadInput("A draft keeps its kind; discard it and begin another.", ["content.kind: stays as it was"])
    row = _row(tx, who, draft_document, now, draft_row["id"]) | {"id": draft_row["id"]}
    tx.execute(queries.update_draft, row)
    append_event(tx, "campaign.edited", draft_row | {"content": dict(draft_document.content)}, who)


def discard(tx: Connection, who: Writer, public_id: str) -> None:
    """Discard a draft. Raises Conflict when it is published."""
    draft_row = hold_draft(tx, public_id, None)
    tx.execute(queries.delete_draft, {"id": draft_row["id"]})
    append_event(tx, "campaign.discarded", draft_row, who)


def count_and_check(
    connection: Connection, row: Row, channels: Sequence[str], now: datetime
) -> tuple[AudienceCount, list[Check]]:
    """Returns the reach of the draft in a row on `channels`, those that are set up, and what is missing in it."""
    former = repository.by_row(connection, row["supersedes"])
    draft_document = repository.stored_draft(row, former["public_id"] if former else None)
    counts = repository.count(
        connection,
        row["product_id"],
        draft_document.audience,
        draft_document.content.kind,
        row["supersedes"],
        channels,
        now,
    )
    return counts, checks(draft_document, counts, former["state"] if former else None)


def count(
    connection: Connection,
    product: str,
    audience: Audience | None,
    kind: Kind,
    supersedes: str | None,
    channels: Sequence[str],
    now: datetime,
) -> AudienceCount:
    """Returns the reach now of an audience that is not stored, on the channels that are set up.

    Raises BadInput, field by field, for an unknown product or campaign.
    """
    row = connection.execute(queries.product, {"code": product}).fetchone()
    former = repository.find(connection, supersedes) if supersedes else None
    problems = [] if row else [_unknown_product(product)]
    if supersedes and former is None:
        problems.append(_NO_FORMER)
    if problems or row is None:
        raise BadInput("This cannot be counted:", problems)
    return repository.count(connection, row["id"], audience, kind, former["id"] if former else None, channels, now)


def hold_draft(tx: Connection, public_id: str, version: int | None) -> Row:
    """Returns a draft, locked until `tx` ends. Raises NotFound; and Conflict if published, or of another version."""
    row = repository.hold(tx, public_id)
    if row is None:
        raise NotFound("There is no such campaign.")
    if row["state"] != "draft":
        raise Conflict(
            f"{row['number']} is {row['state']}: it can be superseded or withdrawn, not changed.",
            code="not_a_draft",
            number=row["number"],
        )
    if version is not None and row["version"] != version:
        raise Conflict(f"{row['number']} was edited meanwhile; read it again.", number=row["number"])
    return row


def append_event(tx: Connection, kind: str, row: Row, who: Writer, /, **more: Any) -> None:  # noqa: ANN401 - what the event tells
    """Write an event of a campaign into the event log."""
    title = row["content"]["title"].get("en", row["number"])
    data = {"campaign": row["public_id"], "number": row["number"], "title": title} | more
    append(tx, kind, data, actor=who.public_id)


def _require_room(tx: Connection) -> None:
    row = tx.execute(queries.drafts).fetchone()
    if row and row["drafts"] >= DRAFTS_MAX:
        raise Conflict(
            f"There are {row['drafts']} drafts; more than {DRAFTS_MAX} are not kept. Discard some first.",
            code="too_many_drafts",
            drafts=row["drafts"],
        )


def _row(
    tx: Connection, who: Writer, draft_document: Draft, now: datetime, row_id: int | None = None
) -> dict[str, Any]:
    product_id, former = _product_and_former(tx, draft_document, row_id)
    return {
        "product_id": product_id,
        "content": Jsonb(draft_document.content.model_dump()),
        "audience": Jsonb(draft_document.audience.model_dump()) if draft_document.audience else None,
        "schema": CAMPAIGN.schema,
        "supersedes": former["id"] if former else None,
        "person_id": who.person_id,
        "now": now,
    }


def _product_and_former(connection: Connection, draft_document: Draft, row_id: int | None) -> tuple[int, Row | None]:
    """Returns the product's id and the superseded campaign. Raises BadInput, field by field, for wrong ones."""
    product = connection.execute(queries.product, {"code": draft_document.product}).fetchone()
    former = repository.find(connection, draft_document.supersedes) if draft_document.supersedes else None
    kind, problems = draft_document.content.kind, []
    if product is None:
        problems.append(_unknown_product(draft_document.product))
    if draft_document.supersedes and (former is None or former["id"] == row_id):
        problems.append(_NO_FORMER)
    elif former is not None:
        if former["product"] != draft_document.product:
            problems.append(f"product: {former['number']} is about {former['product']}")
        if former["state"] == "draft" or former["kind"] == "withdrawal":
            problems.append(f"supersedes: {former['number']} is {_kind_of_former(former)}, nothing that takes effect")
        elif kind not in {former["kind"], "withdrawal"}:
            problems.append(f"supersedes: {former['number']} is of another kind, {former['kind']}")
    if kind == "withdrawal" and draft_document.supersedes is None:
        problems.append("supersedes: say what is withdrawn")
    if kind == "withdrawal" and draft_document.audience is not None:
        problems.append("audience: a withdrawal goes to whom it concerned; leave it out")
    if problems or product is None:
        raise BadInput("The campaign cannot be kept so:", problems)
    return product["id"], former


def _unknown_product(product: str) -> str:
    return f"product: {product!r} is not here; import its product file first"


def _kind_of_former(former: Row) -> str:
    return "a draft" if former["state"] == "draft" else "a withdrawal"
