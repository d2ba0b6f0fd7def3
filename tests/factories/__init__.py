"""Factories of a product, its units, owners and rules, with the content of their files."""

from pathlib import Path
from typing import Any

from gateway.imports.service import apply_rules
from gateway.registrations.model import OwnerRow, ProductFile, UnitRow
from gateway.registrations.service import import_product
from gateway.store import connect
from tests.factories.imports import import_owners, import_units

PUMP = {
    "code": "pump",
    "name": {"en": "Pump", "de": "Pumpe"},
    "model": "P 200",
    "brand": "Acme",
    "metrics": [
        {"name": "temp_c", "title": {"en": "Temperature"}, "unit": "°C", "range": [-40, 200], "cadence": "1s"},
        {"name": "pressure_bar", "title": {"en": "Pressure"}, "unit": "bar", "range": [0, 10], "cadence": "1s"},
    ],
}

HOT = """
id: pump-hot
title: {en: Pump overheats}
product: pump
condition: {kind: threshold, metric: temp_c, unit: °C, above: 90, clear_below: 85}
for: %(for)s
severity: %(severity)s
audience: [%(audience)s]
text:
  en: {title: "Switch the pump off", body: "It is {value} {unit}.", action: "Let it cool."}
tests:
  - {name: fires, every: 1s, series: {temp_c: "80x3 95x20"}, expect: [{raised_at: %(raised)s}]}
  - {name: silent, every: 1s, series: {temp_c: "80x20"}, expect: []}
"""


def product(**changes: Any) -> ProductFile:
    return ProductFile.model_validate(PUMP | changes)


def make_fleet(
    url: str, serials=("P1", "P2", "P3"), owners: dict[str, str] | None = None, *, receipts: bool = False
) -> None:
    """Create the pump product with these units; `owners` are names by serial, by default Ada owns all."""
    names = dict.fromkeys(serials, "Ada") if owners is None else owners
    with connect(url, "test") as connection, connection.transaction():
        import_product(connection, product(receipts=receipts), actor="test")
        rows = {line: UnitRow(product="pump", serial=serial) for line, serial in enumerate(serials, 2)}
        import_units(connection, rows, actor="test")
        import_owners(
            connection,
            {
                line: OwnerRow(
                    person=name,
                    email=f"{name.lower()}@example.org",
                    unit=f"pump/{serial}",
                    since="2024-01-01T00:00:00Z",
                )
                for line, (serial, name) in enumerate(names.items(), 2)
            },
            actor="test",
        )


def apply_hot_rule(
    url: str, folder: Path, *, for_: str = "0s", raised: str = "3s", severity: str = "warning", audience: str = "owner"
) -> None:
    """Bring the rule "Pump overheats" into force: above 90 °C, clear below 85 °C."""
    file = folder / "pump-hot.yaml"
    file.write_text(HOT % {"for": for_, "raised": raised, "severity": severity, "audience": audience})
    apply_rules(url, [file], actor="test")
