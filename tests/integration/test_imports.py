"""Makers' files: taken whole or not at all, repeatable, every problem named by its line, every change told."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import yaml

from gateway.app.imports import import_files
from gateway.core.errors import BadInput
from gateway.registrations import repository as registrations
from tests.factories import PUMP, make_fleet

UNITS = "product,serial,lot,firmware,made_on\n"
OWNERS = "person,email,unit,since\n"
ADA = "Ada,ada@example.org,pump/P-1,2024-01-01T00:00:00Z\n"


class Maker:
    """Someone who imports files into a database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def products(self, **changes: object) -> str:
        return self._bring("products", yaml.safe_dump(PUMP | changes))

    def units(self, lines: str) -> str:
        return self._bring("units", UNITS + lines)

    def owners(self, lines: str) -> str:
        return self._bring("owners", OWNERS + lines)

    def _bring(self, what: str, content: str | bytes) -> str:
        file = self.folder / f"{what}.txt"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_files(self.url, what, [file], actor="maker")[0]

    def refused(self, what: str, content: str | bytes) -> str:
        with pytest.raises(BadInput) as refusal:
            self._bring(what, content)
        return str(refusal.value)


@pytest.fixture
def maker(url, tmp_path) -> Maker:
    return Maker(url, tmp_path)


def events(db) -> list[tuple[str, str]]:
    return [(row["kind"], row["actor"]) for row in db.execute("SELECT kind, actor FROM event ORDER BY id")]


def everything(db) -> list[object]:
    tables = ("product", "product_metric", "unit", "person", "ownership", "event")
    return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


def test_a_product_comes_with_its_metric_registry(maker, db):
    pressure = PUMP["metrics"][1] | {"normal": [1, 2.5], "cadence": "1m30s"}
    assert maker.products(metrics=[pressure, PUMP["metrics"][0]]) == "products.txt: pump imported"
    (product,) = registrations.products(db)
    assert [metric.name for metric in product.metrics] == ["pressure_bar", "temp_c"], "as the file has them"
    assert (product.metrics[0].normal_low, product.metrics[0].normal_high) == (1, 2.5)
    assert product.metrics[0].cadence.total_seconds() == 90
    assert events(db) == [("product.imported", "maker")]


def test_a_changed_product_is_told_and_an_equal_one_is_not(maker, db):
    odd = PUMP["metrics"][0] | {"range": [-1e-7, 1e300], "cadence": "33ms", "normal": [0.1, 0.30000000000000004]}
    maker.products(metrics=[odd])
    before = everything(db)
    assert maker.products(metrics=[odd]) == "products.txt: pump is as it was"
    assert everything(db) == before
    assert maker.products(metrics=[odd], brand="Other") == "products.txt: pump imported"
    assert events(db) == [("product.imported", "maker"), ("product.changed", "maker")]


def test_a_metric_that_its_file_no_longer_names_leaves_the_registry(maker, db):
    maker.products()
    maker.products(metrics=PUMP["metrics"][:1])
    (product,) = registrations.products(db)
    assert [metric.name for metric in product.metrics] == ["temp_c"]


def test_files_of_one_command_are_taken_together_or_not_at_all(url, db, tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(yaml.safe_dump(PUMP))
    bad.write_text(yaml.safe_dump(PUMP | {"code": "Pump 2"}))
    with pytest.raises(BadInput, match=r"bad\.yaml"):
        import_files(url, "products", [good, bad], actor="maker")
    assert registrations.products(db) == []
    assert events(db) == []


def test_repeated_imports_change_nothing_and_tell_nothing(maker, db):
    lines = "pump,P-1,L1,1.0,2026-01-31\npump,P 2,,,\n"
    maker.products()
    assert maker.units(lines) == "units.txt: 2 of 2 units created or changed"
    assert maker.owners(ADA) == "owners.txt: 1 of 1 ownerships began"
    before = everything(db)
    maker.products()
    assert maker.units(lines) == "units.txt: 0 of 2 units created or changed"
    assert maker.owners(ADA) == "owners.txt: 0 of 1 ownerships began"
    assert maker.owners(ADA.replace("2024", "2025")) == "owners.txt: 0 of 1 ownerships began", "she has it since before"
    assert everything(db) == before


def test_a_changed_lot_is_counted_and_told_in_one_event(maker, db):
    maker.products()
    maker.units("pump,P-1,L1,1.0,\npump,P-2,L1,1.0,\n")
    first = db.execute("SELECT public_id, printed FROM unit WHERE serial = 'P1'").fetchone()
    assert maker.units("pump,p1,L2,1.0,\npump,P-2,L1,1.0,\n") == "units.txt: 1 of 2 units created or changed"
    told = [row["data"] for row in db.execute("SELECT data FROM event WHERE kind = 'units.imported' ORDER BY id")]
    assert [(data["rows"], data["created"], data["changed"]) for data in told] == [(2, 2, 0), (2, 0, 1)]
    jobs = db.execute("SELECT public_id, result FROM job ORDER BY id").fetchall()
    assert [data["job"] for data in told] == [job["public_id"] for job in jobs]
    again = db.execute("SELECT public_id, printed FROM unit WHERE serial = 'P1'").fetchone()
    assert again == {"public_id": first["public_id"], "printed": "p1"}, "the id stays, the plate is as last written"


def test_a_transfer_closes_the_former_interval_and_is_told(maker, db):
    maker.products()
    maker.units("pump,P-1,,,\n")
    maker.owners(ADA)
    assert (
        maker.owners("Bob,bob@example.org,pump/p 1,2025-06-01T12:00:00+02:00\n")
        == "owners.txt: 1 of 1 ownerships began"
    )
    moment = datetime(2025, 6, 1, 10, tzinfo=UTC)
    (unit,) = registrations.units_by_key(db, [("pump", "P1")]).values()
    assert registrations.owner_at(db, unit.id, moment.replace(hour=9)).name == "Ada"
    assert registrations.owner_at(db, unit.id, moment).name == "Bob"
    assert registrations.owner_at(db, unit.id, datetime(2023, 1, 1, tzinfo=UTC)) is None
    told = db.execute("SELECT data, actor FROM event WHERE kind = 'owners.imported' ORDER BY id").fetchall()
    assert [(row["data"]["began"], row["actor"]) for row in told] == [(1, "maker"), (1, "maker")]
    assert maker.owners(ADA) == "owners.txt: 0 of 1 ownerships began", "the former owner's line may stay in the file"
    person = db.execute("SELECT id FROM person WHERE name = 'Ada'").fetchone()
    with pytest.raises(psycopg.errors.ExclusionViolation):
        db.execute(
            "INSERT INTO ownership (unit_id, person_id, during) VALUES (%s, %s, tstzrange('2025-07-01', NULL))",
            [unit.id, person["id"]],
        )


def test_one_file_may_tell_a_whole_chain_of_owners(maker, db):
    maker.products()
    maker.units("pump,P-1,,,\n")
    bob = "Bob,bob@example.org,pump/P-1,2025-01-01T00:00:00Z\n"
    back = "Ada,ada@example.org,pump/P-1,2026-01-01T00:00:00Z\n"
    assert maker.owners(ADA + bob + back) == "owners.txt: 3 of 3 ownerships began"
    assert maker.owners(ADA + bob + back) == "owners.txt: 0 of 3 ownerships began"
    assert db.execute("SELECT count(*) FROM ownership").fetchone() == {"count": 3}


def test_an_owner_before_the_present_one_is_refused(maker, db):
    maker.products()
    maker.units("pump,P-1,,,\n")
    maker.owners(ADA)
    before = everything(db)
    told = maker.refused("owners", OWNERS + "Bob,bob@example.org,pump/P-1,2023-01-01T00:00:00Z\n")
    assert "line 2: since: pump/P-1 has an owner from 2024-01-01 on already" in told
    same = maker.refused("owners", OWNERS + "Bob,bob@example.org,pump/P-1,2024-01-01T00:00:00Z\n")
    assert "line 2: since" in same
    assert everything(db) == before


def test_a_gtin_of_another_product_is_refused(maker, db):
    maker.products(gtin="4006381333931")
    told = maker.refused("products", yaml.safe_dump(PUMP | {"code": "other", "gtin": "4006381333931"}))
    assert "4006381333931 of other is another product's" in told
    assert len(registrations.products(db)) == 1


REFUSED = [
    ("units", UNITS + "pump,P9,,,\nboat,B1,,,\n", ["line 3: product: 'boat' is not here; import its product file"]),
    ("units", UNITS + "pump,P-9,,,\npump,p 9,,,\n", ["line 3: serial: p 9 stands in line 2 already"]),
    ("units", UNITS + "pump,P9,,,\npump,,,,\n", ["line 3: serial: Field required"]),
    ("units", UNITS + "pump,P/9,,,\n", ["line 2: serial: the serial 'P/9' may hold letters"]),
    ("units", UNITS + "pump,P9,,,31.1.2026\n", ["line 2: made_on: Input should be a valid date"]),
    ("units", UNITS + "pump,P9,L1,1.0,2026-01-01,x\n", ["line 2: there are more cells than columns"]),
    ("units", UNITS + 'pump,P9,"L1,,\n', ["line 2: unexpected end of data"]),
    ("units", "product,serial,colour\npump,P9,red\n", ["line 1: 'colour' is no column", "it has product, serial, lot"]),
    ("units", "product,serial,colour\npump,P9,\n", ["line 1: 'colour' is no column"]),
    ("units", "product,serial,lot,lot\npump,P9,1,2\n", ["line 1: the column lot stands twice"]),
    ("units", "product;serial\npump;P9\n", ["line 1: the column serial is missing"]),
    ("units", "", ["line 1: the column product is missing"]),
    ("units", (UNITS + "pump,Pä,,,\n").encode("latin-1"), ["cannot be read", "Give a UTF-8 text file"]),
    ("units", UNITS + "pump,P9,,,\npump,P8,a\0b,,\n", ["line 3 holds a zero byte"]),
    ("owners", OWNERS + ADA + "Bob,bob@,pump/P1,2024-01-01T00:00:00Z\n", ["line 3: email: value is not a valid email"]),
    ("owners", OWNERS + "Bob,bob@example.org,pump/P1,2024-01-01T00:00:00\n", ["line 2: since:", "timezone"]),
    (
        "owners",
        OWNERS + "Bob,bob@example.org,pump/NONE,2024-01-01T00:00:00Z\n",
        ["line 2: unit: pump/NONE is not here"],
    ),
    ("owners", OWNERS + "Bob,bob@example.org,P1,2024-01-01T00:00:00Z\n", ["line 2: unit:"]),
    ("owners", OWNERS + "Bob,bob@example.org,pump/*,2024-01-01T00:00:00Z\n", ["line 2: unit: the serial '*' may hold"]),
    ("owners", OWNERS + ",bob@example.org,pump/P1,2024-01-01T00:00:00Z\n", ["line 2: person: Field required"]),
    ("products", "code: [", ["is not YAML"]),
    ("products", "- 1\n", ["the whole: Input should be a valid dictionary"]),
    ("products", yaml.safe_dump(PUMP | {"colour": "red"}), ["colour: Extra inputs are not permitted"]),
    ("products", yaml.safe_dump(PUMP | {"name": {"de": "Pumpe"}}), ["name: the English text is missing"]),
    (
        "products",
        yaml.safe_dump(PUMP | {"metrics": PUMP["metrics"] * 2}),
        ["metrics named twice: pressure_bar, temp_c"],
    ),
    ("products", yaml.safe_dump(PUMP).replace("- 200", "- .inf"), ["metrics.0.range.1: Input should be a finite"]),
    ("products", yaml.safe_dump(PUMP).replace("- 200", "- .nan"), ["metrics.0.range.1: Input should be a finite"]),
    ("products", yaml.safe_dump(PUMP).replace("- 200", "- -40"), ["must go from low to high"]),
]


def test_a_refused_file_names_every_line_and_leaves_nothing(maker, db, subtests):
    maker.products()
    maker.units("pump,P-1,,,\n")
    before = everything(db)
    for what, content, told in REFUSED:
        with subtests.test(f"{what}: {told[0]}"):
            refusal = maker.refused(what, content)
            assert [part for part in told if part not in refusal] == [], refusal
            assert everything(db) == before


def test_all_problems_are_named_at_once_and_many_are_counted(maker):
    maker.products()
    told = maker.refused("units", UNITS + "pump,,,,\n" * 25)
    assert "line 2: serial" in told
    assert "line 21: serial" in told
    assert "line 22: serial" not in told
    assert told.endswith("and 5 more")


def test_a_file_that_is_not_there_says_so(url, tmp_path):
    with pytest.raises(BadInput, match=r"nothing\.csv cannot be read"):
        import_files(url, "units", [tmp_path / "nothing.csv"], actor="maker")


def test_files_from_spreadsheets_are_read(maker, db):
    """Excel writes a byte order mark and CRLF; quoted cells may hold commas, line ends and odd separators."""
    maker.products()
    assert "1 of 1" in maker.units('pump,"P-1","L1, hall\r\n2\u2028b\x0bc",,2026-01-31\r\n\r\n')
    maker._bring("units", b"\xef\xbb\xbf" + (UNITS + "pump,P-2,,,\n").replace("\n", "\r\n").encode())
    rows = db.execute("SELECT serial, lot FROM unit ORDER BY serial").fetchall()
    assert [(row["serial"], row["lot"]) for row in rows] == [("P1", "L1, hall\n2\u2028b\x0bc"), ("P2", None)]
    told = maker.refused("units", UNITS + 'pump,P-3,"two\nlines",,\npump,P-4,a\u2028b,,\npump,,,,\n')
    assert told.split("\n")[1:] == ["  line 5: serial: Field required"], "lines are counted as an editor counts them"


def test_the_fleet_of_the_factory_is_what_an_import_makes(url, db):
    make_fleet(url, ["P1", "P2"], owners={"P1": "Ada"})
    units = registrations.units_by_key(db, [("pump", "P1"), ("pump", "P2"), ("pump", "P3")])
    assert set(units) == {("pump", "P1"), ("pump", "P2")}
    now = datetime.now(UTC)
    owners = {serial: registrations.owner_at(db, unit.id, now) for (_, serial), unit in units.items()}
    assert owners["P1"].email == "ada@example.org"
    assert owners["P2"] is None
