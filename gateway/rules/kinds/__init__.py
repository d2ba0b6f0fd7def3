"""The kinds of condition, one file each: fields, validation, numpy columns, sentences and the limit of a notice."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from gateway.rules.condition import Condition
from gateway.rules.kinds.threshold import Threshold

KINDS: dict[str, type[Condition]] = {"threshold": Threshold}
"""By the value of a condition's `kind`."""


def read(condition: object) -> object:
    """Parse a condition by its kind; anything but a mapping is returned as it is. Raises ValidationError."""
    if not isinstance(condition, Mapping):
        return condition
    kind = condition.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise ValidationError.from_exception_data("condition", [_unknown(condition)])
    return model.model_validate(condition)


def _unknown(written: Mapping[str, object]) -> InitErrorDetails:
    if "kind" not in written:
        return InitErrorDetails(type="missing", loc=("kind",), input=written)
    expected = {"expected": " or ".join(map(repr, KINDS))}
    return InitErrorDetails(type="literal_error", loc=("kind",), input=written["kind"], ctx=expected)
