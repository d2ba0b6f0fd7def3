"""Rule files: reads YAML and returns frozen models, or problems with file, line and field."""

import hashlib
import json
import operator
import re
import string
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, ValidationError
from pydantic.config import JsonDict

from gateway.core.documents import DocumentKind
from gateway.core.duration import Duration
from gateway.core.errors import BadInput
from gateway.rules import kinds
from gateway.rules.condition import Condition

MAX_SAMPLES = 10_000  # in one series of a test
PLACEHOLDERS = frozenset({"value", "unit", "limit", "product", "serial"})

RULE = DocumentKind("rule", sql_paths=("title", "title.en", "audience"))
"""A rule as `rule_version` stores it. `RuleDocument` reads the present schema; a change of it needs the next number."""

# Messages in place of pydantic's, which do not say what to do.
_MESSAGES = {
    "missing": "is missing; add it",
    "extra_forbidden": "there is no such field; correct its spelling or take it out",
}
_SAMPLES = re.compile(r"(?:_|(-?\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?)(?:x(\d+))?")
T = TypeVar("T")


def parse_series(text: str) -> list[float | None]:
    """The samples of "70+1x10 _ 95x6": ten from 70 to 79, one missing, six times 95."""
    # `xN` is always N samples. (In promtool 70+1x10 makes eleven, which surprises authors.)
    samples: list[float | None] = []
    for run in text.split():
        match = _SAMPLES.fullmatch(run)
        if match is None or (match[2] and not match[3]):
            raise ValueError(f"{run!r} is not a run of samples; write 70, 95x6, 70+1x10, 70-0.5x10, _ or _x3")
        start, step, count = match[1], Decimal(match[2] or 0), int(match[3] or 1)
        if len(samples) + count > MAX_SAMPLES:
            raise ValueError(f"a series holds {MAX_SAMPLES} samples at most")
        samples += [None if start is None else float(Decimal(start) + step * n) for n in range(count)]
    if not samples:
        raise ValueError("the series is empty; write samples such as 70+1x10 _ 95x6")
    return samples


def _is_series(text: str) -> str:
    parse_series(text)
    return text


def _has_english(texts: dict[str, T]) -> dict[str, T]:
    if "en" not in texts:
        raise ValueError("the English text is missing; add `en`")
    return texts


def _only_known_placeholders(text: str) -> str:
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is not None and (name not in PLACEHOLDERS or spec or conversion):
            allowed = " ".join(f"{{{placeholder}}}" for placeholder in sorted(PLACEHOLDERS))
            raise ValueError(f"{{{name}}} cannot be filled in; use only {allowed}")
    return text


def _is_not_zero(span: timedelta) -> timedelta:
    if not span:
        raise ValueError("is no time at all; write it like 5s")
    return span


def _sorted_unique(names: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(sorted(set(names), key=str))


Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_only_known_placeholders)]
Title = Annotated[str, Field(min_length=1, max_length=100)]
Series = Annotated[str, AfterValidator(_is_series)]
# The kind in the registry parses it; the published schema shows every kind.
AnyCondition = Annotated[
    SerializeAsAny[Condition],
    BeforeValidator(kinds.read, json_schema_input_type=reduce(operator.or_, kinds.KINDS.values())),
]
_0S: JsonDict = {"default": "0s"}  # a rule file writes 0s, pydantic would write PT0S
_ENGLISH = Field(json_schema_extra={"required": ["en"]})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """What a notice says; {value} {unit} {limit} {product} {serial} are filled in."""

    title: Line
    body: Line
    action: Line


class Expected(_Part):
    """One alarm of a test, in time since the first sample; without `cleared_at` it is still raised at the end."""

    raised_at: Duration
    cleared_at: Duration | None = None


class RuleTest(_Part):
    """Series of samples, one every `every`, and the alarms they must make; no alarm in `expect` means silence."""

    name: str
    every: Annotated[Duration, AfterValidator(_is_not_zero)]
    series: dict[str, Series] = Field(description='By metric: "70+1x10 _ 95x6"; xN is N samples, _ a missing one.')
    expect: tuple[Expected, ...]


class RuleDocument(_Part):
    """A rule; it has no version: the store makes one whenever the document changes."""

    id: Slug
    title: Annotated[dict[Language, Title], AfterValidator(_has_english), _ENGLISH]
    product: str = Field(description="The code of the product the rule is for.")
    condition: AnyCondition
    for_: Duration = Field(
        timedelta(0),
        alias="for",
        description="How long the condition must hold before the alarm.",
        json_schema_extra=_0S,
    )
    keep_firing_for: Duration = Field(
        timedelta(0), description="How long the value must stay clear before it clears.", json_schema_extra=_0S
    )
    max_gap: Duration | None = Field(
        None, description="A longer silence starts a wait again; without one, five times the metric's cadence."
    )
    severity: Literal["info", "warning", "critical", "safety"]
    audience: Annotated[tuple[Literal["owner", "support"], ...], Field(min_length=1), AfterValidator(_sorted_unique)]
    text: Annotated[dict[Language, Text], AfterValidator(_has_english), _ENGLISH]
    tests: tuple[RuleTest, ...] = ()

    def digest(self) -> str:
        """SHA-256 of the content; order, comments and written defaults make no difference."""
        document = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def stored_rule(document: object, schema: int) -> RuleDocument:
    """A rule from the database. Raises Unavailable when a newer version of the gateway wrote it."""
    return RuleDocument.model_validate(RULE.read(document, schema))


def load_rules(path: Path) -> list[RuleDocument]:
    """The rules of a YAML file with one or several documents. Raises BadInput that names every problem."""
    rules: dict[str, RuleDocument] = {}
    problems: list[str] = []
    try:
        loader = yaml.SafeLoader(path.read_bytes())
        while loader.check_node() and (node := loader.get_node()):
            if duplicates := list(_duplicate_keys(node)):
                problems += [f"{path}:{line}: {key}: is written twice; keep one" for line, key in duplicates]
                continue
            try:
                rule = RuleDocument.model_validate(loader.construct_document(node))
            except ValidationError as error:
                problems += [
                    _problem(path, node, detail["loc"], _MESSAGES.get(detail["type"], detail["msg"]))
                    for detail in error.errors()
                ]
                continue
            if rule.id in rules:
                problems.append(_problem(path, node, ("id",), f"{rule.id} is also another rule's; choose another"))
            rules[rule.id] = rule
    except OSError as error:
        raise BadInput(f"The rules in {path} cannot be read: {error.strerror}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(f"{path}:{line}: {error.problem}")
    except yaml.YAMLError as error:
        problems.append(f"{path}:1: {error}")
    if problems:
        raise BadInput(f"The rules in {path} cannot be used.", problems)
    return list(rules.values())


def _problem(path: Path, node: yaml.Node, loc: tuple[str | int, ...], message: str) -> str:
    field = ".".join(map(str, loc)) or "document"
    return f"{path}:{_line(node, loc)}: {field}: {message.removeprefix('Value error, ')}"


def _line(node: yaml.Node, loc: tuple[str | int, ...]) -> int:
    """The line of the deepest part of `loc` that is in the file; for a missing field, the line of its parent."""
    line: int = node.start_mark.line
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            entry = next((entry for entry in node.value if entry[0].value == str(step)), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
    return line + 1


def _duplicate_keys(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Yields line and name of duplicate keys: YAML silently keeps the last one, and a second `above` would win."""
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if key.value in keys:
                yield key.start_mark.line + 1, str(key.value)
            keys.add(str(key.value))
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _duplicate_keys(item)
