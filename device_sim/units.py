"""The units of a fleet: read from units.csv and chosen by product/serial; errors suggest the nearest names."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from device_sim.errors import SimError

_TOPIC_BREAKERS = frozenset("/+#\0\n\r\t ")


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One serial-numbered item; the serial goes into the topic exactly as printed."""

    product: str
    serial: str
    firmware: str | None = field(default=None, compare=False)
    """The factory's firmware; None when the file does not have it."""

    def __str__(self) -> str:
        return f"{self.product}/{self.serial}"

    @property
    def topic(self) -> str:
        """The topic of its telemetry."""
        return f"m2m/v1/{self.product}/{self.serial}/telemetry"

    @property
    def status_topic(self) -> str:
        """The topic of its status."""
        return f"m2m/v1/{self.product}/{self.serial}/status"

    @property
    def receipt_topic(self) -> str:
        """The topic of the receipts for its messages."""
        return f"m2m/v1/{self.product}/{self.serial}/receipt"


def parse_unit(text: str) -> Unit:
    """A unit from "product/serial"; both are one topic level."""
    product, slash, serial = text.strip().partition("/")
    if not (slash and product and serial) or _TOPIC_BREAKERS & set(product + serial):
        raise SimError(f"{text!r} is not a unit; write product/serial, for example hp-90/HP90-23-001256")
    return Unit(product, serial)


def read_units(path: Path) -> list[Unit]:
    """The units of a CSV file with the columns product, serial and, perhaps, firmware, in the order of the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SimError(f"cannot read {path}: {error}") from error
    rows = csv.DictReader(text.splitlines())
    if not {"product", "serial"} <= set(rows.fieldnames or ()):
        raise SimError(f"{path}: the first line must name the columns product and serial")
    units: dict[Unit, int] = {}
    for row in rows:
        try:
            unit = parse_unit(f"{row['product'] or ''}/{row['serial'] or ''}")
        except SimError as error:
            raise SimError(f"{path} line {rows.line_num}: {error}") from None
        if unit in units:
            raise SimError(f"{path} line {rows.line_num}: {unit} stands in line {units[unit]} already")
        units[replace(unit, firmware=(row.get("firmware") or "").strip() or None)] = rows.line_num
    if not units:
        raise SimError(f"{path} holds no units")
    return list(units)


def choose(units: Sequence[Unit], patterns: Sequence[str]) -> list[Unit]:
    """The units that one of the patterns names ("hp-90/HP90-23-001256", "hp-90/*"); all without patterns."""
    for pattern in patterns:
        if not any(fnmatchcase(str(unit), pattern) for unit in units):
            find(units, pattern)
    return [unit for unit in units if not patterns or any(fnmatchcase(str(unit), pattern) for pattern in patterns)]


def find(units: Iterable[Unit], name: str) -> Unit:
    """Returns the unit of that name. Raises SimError with the closest names."""
    by_name = {str(unit): unit for unit in units}
    if name in by_name:
        return by_name[name]
    # People often leave the product out, so names are compared with and without it.
    names_by_serial = {unit.serial: key for key, unit in by_name.items()}
    close = [
        names_by_serial[serial]
        for serial in get_close_matches(name.rpartition("/")[2], names_by_serial, n=3, cutoff=0.7)
    ]
    close += get_close_matches(name, by_name, n=3)
    hint = f"; did you mean {', '.join(dict.fromkeys(close[:3]))}?" if close else ""
    raise SimError(f"no unit {name!r} in this fleet{hint}")
