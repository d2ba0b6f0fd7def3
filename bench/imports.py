"""How fast files of units and owners are imported, compared with a bare COPY and INSERT … SELECT of the same rows.

`python -m bench.imports --rows 100000 --json`. A ratio is our rows a second divided by those of the bare import.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.setup import database
from gateway.imports.service import import_files
from gateway.store import Connection, connect

_PRODUCT = """
code: bench
name: {en: Bench}
model: B 1
brand: Brenhold
metrics: [{name: number, title: {en: Number}, unit: "1", range: [0, 1], cadence: 1s}]
"""
_BARE_UNITS = """
CREATE TEMP TABLE bare_unit (product text, serial text, lot text, firmware text, made_on date, region text, code text);
"""
_BARE_OWNERS = """
CREATE TEMP TABLE bare_owner (person text, email text, unit text, since timestamptz, country text);
"""
_INSERT_UNITS = """
INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware, made_on, region)
SELECT 'bare' || serial, p.id, 'BARE' || serial, serial, lot, firmware, made_on, region
FROM bare_unit JOIN product p ON p.code = bare_unit.product;
INSERT INTO claim_code (unit_id, code_hash)
SELECT u.id, sha256(b.code::bytea) || substr(sha256(b.code::bytea), 1, 16)
FROM bare_unit b JOIN product p ON p.code = b.product
JOIN unit u ON u.product_id = p.id AND u.serial = 'BARE' || b.serial
"""
_INSERT_OWNERS = """
INSERT INTO person (public_id, name, email, country)
SELECT 'bare' || email, person, 'bare' || email, country FROM bare_owner;
INSERT INTO ownership (unit_id, person_id, during)
SELECT u.id, h.id, tstzrange(b.since, NULL) FROM bare_owner b
JOIN product p ON p.code = split_part(b.unit, '/', 1)
JOIN unit u ON u.product_id = p.id AND u.serial = 'BARE' || split_part(b.unit, '/', 2)
JOIN person h ON h.email = 'bare' || b.email
"""


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds for the same rows, ours and bare, and the memory of the import command in MB."""

    rows: int
    units_s: float
    units_again_s: float
    owners_s: float
    owners_again_s: float
    bare_units_s: float
    bare_owners_s: float
    units_ratio: float
    owners_ratio: float
    ratio: float
    peak_memory_mb: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="units, and as many owners (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    result = asdict(_measured(options.rows))
    print(json.dumps(result) if options.json else "\n".join(f"{name:20} {value}" for name, value in result.items()))


def _measured(rows: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name, database() as url:
        units, owners = _files(Path(name), rows)
        (product := Path(name) / "bench.yaml").write_text(_PRODUCT)
        import_files(url, "products", [product], actor="bench")
        units_s = _command(url, "units", units)
        owners_s = _command(url, "owners", owners)
        again_s = _command(url, "units", units), _command(url, "owners", owners)
        with connect(url, "bench") as db:
            bare_units_s = _bare(db, _BARE_UNITS, "bare_unit", _INSERT_UNITS, units)
            bare_owners_s = _bare(db, _BARE_OWNERS, "bare_owner", _INSERT_OWNERS, owners)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Result(
        rows=rows,
        units_s=round(units_s, 2),
        units_again_s=round(again_s[0], 2),
        owners_s=round(owners_s, 2),
        owners_again_s=round(again_s[1], 2),
        bare_units_s=round(bare_units_s, 2),
        bare_owners_s=round(bare_owners_s, 2),
        units_ratio=round(bare_units_s / units_s, 3),
        owners_ratio=round(bare_owners_s / owners_s, 3),
        ratio=round((bare_units_s + bare_owners_s) / (units_s + owners_s), 3),
        peak_memory_mb=round(peak, 1),
    )


def _files(folder: Path, rows: int) -> tuple[Path, Path]:
    units, owners = folder / "units.csv", folder / "owners.csv"
    with units.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["product", "serial", "lot", "firmware", "made_on", "region", "claim_code"])
        writer.writerows(
            ["bench", f"B{n:08}", f"L{n % 500:03}", "2.3.1", f"2025-{n % 12 + 1:02}-14", "EU", f"CODE{n:08}"]
            for n in range(rows)
        )
    with owners.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person", "email", "unit", "since", "country"])
        writer.writerows(
            [f"Owner {n}", f"owner.{n}@example.org", f"bench/B{n:08}", "2025-02-01T09:00:00Z", "DE"]
            for n in range(rows)
        )
    return units, owners


def _command(url: str, kind: str, file: Path) -> float:
    """Run the import command in a process, as an operator does. Returns the seconds it takes."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "gateway", "import", kind, str(file)],
        check=True,
        env={"PATH": "/usr/bin:/bin", "GATEWAY_DATABASE_URL": url, "GATEWAY_LOG_LEVEL": "WARNING"},
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def _bare(db: Connection, creating: str, table: str, inserting: str, file: Path) -> float:
    copying = f"COPY {table} FROM STDIN (FORMAT csv, HEADER)"
    began = time.perf_counter()
    with db.transaction():
        db.execute(creating)
        with db.cursor() as cursor, cursor.copy(copying) as copy, file.open("rb") as content:
            while part := content.read(65_536):
                copy.write(part)
        for statement in inserting.split(";"):
            db.execute(statement)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
