"""Why something was done or was not: a code with parameters, stored as JSON and put into words when it is read."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self


class Reason(str):
    """A reason as the text that is stored; one of an older version is a sentence, and stays as it was written."""

    __slots__ = ()

    @classmethod
    def of(cls, code: str, /, **parameters: "str | int | datetime | Reason | None") -> Self:
        """Returns a reason by its code; a parameter that is None is left out."""
        stored = {name: _stored(value) for name, value in parameters.items() if value is not None}
        return cls(json.dumps({"code": code} | stored, ensure_ascii=False, separators=(",", ":")))

    @property
    def data(self) -> "Mapping[str, Any] | str":
        """What an event says of it: its document, or the sentence of an older version."""
        return self.document() or str(self)

    def document(self) -> Mapping[str, Any] | None:
        """Returns code and parameters; None for a sentence of an older version."""
        if not self.startswith('{"code":'):
            return None
        document: Mapping[str, Any] = json.loads(self)
        return document


def _stored(value: "str | int | datetime | Reason") -> Any:  # noqa: ANN401 - what JSON takes
    if isinstance(value, Reason):
        return value.document() or str(value)
    return value.isoformat() if isinstance(value, datetime) else value
