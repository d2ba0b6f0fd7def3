"""What the API returns to the staff about products and their figures."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from gateway.api.models import ProductRef, SuspendedProduct


class Figures(BaseModel):
    """Units; of these, those with an owner, and those that are silent or were never heard."""

    units: int
    registered: int
    silent: int


class ProductLine(Figures):
    """A product with its figures."""

    product: ProductRef
    campaigns: int = Field(description="Recalls and updates that are live.")
    suspended: SuspendedProduct | None


class ProductList(BaseModel):
    """The products; `counted_at` is when all units had been counted last, null before the first time."""

    counted_at: datetime | None
    products: list[ProductLine]


class LotFigures(Figures):
    """The units of a lot; empty where none is known."""

    lot: str


class FirmwareFigures(Figures):
    """The units with a version, and the alarms that were raised by units that had it then; empty: none is known."""

    firmware: str
    alarms: int


class RuleAlarms(BaseModel):
    """How many alarms a rule raised."""

    rule: str
    title: str
    alarms: int


class ProductCampaign(BaseModel):
    """A campaign of a product."""

    id: str
    number: str
    kind: Literal["recall", "update", "withdrawal"]
    state: Literal["draft", "published", "superseded", "withdrawn"]
    title: str
    published_at: datetime | None
    units: int | None


class ProductRecord(ProductLine):
    """A product, with the lots and versions that have most units, and the alarms of the last days.

    `lots_total` and `firmwares_total` count all of them. Test units of the maker are left out.
    """

    counted_at: datetime | None
    days: int
    lots: list[LotFigures]
    lots_total: int
    firmwares: list[FirmwareFigures]
    firmwares_total: int
    rules: list[RuleAlarms]
    live: list[ProductCampaign] = Field(description="Its campaigns, the newest first, drafts among them.")
    refused: int = Field(description="Messages of its units that were refused, of the senders that are kept.")
