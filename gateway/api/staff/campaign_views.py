"""Campaigns as the API shows them, and who may do what with them."""

from typing import Any

from gateway.accounts.model import Account
from gateway.api.models import ProductRef
from gateway.api.staff import campaign_models as models
from gateway.api.views import words
from gateway.campaigns.model import AudienceCount, Check
from gateway.store import Row

WRITERS = ("product_manager", "administrator")


def line(row: Row, progress: Row | None, joined: Row | None, account: Account) -> models.CampaignLine:
    """A campaign in a list; what a draft lacks is only looked at where one is opened."""
    return models.CampaignLine(**_common(row, progress, joined, _refused(row, account, [])), **_may_edit(row, account))


def campaign(
    row: Row,
    progress: Row | None,
    joined: Row | None,
    judged: tuple[AudienceCount, list[Check]] | None,
    account: Account,
) -> models.Campaign:
    """One campaign."""
    count, checks = judged or (None, [])
    return models.Campaign(
        **_common(row, progress, joined, _refused(row, account, checks)),
        **_may_edit(row, account),
        content=row["content"],
        audience=row["audience"],
        checks=checks,
        count=count,
    )


def choice(row: Row) -> models.ProductChoice:
    """A product to choose."""
    return models.ProductChoice(**row | {"name": words(row["name"], "en")})


def _common(row: Row, progress: Row | None, joined: Row | None, refused: str | None) -> dict[str, Any]:
    product = ProductRef(code=row["product_code"], name=words(row["product_name"], "en"), model=row["product_model"])
    fields = {name: row[name] for name in models.CampaignLine.model_fields if name in row}
    return fields | {
        "title": _title(row["content"]["title"], row["number"]),
        "product": product,
        "progress": None if progress is None else models.Progress(**progress),
        "joined": _joined(row, joined),
        "supersedes": _ref(row["supersedes"]),
        "successor": _ref(row["successor"]),
        "may_approve": refused is None,
        "may_not_approve_because": refused,
    }


def _joined(row: Row, joined: Row | None) -> models.Joined | None:
    """Nothing may have joined; a campaign that ended, or takes another back, gains no units."""
    if row["state"] != "published" or row["kind"] == "withdrawal":
        return None
    return models.Joined(**joined) if joined else models.Joined(units=0, registered=0)


def _may_edit(row: Row, account: Account) -> dict[str, bool]:
    return {"may_edit": row["state"] == "draft" and account.role in WRITERS}


def _refused(row: Row, account: Account, checks: list[Check]) -> str | None:
    """Why this person may not approve it."""
    if row["state"] != "draft":
        return "It is published already."
    if account.role not in WRITERS:
        return "Product managers and administrators approve."
    if account.person_id in row["authors"]:
        return "A second person approves: you drafted or edited this campaign."
    missing = sum(check.blocks for check in checks)
    return f"{missing} thing{'s are' if missing > 1 else ' is'} missing or wrong." if missing else None


def _ref(named: dict[str, Any] | None) -> models.CampaignRef | None:
    return models.CampaignRef(**named | {"title": _title(named["title"], named["number"])}) if named else None


def _title(texts: dict[str, str], number: str) -> str:
    """The English one; of a draft perhaps another one, or none yet."""
    return texts.get("en") or next(iter(texts.values()), number)
