"""The demo's units without an owner, with the claim code on their plates."""

import csv
from dataclasses import dataclass
from pathlib import Path

from gateway.registrations.repository import units_page
from gateway.store import connect

_ALL = 10_000


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
    with connect(url, "gateway-demo") as connection:
        free_serials = {row["serial"] for row in units_page(connection, 0, _ALL) if row["owner"] is None}
    with (data / "units.csv").open(encoding="utf-8", newline="") as file:
        plates = [Plate(row["product"], row["serial"], row["claim_code"]) for row in csv.DictReader(file)]
    return next((plate for plate in plates if plate.product == product and plate.serial in free_serials), None)
