"""Products and their figures over HTTP, for product managers and whoever else of the staff wants to know."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api.auth import Speaking
from gateway.api.models import Problem, ProductRef, SuspendedProduct
from gateway.api.paging import Reading
from gateway.api.public.accounts import Now
from gateway.api.staff import product_models as models
from gateway.api.views import words
from gateway.store import Row
from gateway.support.products import figures
from gateway.text import Speech

router = APIRouter(tags=["products"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Days = Annotated[int, Query(ge=1, le=figures.DAYS_MAX, description="For how many days alarms are counted.")]


@router.get("/api/product-figures")
def products(database: Reading, say: Speaking) -> models.ProductList:
    """Every product with its units, how many are registered, and how many are silent."""
    counted_at, rows = figures.products(database)
    return models.ProductList(counted_at=counted_at, products=[models.ProductLine(**_line(row, say)) for row in rows])


@router.get("/api/product-figures/{code}")
def product(
    database: Reading, say: Speaking, clock: Now, code: str, days: Days = 30, rule: str | None = None
) -> models.ProductRecord:
    """One product: its units by lot and by firmware, and the alarms of each version, of one rule or of all."""
    found = figures.product(database, code, days, rule, clock())
    return models.ProductRecord(
        **_line(found.product, say),
        counted_at=found.counted_at,
        days=days,
        lots=[models.LotFigures(**row) for row in found.lots],
        lots_total=found.lots[0]["lots"] if found.lots else 0,
        firmwares=[models.FirmwareFigures(**row) for row in found.firmwares],
        firmwares_total=found.firmwares[0]["firmwares"] if found.firmwares else 0,
        rules=[models.RuleAlarms(**row | {"title": words(row["title"], say.language)}) for row in found.rules],
        live=[_campaign(row, say) for row in found.campaigns],
        refused=found.refused,
    )


def _line(row: Row, say: Speech) -> Row:
    suspended = row["suspended_since"] and SuspendedProduct(
        product=row["code"], since=row["suspended_since"], reason=row["suspended_because"]
    )
    fields = {name: row[name] for name in ("units", "registered", "silent", "campaigns")}
    name = words(row["name"], say.language)
    return fields | {
        "product": ProductRef(code=row["code"], name=name, model=row["model"]),
        "suspended": suspended or None,
    }


def _campaign(row: Row, say: Speech) -> models.ProductCampaign:
    title = words({"en": row["number"]} | row["content"]["title"], say.language)
    return models.ProductCampaign(**row | {"title": title})
