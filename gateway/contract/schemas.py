"""The contract as JSON Schema and OpenAPI: made from the models, written to schemas/, and checked against them.

The page of the settings, docs/configuration.md, is made and checked with it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import DictSchema

from gateway.api.application import create_app
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.contract import bounds
from gateway.contract.settings_page import page
from gateway.core.clock import system_clock
from gateway.core.errors import BadInput
from gateway.m2m.decoders.status import FIRMWARE_MAX
from gateway.m2m.decoders.telemetry import BOOT_MAX, NUMBER_MAX
from gateway.registrations.model import MetricName, ProductFile
from gateway.rules.document import RuleDocument
from gateway.store import Database

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Whatever the settings: what is not between these was written in seconds, microseconds or nanoseconds.
_EARLIEST_MS, _LATEST_MS = 100_000_000_000, 10_000_000_000_000
_RFC_3339 = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)

Milliseconds = Annotated[
    float,
    Field(
        ge=_EARLIEST_MS,
        le=_LATEST_MS,
        title="Milliseconds since 1970",
        description="Whole or not, in UTC; exact to the microsecond. Not seconds.",
        examples=[1782907200000, 1782907200000.5],
    ),
]
Moment = Annotated[
    str,
    Field(
        pattern=_RFC_3339,
        title="RFC 3339",
        description="With a zone: Z or an offset; digits of a second beyond six are left out.",
        examples=["2026-07-01T12:00:00Z", "2026-07-01T14:00:00.123+02:00"],
    ),
]
Ts = Milliseconds | Moment | None


class Reading(BaseModel):
    """What a unit measured at one time. Other fields are ignored, but for a time under another name without `ts`."""

    # It documents what m2m/decoders/telemetry.py takes by hand, which is several times faster than a model.

    ts: Ts = Field(
        None,
        description="The device's own time of the measurement; null or none means the moment we receive it. Of several"
        " entries without it that share a metric none is taken.",
    )
    values: dict[MetricName, float] = Field(
        min_length=1,
        description="By metric, as named in the product file; numbers within the metric's `range`.",
        examples=[{"temp_c": 71.5, "pressure_bar": 2}],
    )
    seq: Annotated[int, Field(ge=1, le=NUMBER_MAX)] | None = Field(
        None,
        description="Of a product with `receipts`: the message's number, from 1, one higher with each.",
        examples=[17],
    )
    boot: Annotated[int, Field(ge=0, le=BOOT_MAX)] | None = Field(
        None, description="Higher each time that `seq` begins anew; null or none means 0.", examples=[3]
    )
    lowest: Annotated[int, Field(ge=1, le=NUMBER_MAX)] | None = Field(
        None,
        alias="from",
        description="The lowest `seq` that the device still holds; what lies below is not waited for any more.",
        examples=[9],
    )


class Status(BaseModel):
    """How a unit is; retained, so that the last word stands. Other fields are ignored, but for a version under another
    name without `firmware`.
    """

    # What m2m/decoders/status.py takes, said again; which characters can be printed is more than a schema can say.

    state: Any = Field(
        None,
        description="`online`; as last will `offline`. Nobody looks at it yet.",
        examples=["online", "offline"],
    )
    firmware: Annotated[str, Field(min_length=1, max_length=FIRMWARE_MAX)] | None = Field(
        None,
        description="The version that the unit runs, in printable characters; null or none says nothing of it.",
        examples=["2.4.0"],
    )


Telemetry = Reading | Annotated[list[Reading], Field(min_length=1)]


class _Strict(GenerateJsonSchema):
    """Says of keys with a pattern that there are no others, as the models do; pydantic leaves that out."""

    def dict_schema(self, schema: DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {"additionalProperties": False} | made if "patternProperties" in made else made


def documents() -> dict[str, str]:
    """Every file of the contract by its path below the folder; the same models give the same bytes."""
    return {name: _text(make()) for name, make in sorted(_FILES.items())}


def write(folder: Path, docs: Path) -> list[str]:
    """Write what is out of date. Returns a line for each file."""
    stale = outdated(folder, docs)
    for path, text in _made(folder, docs).items():
        if path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return [f"{path}: {'written' if path in stale else 'is as it was'}" for path in _made(folder, docs)]


def check(folder: Path, docs: Path) -> None:
    """Raise BadInput that names the files which the models no longer make, or do not make yet."""
    if stale := outdated(folder, docs):
        problems = list(map(str, stale))
        raise BadInput("Out of date with the models; run `gateway schemas`, and look at what changes:", problems)


def outdated(folder: Path, docs: Path) -> list[Path]:
    """The files that are missing or say something else than the models do."""
    return [path for path, text in _made(folder, docs).items() if _bytes(path) != text.encode()]


def _made(folder: Path, docs: Path) -> dict[Path, str]:
    return {folder / name: text for name, text in documents().items()} | {
        docs / "configuration.md": page(),
        docs / "retention.md": bounds.page(),
    }


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _openapi() -> dict[str, Any]:
    # Nothing is opened: the routes and their models are all that is asked.
    settings = Settings()
    return create_app(settings, Database(""), Hub("", settings), system_clock).openapi()


def _rule() -> dict[str, Any]:
    return _schema(RuleDocument, "A rule, one document of a rules file (YAML)")


def _product() -> dict[str, Any]:
    return _schema(ProductFile, "A product file (YAML)")


def _reading() -> dict[str, Any]:
    return _schema(Telemetry, "Telemetry, the payload on m2m/v1/PRODUCT/SERIAL/telemetry (JSON)")


def _status() -> dict[str, Any]:
    return _schema(Status, "Status, the retained payload on m2m/v1/PRODUCT/SERIAL/status (JSON)")


def _schema(model: Any, title: str) -> dict[str, Any]:  # noqa: ANN401 - whatever a TypeAdapter takes
    schema = TypeAdapter(model).json_schema(schema_generator=_Strict)
    return schema | {"$schema": _DIALECT, "title": title}


_FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "openapi.json": _openapi,
    "product.schema.json": _product,
    "rule.schema.json": _rule,
    "status.schema.json": _status,
    "telemetry/reading.schema.json": _reading,
}
