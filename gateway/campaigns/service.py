"""Stage `draft`: campaigns are written, changed and thrown away; whoever wrote does not approve."""

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
"""Drafts at one time; published campaigns are kept for ever."""
_NO_FORMER = "supersedes: there is no such campaign"
_LETTERS = {"recall": "R", "update": "U", "withdrawal": "W"}


class Conflict(GatewayError):
    """Somebody else was quicker: what was read is not what is there."""

    code = "conflict"
    status = 409


@dataclass(frozen=True, slots=True)
class Writer:
    """Who drafts or approves."""

    person_id: int
    public_id: str


def draft(tx: Connection, who: Writer, written: Draft, now: datetime, new_id: IdMaker = random_id) -> str:
    """Begin a campaign. Returns its public id. Raises BadInput for a product or campaign that cannot be meant."""
    row = _row(tx, who, written, now) | {"kind": written.content.kind, "public_id": new_id()}
    _require_room(tx)
    letter = _LETTERS[written.content.kind]
    given = tx.execute(queries.next_number, {"kind": letter, "year": now.year}).fetchone()
    assert given is not None  # noqa: S101 - an upsert with RETURNING returns a row
    row["number"] = f"{letter}-{now.year}-{given['last']:02}"
    tx.execute(queries.insert_draft, row)
    say(tx, "campaign.drafted", row | {"content": dict(written.content)}, who)
    return str(row["public_id"])


def edit(tx: Connection, who: Writer, public_id: str, written: Draft, version: int, now: datetime) -> None:
    """Change a draft, and be one of its authors. Raises Conflict when it is not what was read."""
    held = hold_draft(tx, public_id, version)
    if written.content.kind != held["kind"]:
        raise BadInput("A draft keeps its kind; discard it and begin another.", ["content.kind: stays as it was"])
    row = _row(tx, who, written, now, held["id"]) | {"id": held["id"]}
    tx.execute(queries.update_draft, row)
    say(tx, "campaign.edited", held | {"content": dict(written.content)}, who)


def discard(tx: Connection, who: Writer, public_id: str) -> None:
    """Throw a draft away. Raises Conflict when it is published."""
    held = hold_draft(tx, public_id, None)
    tx.execute(queries.delete_draft, {"id": held["id"]})
    say(tx, "campaign.discarded", held, who)


def judged(
    connection: Connection, row: Row, channels: Sequence[str], now: datetime
) -> tuple[AudienceCount, list[Check]]:
    """Whom the draft in a row would reach now on `channels`, those that are set up, and what is missing in it."""
    former = repository.by_row(connection, row["supersedes"])
    written = repository.stored_draft(row, former["public_id"] if former else None)
    counts = repository.count(
        connection, row["product_id"], written.audience, written.content.kind, row["supersedes"], channels, now
    )
    return counts, checks(written, counts, former["state"] if former else None)


def count(
    connection: Connection,
    product: str,
    audience: Audience | None,
    kind: Kind,
    supersedes: str | None,
    channels: Sequence[str],
    now: datetime,
) -> AudienceCount:
    """Whom an audience that nobody keeps would reach now on the channels that are set up.

    Raises BadInput, field by field, for what is not here.
    """
    row = connection.execute(queries.product, {"code": product}).fetchone()
    former = repository.find(connection, supersedes) if supersedes else None
    problems = [] if row else [_not_here(product)]
    if supersedes and former is None:
        problems.append(_NO_FORMER)
    if problems or row is None:
        raise BadInput("This cannot be counted:", problems)
    return repository.count(connection, row["id"], audience, kind, former["id"] if former else None, channels, now)


def hold_draft(tx: Connection, public_id: str, version: int | None) -> Row:
    """A draft, held until `tx` ends. Raises NotFound; and Conflict when it is published, or of another version."""
    held = repository.hold(tx, public_id)
    if held is None:
        raise NotFound("There is no such campaign.")
    if held["state"] != "draft":
        raise Conflict(f"{held['number']} is {held['state']}: it can be superseded or withdrawn, not changed.")
    if version is not None and held["version"] != version:
        raise Conflict(f"{held['number']} was edited meanwhile; read it again.")
    return held


def say(tx: Connection, kind: str, row: Row, who: Writer, /, **more: Any) -> None:  # noqa: ANN401 - what the event tells
    """Write what became of a campaign into the event log."""
    title = row["content"]["title"].get("en", row["number"])
    data = {"campaign": row["public_id"], "number": row["number"], "title": title} | more
    append(tx, kind, data, actor=who.public_id)


def _require_room(tx: Connection) -> None:
    row = tx.execute(queries.drafts).fetchone()
    if row and row["drafts"] >= DRAFTS_MAX:
        raise Conflict(f"There are {row['drafts']} drafts; more than {DRAFTS_MAX} are not kept. Discard some first.")


def _row(tx: Connection, who: Writer, written: Draft, now: datetime, own: int | None = None) -> dict[str, Any]:
    product_id, former = _named(tx, written, own)
    return {
        "product_id": product_id,
        "content": Jsonb(written.content.model_dump()),
        "audience": Jsonb(written.audience.model_dump()) if written.audience else None,
        "schema": CAMPAIGN.schema,
        "supersedes": former["id"] if former else None,
        "person_id": who.person_id,
        "now": now,
    }


def _named(connection: Connection, written: Draft, own: int | None) -> tuple[int, Row | None]:
    """The product, and what is superseded; raises BadInput, field by field, where these cannot be meant."""
    product = connection.execute(queries.product, {"code": written.product}).fetchone()
    former = repository.find(connection, written.supersedes) if written.supersedes else None
    kind, problems = written.content.kind, []
    if product is None:
        problems.append(_not_here(written.product))
    if written.supersedes and (former is None or former["id"] == own):
        problems.append(_NO_FORMER)
    elif former is not None:
        if former["product"] != written.product:
            problems.append(f"product: {former['number']} is about {former['product']}")
        if former["state"] == "draft" or former["kind"] == "withdrawal":
            problems.append(f"supersedes: {former['number']} is {_what(former)}, nothing that takes effect")
        elif kind not in {former["kind"], "withdrawal"}:
            problems.append(f"supersedes: {former['number']} is of another kind, {former['kind']}")
    if kind == "withdrawal" and written.supersedes is None:
        problems.append("supersedes: say what is withdrawn")
    if kind == "withdrawal" and written.audience is not None:
        problems.append("audience: a withdrawal goes to whom it concerned; leave it out")
    if problems or product is None:
        raise BadInput("The campaign cannot be kept so:", problems)
    return product["id"], former


def _not_here(product: str) -> str:
    return f"product: {product!r} is not here; import its product file first"


def _what(former: Row) -> str:
    return "a draft" if former["state"] == "draft" else "a withdrawal"
