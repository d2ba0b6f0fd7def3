"""The demo's units without an owner, with the claim code on their plates."""

import csv
from dataclasses import dataclass
from pathlib import Path

from gateway.core.clock import system_clock
from gateway.core.serial import canonical_serial
from gateway.registrations.repository import owners_at, units_by_key
from gateway.store import connect


@dataclass(frozen=True, slots=True)
class Plate:
    """The serial and claim code on a unit's plate, and its product."""

    product: str
    serial: str
    code: str

    @property
    def key(self) -> str:
        """The unit's name in the simulator."""
        return f"{self.product}/{self.serial}"


def free_unit(url: str, data: Path, product: str) -> Plate | None:
    """The first unit of a product without an owner; None when all have one."""
    with (data / "units.csv").open(encoding="utf-8", newline="") as file:
        plates = [Plate(row["product"], row["serial"], row["claim_code"]) for row in csv.DictReader(file)]
    keys = {(product, canonical_serial(plate.serial)): plate for plate in plates if plate.product == product}
    with connect(url, "gateway-demo") as connection:
        units = units_by_key(connection, keys)
        owned = owners_at(connection, [unit.id for unit in units.values()], system_clock())
    return next((plate for key, plate in keys.items() if key in units and units[key].id not in owned), None)
