"""What makers write about their products, units and owners, and the values the gateway keeps of it."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainValidator,
    SecretStr,
    model_validator,
    validate_email,
)

from gateway.core.duration import Duration
from gateway.core.mailbox import plain
from gateway.core.places import country_code, zone_name
from gateway.core.serial import canonical_serial
from gateway.registrations.codes import canonical_code
from gateway.text import offered

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Span = tuple[FiniteFloat, FiniteFloat]


def _with_english(texts: dict[str, str]) -> dict[str, str]:
    if not texts.get("en"):
        raise ValueError("the English text is missing; write it as {en: …}")
    return texts


Texts = Annotated[dict[str, str], AfterValidator(_with_english)]


def _beside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("write the picture's path from the folder of this file, like pictures/pump.svg")
    return path


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


class Retention(_Written):
    """How long readings of a product are kept; where it says nothing, the settings count."""

    raw: Duration | None = Field(default=None, description="As they are; a device may send no older ones.")
    hour: Duration | None = Field(default=None, description="By hour: lowest, highest, mean; not shorter than `raw`.")
    day: Duration | None = Field(default=None, description="By day; not shorter than `hour`.")

    @model_validator(mode="after")
    def _coarser_ones_longer(self) -> Self:
        spans = [span for span in (self.raw, self.hour, self.day) if span is not None]
        if spans and min(spans) < timedelta(days=1):
            raise ValueError("retention must be a day or longer; write it like 90d")
        if spans != sorted(spans):
            raise ValueError("retention must not get shorter from raw to hour to day")
        return self


class ProductFile(_Written):
    """A product file: one model and its metric registry."""

    code: Code
    name: Texts
    model: str
    brand: str
    gtin: Annotated[str, Field(pattern=r"^\d{8}(\d{4,6})?$")] | None = None
    picture: Annotated[str, AfterValidator(_beside)] | None = Field(
        default=None, description="Its picture: an SVG, PNG, WebP or JPEG of 200 kB at most, beside this file."
    )
    serial_hint: Texts | None = Field(default=None, description="Where the serial stands, for who registers one.")
    code_hint: Texts | None = Field(default=None, description="Where the claim code stands, for who registers one.")
    support_until: date | None = Field(
        default=None, description="Until when its units get updates and help, where a unit has no date of its own."
    )
    receipts: bool = Field(
        default=False, description="Whether its units are told up to which of their numbered messages all are stored."
    )
    retention: Retention = Retention()
    metrics: list[MetricEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [metric.name for metric in self.metrics]
        repeated_names = sorted({name for name in names if names.count(name) > 1})
        if repeated_names:
            raise ValueError(f"metrics named twice: {', '.join(repeated_names)}")
        return self


Serial = Annotated[str, AfterValidator(lambda printed: (canonical_serial(printed), printed)[1])]


_LOCAL_MAX = 64
_PLAIN_LOCAL = re.compile(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*")


@lru_cache(10_000)
def _is_plain_domain(domain: str) -> bool:
    """Whether a domain is taken as it is written. A million addresses have few domains."""
    try:
        return validate_email(f"a@{domain}")[1] == f"a@{domain}"
    except ValueError:
        return False


def _email(value: object) -> str:
    """An address in lower case; raises ValueError for what is none, or not taken by every mail server."""
    address = str(value).strip().lower()
    local, _, domain = address.rpartition("@")
    if len(local) <= _LOCAL_MAX and _PLAIN_LOCAL.fullmatch(local) and _is_plain_domain(domain):
        return address
    return plain(validate_email(address)[1].lower())


Email = Annotated[str, PlainValidator(_email)]


ClaimCode = Annotated[
    SecretStr, AfterValidator(lambda printed: (canonical_code(printed.get_secret_value()), printed)[1])
]


Cell = Annotated[str, Field(max_length=200)]
"""A text in a cell of a file."""


class UnitRow(_Written):
    """One line of a units file; empty cells are unknown. A unit without a claim code cannot be claimed."""

    product: Code
    serial: Serial
    lot: Cell | None = None
    firmware: Cell | None = None
    made_on: date | None = None
    claim_code: ClaimCode | None = None
    hardware: Cell | None = None
    region: Cell | None = None
    sold_on: date | None = None
    support_until: date | None = None
    order_number: Cell | None = None
    test: Literal["yes", "no"] | None = None


def _names_a_unit(unit: str) -> str:
    canonical_serial(unit.partition("/")[2])
    return unit


class OwnerRow(_Written):
    """One line of an owners file: this person owns the unit (written PRODUCT/SERIAL) since then."""

    person: Annotated[str, Field(min_length=1, max_length=200)]
    email: Email
    unit: Annotated[str, Field(pattern=r"^[a-z0-9-]+/.+$", max_length=200), AfterValidator(_names_a_unit)]
    since: AwareDatetime
    phone: Cell | None = None
    address: Annotated[str, Field(max_length=1_000)] | None = None
    country: Annotated[str, AfterValidator(country_code)] | None = None
    time_zone: Annotated[str, AfterValidator(zone_name)] | None = None
    customer_number: Cell | None = None
    contract_level: Cell | None = None
    language: Annotated[str, AfterValidator(offered)] | None = None

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
    keep_raw: timedelta | None = None
    """How long its readings are kept, where its file says so; a device may send no older ones."""


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
