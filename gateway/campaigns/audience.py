"""An audience as the database is asked for it: exactly one of lots, serials and version is given."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from gateway.campaigns.model import Audience, ByFirmware, ByLots, BySerials
from gateway.core.serial import canonical_serial

NOBODY: dict[str, Any] = {"lots": None, "serials": None, "below": None}

_AUDIENCE: TypeAdapter[Audience | None] = TypeAdapter(Audience | None)


def stored_audience(document: Any) -> Audience | None:  # noqa: ANN401 - JSON
    """The audience of a stored campaign, in the present schema; a withdrawal has none."""
    return _AUDIENCE.validate_python(document)


def parameters(audience: Audience | None) -> dict[str, Any]:
    """What the queries take for `audience_unit`."""
    match audience:
        case ByLots(lots=lots):
            return NOBODY | {"lots": lots}
        case BySerials(serials=serials):
            return NOBODY | {"serials": [serial for serial in canonical(serials) if serial]}
        case ByFirmware(below=below):
            return NOBODY | {"below": below}
    return NOBODY


def canonical(typed: Sequence[str]) -> list[str | None]:
    """Serials as they are stored; None for what can be no serial."""
    return [_canonical(each) for each in typed]


def _canonical(typed: str) -> str | None:
    try:
        return canonical_serial(typed)
    except ValueError:
        return None
