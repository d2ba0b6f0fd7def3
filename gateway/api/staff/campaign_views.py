"""Campaign rows as the API returns them, with what the account may do."""

from typing import Any

from gateway.accounts.model import Account
from gateway.accounts.rights import may
from gateway.api.models import ProductRef
from gateway.api.staff import campaign_models as models
from gateway.api.views import words
from gateway.campaigns.model import AudienceCount, Check
from gateway.store import Row


def line(row: Row, progress: Row | None, joined: Row | None, account: Account) -> models.CampaignLine:
    """Returns a campaign in a list; drafts are only checked where one is opened."""
    return models.CampaignLine(**_common(row, progress, joined, _obstacle(row, account, [])), **_may_edit(row, account))


def campaign(
    row: Row,
    progress: Row | None,
    joined: Row | None,
    count_and_checks: tuple[AudienceCount, list[Check]] | None,
    account: Account,
) -> models.Campaign:
    """Returns one campaign."""
    count, checks = count_and_checks or (None, [])
    return models.Campaign(
        **_common(row, progress, joined, _obstacle(row, account, checks)),
        **_may_edit(row, account),
        content=row["content"],
        audience=row["audience"],
        checks=checks,
        count=count,
    )


def choice(row: Row) -> models.ProductChoice:
    """Returns a product to choose."""
    return models.ProductChoice(**row | {"name": words(row["name"], "en")})


def _common(row: Row, progress: Row | None, joined: Row | None, obstacle: str | None) -> dict[str, Any]:
    product = ProductRef(code=row["product_code"], name=words(row["product_name"], "en"), model=row["product_model"])
    fields = {name: row[name] for name in models.CampaignLine.model_fields if name in row}
    return fields | {
        "title": _title(row["content"]["title"], row["number"]),
        "product": product,
        "progress": None if progress is None else models.Progress(**progress),
        "joined": _joined(row, joined),
        "supersedes": _ref(row["supersedes"]),
        "successor": _ref(row["successor"]),
        "may_approve": obstacle is None,
        "may_not_approve_because": obstacle,
    }


def _joined(row: Row, joined: Row | None) -> models.Joined | None:
    """Returns None for a campaign that has ended, or is a withdrawal: no units are counted for it."""
    if row["state"] != "published" or row["kind"] == "withdrawal":
        return None
    return models.Joined(**joined) if joined else models.Joined(units=0, registered=0)


def _may_edit(row: Row, account: Account) -> dict[str, bool]:
    return {"may_edit": row["state"] == "draft" and may(account.role, "write_campaigns")}


def _obstacle(row: Row, account: Account, checks: list[Check]) -> str | None:
    """Returns why this account may not approve the campaign; None if it may."""
    if row["state"] != "draft":
        return "It is published already."
    if not may(account.role, "write_campaigns"):
        return "Product managers and administrators approve."
    if account.person_id in row["authors"]:
        return "A second person approves: you drafted or edited this campaign."
    missing = sum(check.blocks for check in checks)
    return f"{missing} thing{'s are' if missing > 1 else ' is'} missing or wrong." if missing else None


def _ref(campaign: dict[str, Any] | None) -> models.CampaignRef | None:
    return (
        models.CampaignRef(**campaign | {"title": _title(campaign["title"], campaign["number"])}) if campaign else None
    )


def _title(texts: dict[str, str], number: str) -> str:
    """Returns the English title; a draft may have only another one, or none: then the number."""
    return texts.get("en") or next(iter(texts.values()), number)


COLUMNS = (
    *("campaign", "number", "kind", "state", "title", "product", "units", "notified", "seen", "acknowledged"),
    *("written by", "edited", "approved by", "published", "ended"),
)
"""Of a saved list."""


def saved(listed: models.CampaignLine) -> list[object]:
    """A campaign as a line of a saved list."""
    figures = listed.progress
    return [
        *(listed.id, listed.number, listed.kind, listed.state, listed.title, listed.product.code, listed.units),
        *((figures.notified, figures.seen, figures.acknowledged) if figures else (None, None, None)),
        *(listed.created_by, listed.edited_at.isoformat(), listed.approved_by),
        *(moment.isoformat() if moment else None for moment in (listed.published_at, listed.ended_at)),
    ]
