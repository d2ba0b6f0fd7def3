"""What makers write about their products, units and owners, and the values the gateway keeps of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    FiniteFloat,
    SecretStr,
    model_validator,
)

from gateway.core.duration import Duration
from gateway.core.serial import canonical_serial
from gateway.registrations.codes import canonical_code

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Span = tuple[FiniteFloat, FiniteFloat]


def _with_english(texts: dict[str, str]) -> dict[str, str]:
    if not texts.get("en"):
        raise ValueError("the English text is missing; write it as {en: …}")
    return texts


Texts = Annotated[dict[str, str], AfterValidator(_with_english)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class MetricEntry(_Written):
    """One metric in a product file: `range` is what is physically possible, `normal` what is healthy."""

    name: MetricName
    title: Texts
    unit: str
    range: Span
    normal: Span | None = None
    cadence: Duration

    @model_validator(mode="after")
    def _spans(self) -> Self:
        low, high = self.range
        if low >= high:
            raise ValueError(f"range [{low}, {high}] must go from low to high")
        if self.normal and not low <= self.normal[0] < self.normal[1] <= high:
            raise ValueError(f"normal {list(self.normal)} must go from low to high, inside range [{low}, {high}]")
        if self.cadence <= timedelta(0):
            raise ValueError("cadence must be longer than nothing; write how often the device sends it, like 5s")
        return self


class ProductFile(_Written):
    """A product file: one model and its metric registry."""

    code: Code
    name: Texts
    model: str
    brand: str
    gtin: Annotated[str, Field(pattern=r"^\d{8}(\d{4,6})?$")] | None = None
    receipts: bool = Field(
        default=False, description="Whether its units are told up to which of their numbered messages all are stored."
    )
    metrics: list[MetricEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [metric.name for metric in self.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"metrics named twice: {', '.join(twice)}")
        return self


Serial = Annotated[str, AfterValidator(lambda printed: (canonical_serial(printed), printed)[1])]


ClaimCode = Annotated[
    SecretStr, AfterValidator(lambda printed: (canonical_code(printed.get_secret_value()), printed)[1])
]


class UnitRow(_Written):
    """One line of a units file; empty cells are unknown. A unit without a claim code cannot be claimed."""

    product: Code
    serial: Serial
    lot: str | None = None
    firmware: str | None = None
    made_on: date | None = None
    claim_code: ClaimCode | None = None


def _names_a_unit(unit: str) -> str:
    canonical_serial(unit.partition("/")[2])
    return unit


class OwnerRow(_Written):
    """One line of an owners file: this person owns the unit (written PRODUCT/SERIAL) since then."""

    person: Annotated[str, Field(min_length=1)]
    email: Annotated[EmailStr, AfterValidator(str.lower)]
    unit: Annotated[str, Field(pattern=r"^[a-z0-9-]+/.+$"), AfterValidator(_names_a_unit)]
    since: AwareDatetime

    @property
    def unit_key(self) -> tuple[str, str]:
        """Product code and canonical serial."""
        code, _, printed = self.unit.partition("/")
        return code, canonical_serial(printed)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of one product, as kept in the registry."""

    id: int
    name: str
    title: dict[str, str]
    unit: str
    low: float
    high: float
    normal_low: float | None
    normal_high: float | None
    cadence: timedelta


@dataclass(frozen=True, slots=True)
class Product:
    """A product and its metric registry."""

    id: int
    code: str
    model: str
    name: dict[str, str]
    receipts: bool
    updated_at: datetime
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One serial-numbered item."""

    id: int
    public_id: str
    product_code: str
    serial: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The person who owns a unit, and since when."""

    person_id: int
    public_id: str
    name: str
    email: str
    language: str
    since: datetime
