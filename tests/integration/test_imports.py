"""Makers' files: taken whole or not at all, repeatable, every problem named by its line, every change told."""

import os
import threading
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psycopg
import pytest
import yaml

from gateway.campaigns import repository as campaigns
from gateway.core.errors import BadInput
from gateway.imports.rows import import_rows
from gateway.imports.service import import_files
from gateway.registrations import repository as registrations
from gateway.registrations.files import Problems, read_rows
from gateway.registrations.model import UnitRow
from tests.factories import PUMP, make_fleet
from tests.factories.campaigns import confirm

UNITS = "product,serial,lot,firmware,made_on\n"
OWNERS = "person,email,unit,since\n"
ADA = "Ada,ada@example.org,pump/P-1,2024-01-01T00:00:00Z\n"


class Maker:
    """Someone who imports files into a database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def products(self, **changes: object) -> str:
        return self.bring("products", yaml.safe_dump(PUMP | changes))

    def units(self, lines: str) -> str:
        return self.bring("units", UNITS + lines)

    def owners(self, lines: str) -> str:
        return self.bring("owners", OWNERS + lines)

    def bring(self, what: str, content: str | bytes) -> str:
        file = self.folder / f"{what}.txt"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_files(self.url, what, [file], actor="maker")[0]

    def refused(self, what: str, content: str | bytes) -> str:
        with pytest.raises(BadInput) as refusal:
            self.bring(what, content)
        return str(refusal.value)


@pytest.fixture
def maker(url, tmp_path) -> Maker:
    return Maker(url, tmp_path)


def events(db) -> list[tuple[str, str]]:
    return [(row["kind"], row["actor"]) for row in db.execute("SELECT kind, actor FROM event ORDER BY id")]


def imported_tables(db) -> list[object]:
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
    before = imported_tables(db)
    assert maker.products(metrics=[odd]) == "products.txt: pump is as it was"
    assert imported_tables(db) == before
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
    before = imported_tables(db)
    maker.products()
    assert maker.units(lines) == "units.txt: 0 of 2 units created or changed"
    assert maker.owners(ADA) == "owners.txt: 0 of 1 ownerships began"
    assert maker.owners(ADA.replace("2024", "2025")) == "owners.txt: 0 of 1 ownerships began", "she has it since before"
    assert imported_tables(db) == before


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
    assert registrations.owners_at(db, [unit.id], moment.replace(hour=9))[unit.id].name == "Ada"
    assert registrations.owners_at(db, [unit.id], moment)[unit.id].name == "Bob"
    assert registrations.owners_at(db, [unit.id], datetime(2023, 1, 1, tzinfo=UTC)) == {}
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
    before = imported_tables(db)
    told = maker.refused("owners", OWNERS + "Bob,bob@example.org,pump/P-1,2023-01-01T00:00:00Z\n")
    assert "line 2: since: pump/P-1 has an owner from 2024-01-01 on already" in told
    same = maker.refused("owners", OWNERS + "Bob,bob@example.org,pump/P-1,2024-01-01T00:00:00Z\n")
    assert "line 2: since" in same
    assert imported_tables(db) == before


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
    (
        "owners",
        OWNERS + "Bob,böb@example.org,pump/P1,2024-01-01T00:00:00Z\n",
        ["line 2: email:", "before the @ has letters"],
    ),
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
    before = imported_tables(db)
    for what, content, told in REFUSED:
        with subtests.test(f"{what}: {told[0]}"):
            refusal = maker.refused(what, content)
            assert [part for part in told if part not in refusal] == [], refusal
            assert imported_tables(db) == before


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
    maker.bring("units", b"\xef\xbb\xbf" + (UNITS + "pump,P-2,,,\n").replace("\n", "\r\n").encode())
    rows = db.execute("SELECT serial, lot FROM unit ORDER BY serial").fetchall()
    assert [(row["serial"], row["lot"]) for row in rows] == [("P1", "L1, hall\n2\u2028b\x0bc"), ("P2", None)]
    told = maker.refused("units", UNITS + 'pump,P-3,"two\nlines",,\npump,P-4,a\u2028b,,\npump,,,,\n')
    assert told.split("\n")[1:] == ["  line 5: serial: Field required"], "lines are counted as an editor counts them"


def test_the_fleet_of_the_factory_is_what_an_import_makes(url, db):
    make_fleet(url, ["P1", "P2"], owners={"P1": "Ada"})
    units = registrations.units_by_key(db, [("pump", "P1"), ("pump", "P2"), ("pump", "P3")])
    assert set(units) == {("pump", "P1"), ("pump", "P2")}
    now = datetime.now(UTC)
    owners = {serial: registrations.owners_at(db, [unit.id], now).get(unit.id) for (_, serial), unit in units.items()}
    assert owners["P1"].email == "ada@example.org"
    assert owners["P2"] is None


def unit(db, serial: str) -> dict[str, object]:
    """What is known of a unit, without what is not, and without what the store makes of it for the search."""
    row = db.execute("SELECT * FROM unit WHERE serial = %s", [serial]).fetchone()
    return {name: value for name, value in row.items() if value is not None and name != "words"}


def person(db, email: str) -> dict[str, object]:
    row = db.execute("SELECT * FROM person WHERE email = %s", [email]).fetchone()
    return {name: value for name, value in row.items() if value is not None}


def is_staged(db) -> bool:
    """Whether anything of an import is left over."""
    tables = ("import_unit", "import_owner", "import_change")
    return any(db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables)


class TestEmptyCells:
    """A file knows what its maker wrote into it, and nothing of the rest."""

    WIDE = "product,serial,lot,firmware,made_on,hardware,region,sold_on,support_until,order_number,test\n"
    FULL = "pump,P-1,L1,1.0,2026-01-31,B,DE,2026-02-01,2036-02-01,4711,yes\n"

    def test_erase_nothing(self, maker, db):
        maker.products()
        maker.bring("units", self.WIDE + self.FULL)
        before = imported_tables(db)
        assert "0 of 1" in maker.bring("units", self.WIDE + "pump,P-1,,,,,,,,,\n")
        assert "0 of 1" in maker.bring("units", "product,serial\npump,P-1\n")
        assert imported_tables(db) == before
        assert unit(db, "P1")["hardware"] == "B"
        assert str(unit(db, "P1")["support_until"]) == "2036-02-01"
        assert unit(db, "P1")["is_test"] is True

    def test_erase_the_columns_that_clear_names(self, maker, db, url):
        maker.products()
        maker.bring("units", self.WIDE + self.FULL)
        (file := maker.folder / "cleared.csv").write_text(self.WIDE + "pump,P-1,,,,,,,,,\n")
        assert "1 of 1" in import_rows(url, "units", [file], actor="maker", clear=["lot", "sold_on"])[0]
        assert {"lot", "sold_on"} & set(unit(db, "P1")) == set()
        assert unit(db, "P1")["order_number"] == "4711"
        assert "1 of 1" in import_rows(url, "units", [file], actor="maker", clear=[])[0]
        left = {"id", "public_id", "product_id", "serial", "printed", "is_test"}
        assert set(unit(db, "P1")) == left
        assert unit(db, "P1")["is_test"] is False
        assert "0 of 1" in import_rows(url, "units", [file], actor="maker", clear=[])[0]

    def test_of_a_column_that_is_not_there_cannot_be_meant(self, maker, url):
        maker.products()
        (file := maker.folder / "narrow.csv").write_text("product,serial\npump,P-1\n")
        with pytest.raises(BadInput, match=r"narrow\.csv: the column lot is missing"):
            import_rows(url, "units", [file], actor="maker", clear=["lot"])
        with pytest.raises(BadInput, match="--clear does not take claim_code: what it erases is lot, "):
            import_rows(url, "units", [file], actor="maker", clear=["claim_code"])

    def test_of_an_owner_erase_nothing_either(self, maker, db, url):
        maker.products()
        maker.units("pump,P-1,,,\n")
        head = "person,email,unit,since,phone,address,country,time_zone,customer_number,contract_level,language\n"
        line = "Ada,ada@example.org,pump/P-1,2024-01-01T00:00:00Z"
        full = ',+49 30 1,"Weg 1, Berlin",de,Europe/Berlin,K-1,gold,de\n'
        maker.bring("owners", head + line + full)
        before = imported_tables(db)
        maker.bring("owners", head + line + ",,,,,,,\n")
        assert imported_tables(db) == before
        ada = person(db, "ada@example.org")
        assert (ada["country"], ada["time_zone"], ada["address"]) == ("DE", "Europe/Berlin", "Weg 1, Berlin")
        assert (ada["language"], ada["contract_level"], ada["customer_number"]) == ("de", "gold", "K-1")
        (file := maker.folder / "cleared.csv").write_text(head + line + ",,,,,,,\n")
        import_rows(url, "owners", [file], actor="maker", clear=["phone"])
        assert "phone" not in person(db, "ada@example.org")
        assert person(db, "ada@example.org")["country"] == "DE"


def test_what_a_device_reported_is_not_undone_by_a_file(maker, db, url):
    maker.products()
    maker.units("pump,P-1,L1,1.0,\npump,P-2,L1,1.0,\n")
    db.execute("UPDATE unit SET firmware = '2.0', firmware_reported_at = now() WHERE serial = 'P1'")
    told = maker.units("pump,P-1,L1,1.0,\npump,P-2,L1,1.1,\n")
    assert told == "units.txt: 1 of 2 units created or changed; 1 keep the firmware that they reported"
    assert (unit(db, "P1")["firmware"], unit(db, "P2")["firmware"]) == ("2.0", "1.1")
    import_rows(url, "units", [maker.folder / "units.txt"], actor="maker", clear=["firmware"])
    assert unit(db, "P1")["firmware"] == "2.0"


def test_a_test_unit_is_in_no_audience(maker, db):
    maker.products()
    maker.bring(
        "units", "product,serial,lot,firmware,test\npump,P-1,L1,1.0,\npump,P-2,L1,1.0,yes\npump,P-3,L1,1.0,no\n"
    )
    product_id = unit(db, "P1")["product_id"]
    asked = {"lots": (["L1"], None, None), "serials": (None, ["P1", "P2"], None), "firmware": (None, None, "2.0")}
    found = {
        name: [
            row["serial"]
            for row in db.execute(
                "SELECT u.serial FROM audience_unit(%s, %s, %s, %s) a JOIN unit u ON u.id = a.unit_id ORDER BY 1",
                [product_id, *given],
            )
        ]
        for name, given in asked.items()
    }
    assert found == {"lots": ["P1", "P3"], "serials": ["P1"], "firmware": ["P1", "P3"]}
    (choice,) = campaigns.choices(db)
    assert choice["lots"] == [{"lot": "L1", "units": 2}]


def test_new_columns_are_checked(maker, db, subtests):
    maker.products()
    maker.units("pump,P-1,,,\n")
    before = imported_tables(db)
    owner = "Ada,ada@example.org,pump/P-1,2024-01-01T00:00:00Z,"
    for what, content, told in [
        ("units", "product,serial,test\npump,P1,maybe\n", "line 2: test: Input should be 'yes' or 'no'"),
        ("units", "product,serial,sold_on\npump,P1,soon\n", "line 2: sold_on: Input should be a valid date"),
        ("units", f"product,serial,region\npump,P1,{'x' * 201}\n", "line 2: region: String should have at most 200"),
        ("owners", f"{OWNERS[:-1]},country\n{owner}XX\n", "line 2: country: write the country as two letters"),
        (
            "owners",
            f"{OWNERS[:-1]},time_zone\n{owner}Mars/Base\n",
            "line 2: time_zone: write the time zone by its IANA",
        ),
        ("owners", f"{OWNERS[:-1]},language\n{owner}fr\n", "line 2: language: write one of en, de"),
        ("units", f"product,serial,lot\npump,P1,{'x' * 70_000}\n", "line 2 is longer than 65536 characters"),
    ]:
        with subtests.test(told):
            assert told in maker.refused(what, content)
            assert imported_tables(db) == before


def test_who_has_an_account_keeps_the_language_they_chose(maker, db):
    maker.products()
    maker.units("pump,P-1,,,\npump,P-2,,,\n")
    head, bob = OWNERS[:-1] + ",language\n", "Bob,bob@example.org,pump/P-2,2024-01-01T00:00:00Z"
    maker.bring("owners", head + ADA.replace("\n", ",en\n") + bob + ",en\n")
    confirm(db, "Ada")
    maker.bring("owners", head + ADA.replace("\n", ",de\n") + bob + ",de\n")
    assert (person(db, "ada@example.org")["language"], person(db, "bob@example.org")["language"]) == ("en", "de")


def test_the_order_of_lines_does_not_matter_to_a_chain_of_owners(maker, db):
    """Also where the first of them is known already, and comes back at the end."""
    maker.products()
    maker.units("pump,P-1,,,\n")
    maker.owners(ADA)
    bob = "Bob,bob@example.org,pump/P-1,2025-01-01T00:00:00Z\n"
    back = "Ada,ada@example.org,pump/P-1,2026-01-01T00:00:00Z\n"
    assert maker.owners(back + ADA + bob) == "owners.txt: 2 of 3 ownerships began"
    rows = db.execute(
        "SELECT p.name, extract(year FROM lower(during))::int AS year FROM ownership JOIN person p ON p.id = person_id"
        " ORDER BY lower(during)"
    ).fetchall()
    assert [(row["name"], row["year"]) for row in rows] == [("Ada", 2024), ("Bob", 2025), ("Ada", 2026)]
    assert maker.owners(bob + back + ADA) == "owners.txt: 0 of 3 ownerships began"


def test_two_owners_of_one_date_are_refused(maker, db):
    maker.products()
    maker.units("pump,P-1,,,\n")
    before = imported_tables(db)
    told = maker.refused("owners", OWNERS + ADA + ADA.replace("Ada", "Bob").replace("ada@", "bob@"))
    assert told.endswith("line 3: since: pump/P-1 has an owner from 2024-01-01 on already")
    assert imported_tables(db) == before


def test_one_address_is_one_person_and_the_last_line_that_knows_counts(maker, db):
    maker.products()
    maker.units("pump,P-1,,,\npump,P-2,,,\npump,P-3,,,\n")
    head = OWNERS[:-1] + ",phone\n"
    line = "{name},{email},pump/P-{n},2024-01-01T00:00:00Z,{phone}\n"
    rows = [
        ("Ada", "ada@example.org", 1, "1"),
        ("Ada B.", "ADA@example.org", 2, "2"),
        ("Ada C.", "Ada@example.org", 3, ""),
    ]
    maker.bring("owners", head + "".join(line.format(name=a, email=b, n=c, phone=d) for a, b, c, d in rows))
    assert db.execute("SELECT count(*) FROM person").fetchone() == {"count": 1}
    ada = person(db, "ada@example.org")
    assert (ada["name"], ada["phone"]) == ("Ada C.", "2")


def test_files_of_one_command_stand_together(url, db, maker, tmp_path):
    maker.products()
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("product,serial\npump,P-1\npump,P-2\n")
    two.write_text("product,serial\npump,P-3\npump,p2\n")
    before = imported_tables(db)
    with pytest.raises(BadInput, match=r"two\.csv: line 3: serial: p2 stands in line 3 of one\.csv already"):
        import_files(url, "units", [one, two], actor="maker")
    assert imported_tables(db) == before
    two.write_text("product,serial\npump,P-3\n")
    (line,) = import_files(url, "units", [one, two], actor="maker")
    assert line == "one.csv, two.csv: 3 of 3 units created or changed"


def test_one_bad_line_among_fifty_thousand_changes_nothing(maker, db):
    maker.products()
    maker.units("pump,P-1,L1,,\n")
    before = imported_tables(db)
    lines = "".join(f"pump,P-{n},L2,,\n" for n in range(50_000))
    assert "line 50002: serial: p-7 stands in line 9 already" in maker.refused("units", UNITS + lines + "pump,p-7,,,\n")
    assert imported_tables(db) == before
    assert not is_staged(db)


def test_a_file_with_more_rows_than_are_taken_is_refused(maker, db, url):
    maker.products()
    (file := maker.folder / "units.csv").write_text("product,serial\n" + "".join(f"pump,P-{n}\n" for n in range(11)))
    with pytest.raises(BadInput, match=r"more than 10 rows\. Split the files"):
        import_rows(url, "units", [file], actor="maker", rows_max=10)
    assert db.execute("SELECT FROM unit").fetchone() is None


def test_a_file_is_read_as_a_stream(tmp_path):
    """The first rows are there before the last is written, so a long file takes no memory."""
    os.mkfifo(pipe := tmp_path / "units.csv")
    rows: list[int] = []

    def read() -> None:
        rows.extend(line for line, _ in islice(read_rows(pipe, UnitRow, Problems()), 3))

    reader = threading.Thread(target=read)
    reader.start()
    with pipe.open("w") as writing:
        writing.write("product,serial\n" + "".join(f"pump,P-{n}\n" for n in range(2_000)))
        writing.flush()
        reader.join(timeout=30)
        assert rows == [2, 3, 4]
