"""Registration against a real database: who gets a unit, who learns nothing, and when tries run out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from gateway.core.errors import BadInput, NotFound, TooManyAttempts
from gateway.registrations import claims
from gateway.registrations.claims import COMPARED, Ambiguous, Claimed, Refused, name_place, release
from gateway.registrations.files import read_units
from gateway.registrations.model import UnitRow
from gateway.store import connect
from tests.dsl.owners import CODE, LIMITS, WRONG, import_owner, make_person, make_units, try_claim, unit_id
from tests.factories.imports import import_units

NOW = datetime.now(UTC)


def owners(db):
    return db.execute(
        "SELECT u.serial, p.name, o.how, o.place, upper_inf(o.during) AS runs"
        " FROM ownership o JOIN unit u ON u.id = o.unit_id JOIN person p ON p.id = o.person_id ORDER BY lower(o.during)"
    ).fetchall()


def events(db, kind="unit.cl"):
    rows = db.execute(
        "SELECT kind, actor, unit_id, person_id, data FROM event WHERE starts_with(kind, %s) ORDER BY id", [kind]
    ).fetchall()
    return [tuple(row.values()) for row in rows]


def tries(db):
    return db.execute("SELECT count(*) AS n FROM attempt WHERE kind LIKE 'claim-%'").fetchone()["n"]


@pytest.fixture
def ada(db):
    make_units(db, "P1", "P2")
    return make_person(db, "Ada")


def give_up(db, who, unit, now=None):
    with db.transaction():
        release(db, who.person_id, who.public_id, unit, now or datetime.now(UTC))


class TestClaiming:
    def test_serial_and_code_make_the_unit_his(self, db, ada):
        claimed = try_claim(db, ada, " p-1", "k7qm 2xrt")
        assert isinstance(claimed, Claimed)
        assert owners(db) == [{"serial": "P1", "name": "Ada", "how": "claim", "place": None, "runs": True}]
        assert events(db) == [
            ("unit.claimed", "person-ada", unit_id(db, "P1"), ada.person_id, {"product": "pump", "serial": "P1"})
        ]
        assert tries(db) == 0

    def test_asking_twice_changes_nothing(self, db, ada):
        """A form that is sent twice must not look like a refusal."""
        assert try_claim(db, ada) == try_claim(db, ada)
        assert (len(owners(db)), len(events(db))) == (1, 1)

    @pytest.mark.parametrize(("serial", "code"), [("P9", CODE), ("P1", WRONG), ("P2", CODE), ("P3", CODE)])
    def test_wrong_serial_wrong_code_owned_and_codeless_are_one_answer(self, db, ada, serial, code):
        make_units(db, "P3", code=None)
        import_owner(db, "P2", NOW - timedelta(days=9), name="Bob")
        assert try_claim(db, ada, serial, code) == Refused()
        assert [row["name"] for row in owners(db)] == ["Bob"]
        assert events(db) == []
        assert tries(db) == 3

    def test_an_ownership_that_begins_later_is_one_too(self, db, ada):
        import_owner(db, "P1", NOW + timedelta(days=1), name="Bob")
        assert try_claim(db, ada) == Refused()

    def test_of_two_at_once_one_gets_it(self, url, db, ada):
        together, people = Barrier(2), (ada, make_person(db, "Bob"))

        def go(who):
            with connect(url, "test") as connection:
                together.wait(10)
                return try_claim(connection, who)

        with ThreadPoolExecutor(2) as threads:
            outcomes = [future.result(30) for future in [threads.submit(go, who) for who in people]]
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Claimed", "Refused"]
        assert len(owners(db)) == 1

    def test_what_can_be_neither_serial_nor_code_costs_no_try(self, db, ada):
        for serial, code in (("!", CODE), ("P1", "short")):
            with pytest.raises(ValueError, match=r"serial|claim code"):
                try_claim(db, ada, serial, code)
        assert tries(db) == 0


class TestAmbiguousSerials:
    @pytest.fixture(autouse=True)
    def _two_products(self, db, ada):
        make_units(db, "S1", products=("pump", "valve"))
        make_units(db, "S1", code="VVVV-VVVV", products=("valve",))

    def test_who_knows_the_code_of_one_is_asked_which(self, db, ada):
        asked = try_claim(db, ada, "S1")
        assert isinstance(asked, Ambiguous)
        assert [row["code"] for row in asked.products] == ["pump", "valve"]
        assert tries(db) == 0

    def test_who_knows_none_learns_nothing(self, db, ada):
        assert try_claim(db, ada, "S1", WRONG) == Refused()

    def test_the_product_decides(self, db, ada):
        assert try_claim(db, ada, "S1", CODE, "valve") == Refused()
        assert isinstance(try_claim(db, ada, "S1", CODE, "pump"), Claimed)

    def test_a_serial_that_very_many_products_share_is_asked_for_with_its_product(self, db, ada):
        make_units(db, "S2", products=tuple(f"p{number}" for number in range(COMPARED + 1)))
        asked = try_claim(db, ada, "S2", WRONG)
        assert isinstance(asked, Ambiguous)
        assert len(asked.products) == COMPARED + 1
        assert isinstance(try_claim(db, ada, "S2", CODE, "p3"), Claimed)


class TestEqualCost:
    def test_every_refusal_runs_the_same_queries_and_compares_as_many_codes(self, db, ada, monkeypatch):
        import_owner(db, "P2", NOW - timedelta(days=9), name="Bob")
        ran, compared = [], []
        plain, is_code = type(db).execute, claims.is_code

        def execute(self, query, *arguments, **options):
            ran.append(query if isinstance(query, str) else query.as_string())
            return plain(self, query, *arguments, **options)

        monkeypatch.setattr(type(db), "execute", execute)
        monkeypatch.setattr(claims, "is_code", lambda typed, kept: compared.append(len(kept)) or is_code(typed, kept))
        seen = []
        for serial, code in (("P9", CODE), ("P1", WRONG), ("P2", CODE), ("P2", WRONG)):
            ran.clear()
            compared.clear()
            assert try_claim(db, ada, serial, code) == Refused()
            seen.append((list(ran), list(compared)))
        assert [each == seen[0] for each in seen] == [True] * 4
        assert seen[0][1] == [48] * COMPARED


class TestLimits:
    @pytest.mark.parametrize("which", ["per_unit", "per_account", "per_network"])
    def test_tries_run_out_also_for_the_right_code(self, db, ada, which):
        limits = replace(LIMITS, **{which: 3})
        for _ in range(3):
            assert try_claim(db, ada, code=WRONG, limits=limits) == Refused()
        with pytest.raises(TooManyAttempts, match=r"Try again in \d+ minutes") as refused:
            try_claim(db, ada, limits=limits)
        assert 3500 < refused.value.retry_after_s <= 3600
        assert tries(db) == 9
        assert owners(db) == []

    def test_what_an_account_spends_on_a_serial_does_not_stop_its_owner(self, db, ada):
        """Anybody can name a serial. The guesser is stopped, also with the right code; the owner is not."""
        mallory = replace(make_person(db, "Mallory"), network="198.51.100.1")
        for _ in range(LIMITS.per_unit):
            assert try_claim(db, mallory, code=WRONG) == Refused()
        with pytest.raises(TooManyAttempts):
            try_claim(db, mallory)
        assert isinstance(try_claim(db, ada), Claimed)

    def test_nor_do_many_accounts_in_many_networks(self, db, ada):
        limits = replace(LIMITS, per_unit=2, per_account=2, per_network=2)
        for number in range(5):
            guesser = replace(make_person(db, f"Guesser {number}"), network=f"198.51.100.{number}")
            for _ in range(2):
                assert try_claim(db, guesser, code=WRONG, limits=limits) == Refused()
        assert isinstance(try_claim(db, ada, limits=limits), Claimed)

    def test_what_others_spend_of_a_network_stops_only_who_was_wrong_too(self, db, ada):
        limits = replace(LIMITS, per_network=4)
        for name in ("Mallory", "Trudy"):
            guesser = make_person(db, name)
            for _ in range(2):
                try_claim(db, guesser, "P2", WRONG, limits=limits)
        assert guesser.network == ada.network
        for _ in range(3):
            assert try_claim(db, ada, code=WRONG, limits=limits) == Refused()
        with pytest.raises(TooManyAttempts):
            try_claim(db, ada, limits=limits)
        assert isinstance(try_claim(db, make_person(db, "Bob"), limits=limits), Claimed)

    def test_a_guesser_learns_nothing_from_being_stopped(self, db, ada):
        """As many tries and the same words for a serial that is there, one that is owned and one of nobody."""
        import_owner(db, "P2", NOW - timedelta(days=9), name="Bob")
        limits = replace(LIMITS, per_unit=2)
        seen = []
        for serial in ("P1", "P2", "P9"):
            outcomes = []
            for _ in range(3):
                try:
                    outcomes.append(try_claim(db, ada, serial, WRONG, limits=limits))
                except TooManyAttempts as stopped:
                    outcomes.append(str(stopped))
            seen.append(outcomes)
        assert seen[0] == seen[1] == seen[2]
        assert seen[0] == [Refused(), Refused(), "That was tried too often. Try again in 60 minutes."]

    def test_a_serial_that_nobody_has_runs_out_alike(self, db, ada):
        """Else the limit itself would tell which serials exist."""
        limits = replace(LIMITS, per_unit=1)
        try_claim(db, ada, "P9", limits=limits)
        with pytest.raises(TooManyAttempts):
            try_claim(db, ada, "p-9", limits=limits)

    def test_a_right_code_uses_up_no_try(self, db, ada):
        limits = replace(LIMITS, per_account=1)
        assert isinstance(try_claim(db, ada, "P1", limits=limits), Claimed)
        assert isinstance(try_claim(db, ada, "P2", limits=limits), Claimed)

    def test_the_present_owner_is_told_once_when_the_tries_of_his_unit_run_out(self, db, ada):
        import_owner(db, "P2", NOW - timedelta(days=9), name="Bob")
        bob = db.execute("SELECT id FROM person WHERE name = 'Bob'").fetchone()["id"]
        limits = replace(LIMITS, per_unit=3)
        for _ in range(3):
            try_claim(db, ada, "P2", WRONG, limits=limits)
        for _ in range(2):
            with pytest.raises(TooManyAttempts):
                try_claim(db, ada, "P2", WRONG, limits=limits)
        guesser = replace(make_person(db, "Mallory"), network="198.51.100.1")
        try_claim(db, guesser, "P2", WRONG, limits=limits)
        assert events(db) == [("unit.claim_attempts", "gateway", unit_id(db, "P2"), bob, {"attempts": 3})]

    def test_tries_at_the_same_moment_are_counted_one_by_one(self, url, db, ada):
        together, limits = Barrier(6), replace(LIMITS, per_unit=2)

        def go(_):
            with connect(url, "test") as connection:
                together.wait(10)
                try:
                    return try_claim(connection, ada, code=WRONG, limits=limits)
                except TooManyAttempts:
                    return None

        with ThreadPoolExecutor(6) as threads:
            outcomes = list(threads.map(go, range(6)))
        assert outcomes.count(Refused()) == 2


class TestGivingUp:
    def test_the_code_registers_the_unit_again(self, db, ada):
        bob = make_person(db, "Bob")
        unit = try_claim(db, ada).unit
        give_up(db, ada, unit)
        assert isinstance(try_claim(db, bob), Claimed)
        assert [(row["name"], row["runs"]) for row in owners(db)] == [("Ada", False), ("Bob", True)]
        assert [event[0] for event in events(db, "unit.released")] == ["unit.released"]

    def test_a_code_is_spent_unless_its_owner_gave_the_unit_up(self, db, ada):
        """Whoever still has the plate's code from an earlier owner gets nothing when an ownership ends otherwise."""
        try_claim(db, ada)
        db.execute("UPDATE ownership SET during = tstzrange(lower(during), now())")
        assert try_claim(db, make_person(db, "Bob"), now=datetime.now(UTC) + timedelta(seconds=1)) == Refused()

    def test_only_the_present_owner_can(self, db, ada):
        bob = make_person(db, "Bob")
        unit = try_claim(db, ada).unit
        for who, what in ((bob, unit), (ada, "nothing")):
            with pytest.raises(NotFound):
                give_up(db, who, what)
        give_up(db, ada, unit)
        with pytest.raises(NotFound):
            give_up(db, ada, unit)

    def test_it_can_be_given_up_at_the_moment_it_was_claimed(self, db, ada):
        unit = try_claim(db, ada, now=NOW).unit
        give_up(db, ada, unit, NOW)
        assert [row["runs"] for row in owners(db)] == [False]

    def test_only_the_owner_names_its_place(self, db, ada):
        bob = make_person(db, "Bob")
        unit = try_claim(db, ada).unit
        name_place(db, ada.person_id, unit, "Cellar", datetime.now(UTC))
        with pytest.raises(NotFound):
            name_place(db, bob.person_id, unit, "Attic", datetime.now(UTC))
        assert owners(db)[0]["place"] == "Cellar"


class TestImport:
    def kept(self, db):
        return db.execute("SELECT unit_id, code_hash, spent_at FROM claim_code ORDER BY unit_id").fetchall()

    def test_a_second_import_of_the_same_codes_changes_nothing(self, db, ada):
        try_claim(db, ada)
        before = self.kept(db)
        make_units(db, "P1", "P2")
        assert self.kept(db) == before

    def test_another_code_takes_the_place_of_the_old_one(self, db, ada):
        make_units(db, "P1", code="NEWC-0DE1")
        assert try_claim(db, ada) == Refused()
        assert isinstance(try_claim(db, ada, code="newc0de1"), Claimed)

    def test_a_file_without_codes_leaves_them_as_they_are(self, db, ada):
        make_units(db, "P1", code=None)
        assert isinstance(try_claim(db, ada), Claimed)

    def test_no_table_holds_a_code_in_clear(self, db, ada):
        try_claim(db, ada)
        tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for table in tables:
            rows = db.execute(f"SELECT to_jsonb(t)::text AS row FROM {table['tablename']} t").fetchall()
            assert [row for row in rows if "K7QM" in row["row"].upper()] == [], table

    def test_a_code_that_is_none_is_named_with_its_line_and_not_repeated(self, tmp_path):
        file = tmp_path / "units.csv"
        file.write_text("product,serial,claim_code\npump,P1,K7QM-2XRT\npump,P2,SECRET\n")
        with pytest.raises(BadInput) as refused:
            read_units(file)
        assert "line 3: claim_code: a claim code has 8 to 32 letters and digits" in str(refused.value)
        assert "SECRET" not in str(refused.value)

    def test_a_units_file_stays_all_or_nothing(self, db, ada):
        rows = {2: UnitRow(product="pump", serial="P5", claim_code=CODE), 3: UnitRow(product="teapot", serial="P6")}
        with pytest.raises(BadInput), db.transaction():
            import_units(db, rows, actor="test")
        assert try_claim(db, ada, "P5") == Refused()
