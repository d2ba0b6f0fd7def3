"""Scenario files: YAML is read as frozen models; errors name file, line and field."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from device_sim.errors import SimError
from device_sim.faults import CATALOGUE, SILENCE
from device_sim.run.poison import KINDS
from device_sim.times import parse_duration

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PROBLEMS_MAX = 8
_MESSAGES = {
    "missing": "is missing; add it",
    "extra_forbidden": "there is no such field; correct its spelling or take it out",
}
_FAULTS = sorted({fault.name for fault in CATALOGUE} | {SILENCE})
_SPAN = r"-?(\d+(\.\d+)?(ms|d|h|m|s))+"
_SHARE = r"\d+(\.\d+)?%"


def _is_span(text: str) -> str:
    parse_duration(text.removeprefix("-"))
    return text


def _is_range(text: str) -> str:
    low, high = span_range(text)
    if low > high:
        raise ValueError(f"{text!r} begins above its end")
    return text


def _is_share(text: str) -> str:
    if not 0 <= float(text[:-1]) <= 100:
        raise ValueError(f"{text!r} is not between 0% and 100%")
    return text


def _is_poison(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"there is no poison {name!r}; there are: {', '.join(KINDS)}")
    return name


def _is_fault(name: str) -> str:
    if name not in _FAULTS:
        raise ValueError(f"there is no fault {name!r}; there are: {', '.join(_FAULTS)}")
    return name


def span(text: str) -> int:
    """Returns the milliseconds of "5s", or of "-2m"."""
    return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)


def span_range(text: str) -> tuple[int, int]:
    """Milliseconds of "1s..20s"; one span is a range of itself."""
    low, _, high = text.partition("..")
    return span(low), span(high or low)


def moment(text: str, duration: int) -> int:
    """Milliseconds of "10s", or of "20%" of a run."""
    return round(float(text[:-1]) / 100 * duration) if text.endswith("%") else span(text)


Span = Annotated[str, Field(pattern=f"^{_SPAN}$"), AfterValidator(_is_span)]
SpanRange = Annotated[str, Field(pattern=rf"^{_SPAN}(\.\.{_SPAN})?$"), AfterValidator(_is_range)]
Moment = Annotated[str, Field(pattern=f"^({_SPAN}|{_SHARE})$", description="Of the run: a time like 10s, or 20%.")]
Share = Annotated[str, Field(pattern=f"^{_SHARE}$"), AfterValidator(_is_share)]
Patterns = Annotated[list[str], Field(min_length=1)]
Who = Annotated[
    Share | Annotated[int, Field(ge=1)] | Patterns,
    Field(description="Which units: a share like 30%, a number, or patterns like 'hp-90/*'; chosen by the seed."),
]
PoisonKind = Annotated[str, AfterValidator(_is_poison), WithJsonSchema({"enum": list(KINDS)})]
FaultName = Annotated[str, AfterValidator(_is_fault), WithJsonSchema({"enum": list(_FAULTS)})]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _OnTheWay(_Part):
    units: Who = "100%"
    share: Share = Field("10%", description="How many of these units' messages.")


class Late(_OnTheWay):
    """Messages arrive later than those measured after them."""

    kind: Literal["late"]
    by: SpanRange = Field("1s..10s", description="How much later each one is sent.")


class Duplicate(_OnTheWay):
    """Messages are sent again, byte for byte."""

    kind: Literal["duplicate"]
    copies: int = Field(1, ge=1, le=20)
    after: SpanRange = Field("0s..5s", description="How long after the first each copy is sent.")


class Conflict(_OnTheWay):
    """A second message of the same time says something else; the first one to arrive stands."""

    kind: Literal["conflict"]
    after: SpanRange = Field("0s..5s", description="How long after the first it is sent.")


class Poison(_OnTheWay):
    """Messages that cannot be taken, sent beside the good ones."""

    kind: Literal["poison"]
    kinds: list[PoisonKind] = Field(
        list(KINDS), min_length=1, description="Which ones, in turn; all of them if left out."
    )


class Offline(_Part):
    """Units lose the network, go on measuring, and send what they kept when they are back."""

    kind: Literal["offline"]
    units: Who = "100%"
    at: Moment = "0s"
    lasts: Moment = Field("20%", alias="for")
    before: Span = Field("0s", description="How long they had been away, and kept readings, when the run begins.")
    every: Span = Field("10s", description="How often they measured then.")


class Skew(_Part):
    """Clocks are wrong by a fixed amount, and drift."""

    kind: Literal["skew"]
    units: Who = "100%"
    by: SpanRange = "-5m..5m"
    drift: SpanRange = Field("0s", description="By how much more each hour.")


class Jump(_Part):
    """Clocks are set during the run: forward they leave a gap, backward the same times come twice."""

    kind: Literal["jump"]
    units: Who = "100%"
    at: Moment
    by: SpanRange


class LostClock(_Part):
    """Clocks stand in 1970, as after a flat battery, until the network tells them the time."""

    kind: Literal["lost-clock"]
    units: Who = "100%"
    at: Moment = "0s"
    lasts: Moment = Field("20%", alias="for")


class Storm(_Part):
    """All of them lose their connection at once, and come back together, several times over."""

    kind: Literal["storm"]
    units: Who = "100%"
    at: Moment
    lasts: Moment = Field("1s", alias="for")
    within: Span = Field("0s", description="Over how long their coming back is spread; 0s: all at once.")
    times: int = Field(1, ge=1, le=1000)
    pause: Moment = Field("10%", description="From one time to the next.")


class HalfOpen(_Part):
    """The TCP connection dies without a word; after a while the device notices and opens another with its name."""

    kind: Literal["half-open"]
    units: Who = "100%"
    at: Moment
    lasts: Moment = Field("20%", alias="for")
    how: Literal["deaf", "mute", "vanish"] = Field(
        "deaf", description="deaf: sends and hears nothing; mute: neither; vanish: its power fails."
    )


Trouble = Annotated[
    Late | Duplicate | Conflict | Poison | Offline | Skew | Jump | LostClock | Storm | HalfOpen,
    Field(discriminator="kind"),
]


class PlannedFault(_Part):
    """The truth: a fault of the product itself, and whether the gateway has to find it."""

    fault: FaultName
    units: Who = 1
    at: Moment = Field(description="Negative: while the units were offline before the run.")
    lasts: Moment = Field(alias="for")
    expect: Literal["alarm", "nothing"] = Field("alarm", description="What the rules in force have to make of it.")


class Scenario(_Part):
    """What a fleet goes through. Times are scenario time: `speed` seconds of it pass in a second."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    about: Annotated[str, Field(min_length=1, max_length=1000)]
    seed: int = 1
    duration: Span = Field("60s", description="How long it runs, in real time.")
    speed: float = Field(1.0, gt=0, le=1000)
    every: Span = Field("1s", description="Scenario time between two readings of a unit.")
    limit: int | None = Field(None, ge=1, description="Units taken from the file at most, evenly over the products.")
    values: Literal["live", "held"] = Field(
        "live", description="live: physics at each reading; held: those of the start with small steps, much cheaper."
    )
    receipts: bool = Field(
        default=False,
        description="Devices number their messages and keep each one until the gateway's receipt covers it.",
    )
    resend: Span = Field(
        "10s", description="With receipts: without one for so long, what is kept goes out again; doubles up to 5m."
    )
    buffer: int = Field(
        10_000, ge=200, description="With receipts: so many messages a device keeps; then it gives up the oldest."
    )
    settle: Span = Field(
        "60s", description="With receipts: so long without one at the end of the run, and what is kept counts as open."
    )
    troubles: list[Trouble] = []
    faults: list[PlannedFault] = []

    @model_validator(mode="after")
    def _runs(self) -> Self:
        for name in ("duration", "every", "resend", "settle"):
            if span(getattr(self, name)) < 1:
                raise ValueError(f"{name} must be longer than nothing")
        return self


def shipped() -> dict[str, str]:
    """The scenarios that come with the simulator: name and text."""
    folder = files("device_sim") / "scenarios"
    entries = (entry for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return {
        entry.name.removesuffix(".yaml"): entry.read_text("utf-8")
        for entry in sorted(entries, key=lambda entry: entry.name)
    }


def load(name: str) -> Scenario:
    """A scenario by the name of a shipped one, or by its path; raises SimError with a line for each problem."""
    texts = shipped()
    if name in texts:
        return parse(texts[name], f"{name} (shipped)")
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SimError(
            f"there is no scenario {name!r} ({getattr(error, 'strerror', None) or error}); "
            f"write the path of a YAML file, or one of: {', '.join(texts)}"
        ) from None
    return parse(text, name)


def parse(text: str, source: str) -> Scenario:
    """Returns the scenario of a YAML text; each problem begins with `source`. Raises SimError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{mark.line + 1}: " if mark else " "
        raise SimError(f"{source}:{line}{getattr(error, 'problem', None) or error}") from None
    problems = [f"{source}:{line}: {name} is written twice" for line, name in _repeated_keys(node)]
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        problems += [_problem(source, node, item) for item in error.errors(include_url=False)]
    if problems:
        more_line = [f"and {len(problems) - _PROBLEMS_MAX} more"] if len(problems) > _PROBLEMS_MAX else []
        raise SimError("the scenario is not valid:\n  " + "\n  ".join(problems[:_PROBLEMS_MAX] + more_line))
    return scenario


def schema_text() -> str:
    """The JSON Schema of scenario files, the same bytes for the same models."""
    schema = TypeAdapter(Scenario).json_schema(by_alias=True)
    titled_schema = schema | {"$schema": _DIALECT, "title": "A scenario of device-sim (YAML)"}
    return json.dumps(titled_schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _problem(source: str, node: yaml.Node | None, error: Any) -> str:  # noqa: ANN401 - pydantic's own dict
    line, path = _location(node, error["loc"])
    text = _MESSAGES.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    value = error.get("input")
    if error["type"] not in _MESSAGES and isinstance(value, (str, int, float)) and repr(value) not in text:
        text = f"{text} (it is {value!r})"
    return f"{source}:{line}: {path or 'the document'}: {text}"


def _location(node: yaml.Node | None, loc: tuple[str | int, ...]) -> tuple[int, str]:
    """The line of a field and its path; the names of union kinds that pydantic inserts are left out."""
    line, path = node.start_mark.line + 1 if node else 1, ""
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == step:
                    node, line = value, key.start_mark.line + 1
                    path += f".{step}" if path else str(step)
                    break
            else:
                if step == loc[-1] and re.fullmatch(r"[a-z_]+", str(step)):
                    path += f".{step}" if path else str(step)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
            path += f"[{step}]"
    return line, path


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Yields the keys that one mapping has twice; YAML would take the last one without an error."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys:
                yield key.start_mark.line + 1, key.value
            keys.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
