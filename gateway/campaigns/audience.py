"""An audience as parameters of the queries: at most one of lots, serials and version is set."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from gateway.campaigns.model import Audience, ByFirmware, ByLots, BySerials
from gateway.core.serial import canonical_serial

NO_SELECTION: dict[str, Any] = {"lots": None, "serials": None, "below": None}

_AUDIENCE: TypeAdapter[Audience | None] = TypeAdapter(Audience | None)


def stored_audience(document: Any) -> Audience | None:  # noqa: ANN401 - JSON
    """The audience of a stored campaign, in the present schema; a withdrawal has none."""
    return _AUDIENCE.validate_python(document)


def audience_parameters(audience: Audience | None) -> dict[str, Any]:
    """Returns the parameters of `audience_unit` in the queries."""
    match audience:
        case ByLots(lots=lots):
            return NO_SELECTION | {"lots": lots}
        case BySerials(serials=serials):
            return NO_SELECTION | {"serials": [serial for serial in canonical_serials(serials) if serial]}
        case ByFirmware(below=below):
            return NO_SELECTION | {"below": below}
    return NO_SELECTION


def canonical_serials(texts: Sequence[str]) -> list[str | None]:
    """Returns serials as they are stored, and None for each text that cannot be a serial."""
    return [_canonical(text) for text in texts]


def _canonical(text: str) -> str | None:
    try:
        return canonical_serial(text)
    except ValueError:
        return None
