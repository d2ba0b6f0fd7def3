"""The kinds of condition, a file each: its fields, validation, numpy columns, sentences and the limit of a notice."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from gateway.rules.condition import Condition
from gateway.rules.kinds.threshold import Threshold

KINDS: dict[str, type[Condition]] = {"threshold": Threshold}
"""By the word that a rule writes after `kind`."""


def read(written: object) -> object:
    """A condition as its kind reads it, else what was given; raises ValidationError that names the field."""
    if not isinstance(written, Mapping):
        return written
    kind = written.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise ValidationError.from_exception_data("condition", [_unknown(written)])
    return model.model_validate(written)


def _unknown(written: Mapping[str, object]) -> InitErrorDetails:
    if "kind" not in written:
        return InitErrorDetails(type="missing", loc=("kind",), input=written)
    expected = {"expected": " or ".join(map(repr, KINDS))}
    return InitErrorDetails(type="literal_error", loc=("kind",), input=written["kind"], ctx=expected)
