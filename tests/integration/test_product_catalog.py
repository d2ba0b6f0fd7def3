"""Products and rules change under running state: nothing stops or is lost, and trouble stays with its product."""

import threading
import time
from pathlib import Path

import pytest
import yaml

from gateway import catalog, cli
from gateway.app import judging
from gateway.app.check import products as check_products
from gateway.app.imports import apply_rules, import_files, resume_products, retire_rules
from gateway.catalog.repository import suspensions
from gateway.core.clock import system_clock
from gateway.core.errors import BadInput
from gateway.registrations.model import UnitRow
from gateway.registrations.service import import_product
from gateway.rules.document import RuleDocument
from gateway.rules.state import Readings
from gateway.store import Jsonb, connect
from gateway.store import migrate as migrations
from tests.dsl.stepped import Stepped
from tests.dsl.wait import until
from tests.factories import HOT, PUMP, product
from tests.factories.imports import import_units

FLOW = {"name": "flow_l_min", "title": {"en": "Flow"}, "unit": "l/min", "range": [0, 99], "cadence": "1s"}
TEMPERATURE, PRESSURE = PUMP["metrics"]
FAN = PUMP | {"code": "fan", "model": "F 1", "name": {"en": "Fan"}}
RULE = HOT % {"for": "0s", "raised": "3s", "severity": "warning", "audience": "owner"}


PRESS = (
    RULE.replace("pump-hot", "pump-press")
    .replace("metric: temp_c, unit: °C, above: 90, clear_below: 85", "metric: pressure_bar, unit: bar, above: 5")
    .replace('temp_c: "80x3 95x20"', 'pressure_bar: "1x3 6x20"')
    .replace('temp_c: "80x20"', 'pressure_bar: "1x20"')
)


class Maker:
    """Somebody who changes the catalog by files."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def file(self, name: str, *documents: str) -> Path:
        path = self.folder / name
        path.write_text("---\n".join(documents))
        return path

    def products(self, *products: dict, rules: tuple[str, ...] = (), retire: bool = False) -> list[str]:
        paths = [self.file(f"{each['code']}.yaml", yaml.safe_dump(each)) for each in products]
        rule_files = [self.file("with.yaml", *rules)] if rules else []
        return import_files(self.url, "products", paths, actor="test", rule_files=rule_files, retire_rules=retire)

    def rules(self, *documents: str) -> list[str]:
        return apply_rules(self.url, [self.file("rules.yaml", *documents)], actor="test")


@pytest.fixture
def maker(url, tmp_path) -> Maker:
    """Pumps and fans, two units each, and a rule on the temperature of each."""
    maker = Maker(url, tmp_path)
    maker.products(PUMP, FAN)
    with connect(url, "test") as connection, connection.transaction():
        rows = [UnitRow(product=code, serial=serial) for code in ("pump", "fan") for serial in ("1", "2")]
        import_units(connection, dict(enumerate(rows, 2)), actor="test")
    maker.rules(RULE, fan(RULE))
    return maker


@pytest.fixture
def ingest(maker, url):
    stepped = Stepped(url)
    yield stepped
    stepped.kill()


def fan(rule: str) -> str:
    return rule.replace("pump-hot", "fan-hot").replace("product: pump", "product: fan")


def stored(db, code: str = "pump") -> list[tuple[str, float]]:
    rows = db.execute(
        "SELECT m.name, t.value FROM telemetry t JOIN metric m ON m.id = t.metric_id JOIN unit u ON u.id = t.unit_id"
        " JOIN product p ON p.id = u.product_id WHERE p.code = %s ORDER BY t.time, m.name",
        [code],
    )
    return [(row["name"], row["value"]) for row in rows]


def alarms(db) -> list[tuple[str, float, bool, bool]]:
    rows = db.execute(
        "SELECT v.rule_id, extract(epoch FROM a.onset)::float8 AS onset, a.cleared_at IS NULL AS active, a.historic"
        " FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id ORDER BY a.onset, v.rule_id"
    )
    return [(row["rule_id"], row["onset"], row["active"], row["historic"]) for row in rows]


def waits_for_a_lock(db) -> bool:
    waiting = db.execute(
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
    )
    return waiting.fetchone() is not None


def everything(db) -> list[object]:
    tables = ("product", "product_metric", "rule_version", "catalog_revision", "product_revision", "event")
    return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


def refused(db) -> list[str]:
    return [row["reason"] for row in db.execute("SELECT reason FROM quarantine ORDER BY id")]


CHANGES = {
    "a metric that a rule uses goes": ([PRESSURE], "condition.metric: the product has no metric temp_c"),
    "it is measured in another unit": ([TEMPERATURE | {"unit": "°F"}, PRESSURE], "condition.unit: temp_c is measured"),
    "its range ends below the limit": ([TEMPERATURE | {"range": [-40, 80]}, PRESSURE], "condition.above: 90"),
    "it comes too seldom for the rule": ([TEMPERATURE | {"cadence": "1m"}, PRESSURE], "for: is shorter than the 1m"),
}


def test_a_product_file_that_would_break_a_rule_in_force_is_refused_and_names_it(maker, db, url, subtests):
    """And changes nothing, of the other product's file neither; ingest goes on."""
    maker.rules(RULE.replace("for: 0s", "for: 2s").replace("raised_at: 3s", "raised_at: 5s"))
    before = everything(db)
    for what, (metrics, problem) in CHANGES.items():
        with subtests.test(what):
            with pytest.raises(BadInput) as refusal:
                maker.products(FAN | {"brand": "Other"}, PUMP | {"metrics": metrics})
            assert f"pump-hot: {problem}" in str(refusal.value)
            assert "--retire-rules" in str(refusal.value)
            assert everything(db) == before
    stepped = Stepped(url)
    at = time.time() - 5
    stepped.send("pump", "1", (at, {"temp_c": 95}), (at + 2, {"temp_c": 95}))
    assert len(alarms(db)) == 1
    stepped.kill()


def test_a_self_test_that_a_new_cadence_breaks_refuses_the_product_file(maker, db):
    """Five cadences of silence break a wait, where the rule names no max_gap."""
    rule = RULE.replace("for: 0s", "for: 8s").replace(
        '{name: fires, every: 1s, series: {temp_c: "80x3 95x20"}, expect: [{raised_at: 3s}]}',
        '{name: fires, every: 4s, series: {temp_c: "80x3 95x5"}, expect: [{raised_at: 20s}]}',
    )
    maker.rules(rule)
    with pytest.raises(BadInput, match="pump-hot: test 'fires': expected"):
        maker.products(PUMP | {"metrics": [TEMPERATURE | {"cadence": "500ms"}, PRESSURE]})


def test_retire_rules_takes_the_broken_ones_out_of_force_in_the_same_step(maker, db):
    lines = maker.products(PUMP | {"metrics": [PRESSURE]}, retire=True)
    assert lines == ["pump.yaml: pump imported", "pump-hot: out of force"]
    active = [row["rule_id"] for row in db.execute("SELECT rule_id FROM rule_version WHERE active")]
    assert active == ["fan-hot"], "another product's rule stays"


def test_a_unit_of_measure_changes_together_with_its_rule(maker, db, ingest):
    fahrenheit = PUMP | {"metrics": [TEMPERATURE | {"unit": "°F", "range": [-40, 400]}, PRESSURE]}
    rule = RULE.replace("°C", "°F").replace("above: 90, clear_below: 85", "above: 194, clear_below: 185")
    rule = rule.replace("80x3 95x20", "80x3 195x20")
    assert maker.products(fahrenheit, rules=(rule,)) == ["pump.yaml: pump imported", "pump-hot: version 2 is in force"]
    ingest.look()
    ingest.send("pump", "1", (time.time() - 2, {"temp_c": 120}), (time.time() - 1, {"temp_c": 195}))
    assert len(alarms(db)) == 1


def test_the_command_takes_what_is_meant(maker, db, ingest, fault, monkeypatch, capsys):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", maker.url)

    def run(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(each) for each in arguments])
        told = capsys.readouterr()
        return ended.value.code, told.out + told.err

    pressure_only = maker.file("pump.yaml", yaml.safe_dump(PUMP | {"metrics": [PRESSURE]}))
    code, told = run("import", "products", pressure_only)
    assert (code, "pump-hot: condition.metric" in told) == (1, True)
    rule = maker.file("press.yaml", PRESS)
    assert run("import", "products", pressure_only, "--rules", rule, "--retire-rules") == (
        0,
        "pump.yaml: pump imported\npump-press: version 1 is in force\npump-hot: out of force\n",
    )
    code, told = run("rules", "resume", "pump", "--forget-state")
    assert (code, told) == (1, "gateway: pump is not suspended; suspended: none is.\n")


def test_options_for_rules_go_with_products_only(maker, url, tmp_path):
    with pytest.raises(BadInput, match="leave out --rules"):
        import_files(url, "units", [], actor="test", retire_rules=True)


def test_applying_a_rule_checks_the_other_rules_of_its_product(maker, db):
    """One that was broken otherwise is named: the catalog as a whole must be sound."""
    db.execute("DELETE FROM product_metric WHERE metric_id = (SELECT id FROM metric WHERE name = 'temp_c')")
    with pytest.raises(BadInput, match=r"pump-hot: condition\.metric: .*retire it first"):
        maker.rules(PRESS)
    retire_rules(maker.url, ["pump-hot"], actor="test")
    assert maker.rules(PRESS) == ["pump-press: version 1 is in force"]


def test_a_product_file_without_a_change_makes_no_revision(maker, db):
    before = catalog.newest(db)
    assert maker.products(PUMP) == ["pump.yaml: pump is as it was"]
    assert maker.rules(RULE) == ["pump-hot: in force already"]
    assert catalog.newest(db) == before > 0


def test_readings_are_judged_again_under_the_catalog_of_their_time(maker, db, url, ingest):
    """Their metric went while ingest was down, and several changes more: it starts, and they keep their metric."""
    at = time.time() - 60
    ingest.send("pump", "1", (at, {"temp_c": 95, "pressure_bar": 2}))
    ingest.kill()
    db.execute("DELETE FROM alarm")  # as if it had died before it could tell: the replay finds it again
    maker.products(PUMP | {"metrics": [PRESSURE]}, retire=True)
    maker.products(PUMP | {"metrics": [FLOW, PRESSURE]}, FAN | {"metrics": [TEMPERATURE, FLOW]})
    ingest.start()
    assert stored(db) == [("pressure_bar", 2.0), ("temp_c", 95.0)]
    (alarm,) = alarms(db)
    assert alarm == ("pump-hot", pytest.approx(at, abs=0.001), False, False), "and its rule is out of force by now"
    ingest.send("pump", "1", (at + 1, {"flow_l_min": 3}))
    ingest.send("fan", "1", (at + 1, {"flow_l_min": 4, "temp_c": 20}))
    assert stored(db)[-1] == ("flow_l_min", 3.0)
    assert len(stored(db, "fan")) == 2
    assert refused(db) == []
    assert ingest.suspended == set()


def test_a_replay_may_cross_changes_of_the_catalog(maker, db, ingest):
    """The state is saved with each change; a save that is lost (a restored table) costs a longer replay, no more."""
    at = time.time() - 60
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    mark = db.execute("SELECT * FROM ingest_mark").fetchone()
    flow_rule = PRESS.replace("pressure_bar", "flow_l_min").replace("unit: bar", "unit: l/min")
    maker.products(PUMP | {"metrics": [FLOW, TEMPERATURE]}, rules=(flow_rule,))
    ingest.look()
    ingest.send("pump", "1", (at + 1, {"flow_l_min": 6}))
    ingest.kill()
    db.execute("UPDATE ingest_mark SET seq = %(seq)s, revision = %(revision)s, versions = %(versions)s", mark)
    db.execute("DELETE FROM rule_snapshot")
    ingest.start()
    assert [(rule, active) for rule, _, active, _ in alarms(db)] == [("pump-hot", True), ("pump-press", True)]
    ingest.send("pump", "1", (at + 2, {"flow_l_min": 1, "temp_c": 20}))
    assert [(rule, active) for rule, _, active, _ in alarms(db)] == [("pump-hot", False), ("pump-press", False)]


def test_a_metric_that_was_dropped_and_brought_back_is_judged_again(maker, db, ingest):
    at = time.time() - 60
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    maker.products(PUMP | {"metrics": [PRESSURE]}, FAN | {"metrics": [PRESSURE]}, retire=True)
    ingest.look()
    ingest.send("pump", "1", (at + 1, {"temp_c": 96}))
    assert refused(db) == ["unknown_metric"]
    maker.products(PUMP, FAN, rules=(RULE, fan(RULE)))
    ingest.restart()
    ingest.send("pump", "1", (at + 2, {"temp_c": 97}))
    ingest.send("fan", "2", (at + 3, {"temp_c": 98}))
    assert [(rule, active) for rule, _, active, _ in alarms(db)] == [
        ("pump-hot", False),
        ("pump-hot", True),
        ("fan-hot", True),
    ]


def test_revisions_are_numbered_in_the_order_of_their_commits(maker, db, url, ingest):
    """The second change waits for the first, so nobody who has seen the second has missed the first."""
    before = catalog.newest(db)
    second = threading.Thread(target=maker.products, args=(FAN | {"metrics": [*FAN["metrics"], FLOW]},))
    with connect(url, "first") as first:
        with first.transaction():
            import_product(first, product(metrics=[*PUMP["metrics"], FLOW]), actor="test")
            second.start()
            until(lambda: waits_for_a_lock(db) or not second.is_alive())
            ingest.look()
            assert catalog.newest(db) == before, "nothing is committed yet"
        second.join(20)
    rows = db.execute("SELECT number, what FROM catalog_revision WHERE number > %s ORDER BY number", [before])
    assert [tuple(row.values()) for row in rows] == [
        (before + 1, "product.changed pump"),
        (before + 2, "product.changed fan"),
    ]
    ingest.look()
    ingest.send("pump", "1", (time.time() - 1, {"flow_l_min": 5}))
    ingest.send("fan", "1", (time.time() - 1, {"flow_l_min": 6}))
    assert (stored(db), stored(db, "fan"), refused(db)) == ([("flow_l_min", 5.0)], [("flow_l_min", 6.0)], [])


def test_old_revisions_go_when_no_replay_needs_them(maker, db, ingest):
    for nth in range(4):
        maker.products(PUMP | {"brand": f"B{nth}"})
        ingest.look()
    maker.products(PUMP | {"brand": "last"})
    rows = db.execute(
        "SELECT count(*) AS n FROM product_revision r JOIN product p ON p.id = r.product_id AND code = 'pump'"
    )
    assert rows.fetchone()["n"] == 2, "the one that is judged by, and the newest"


class Fault:
    """Something that is wrong with one product, for as long as the test wants."""

    def __init__(self, monkeypatch) -> None:
        self._monkeypatch = monkeypatch
        self.on = True

    def in_compiling(self, code: str) -> None:
        compiled = judging._compiled
        self._monkeypatch.setattr(
            judging,
            "_compiled",
            lambda product, rows: self.raise_(rows and product.code == code) or compiled(product, rows),
        )

    def in_judging(self, value: float) -> None:
        judged = judging.judge
        self._monkeypatch.setattr(
            judging,
            "judge",
            lambda state, table, rows: (
                self.raise_(len(table.versions) and value in rows.value) or judged(state, table, rows)
            ),
        )

    def raise_(self, met: object) -> None:
        if self.on and met:
            raise KeyError("a fault of the test")


@pytest.fixture
def fault(monkeypatch) -> Fault:
    return Fault(monkeypatch)


@pytest.mark.parametrize("how", ["while it runs", "in the replay", "at a change"])
def test_one_products_trouble_is_only_its_own_and_what_waited_is_judged_when_it_ends(maker, db, ingest, fault, how):
    """Stored and acknowledged meanwhile, over two kills; then judged in their order, the old ones as historic."""
    at = time.time() - 7_300  # older than an hour is historic
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    ingest.send("pump", "2", (at, {"temp_c": 20}))
    if how == "at a change":
        fault.in_compiling("pump")
        maker.products(PUMP | {"brand": "Other"})
        ingest.look()
    elif how == "in the replay":
        fault.in_judging(95.0)
        ingest.restart()
    fault.in_judging(99.0)
    ingest.send("pump", "2", (at + 5, {"temp_c": 99}))
    ingest.send("fan", "1", (at + 5, {"temp_c": 96}))
    (suspension,) = suspensions(db)
    assert (suspension.product, suspension.reason) == ("pump", "KeyError: 'a fault of the test'")
    ingest.restart()
    ingest.send("pump", "2", (at + 4, {"temp_c": 98}))
    ingest.send("pump", "2", (at + 6, {"temp_c": 80}), (at + 7, {"temp_c": 97}))
    ingest.save()
    ingest.restart()
    ingest.send("pump", "2", (time.time(), {"temp_c": 98}))
    ingest.look()
    assert [rule for rule, *_ in alarms(db)] == ["pump-hot", "fan-hot"], "the other product is judged"
    assert len(stored(db)) == 7
    latest = db.execute("SELECT max(value) AS value FROM latest").fetchone()
    assert latest["value"] == 98.0, "its page goes on"

    fault.on = False
    maker.products(PUMP | {"brand": "Third"})
    for _ in range(3):
        ingest.look()
    assert ingest.suspended == set()
    assert suspensions(db) == []
    assert db.execute("SELECT count(*) AS n FROM unjudged_batch").fetchone()["n"] == 0
    found = [(rule, round(onset - at), active, historic) for rule, onset, active, historic in alarms(db)]
    assert found == [
        ("pump-hot", 0, True, True),
        ("fan-hot", 5, True, True),
        ("pump-hot", 5, False, True),
        ("pump-hot", 7, True, True),
    ], "98 at second 4 came late and raised nothing"
    kinds = db.execute("SELECT kind FROM event WHERE kind IN ('product.suspended', 'product.resumed') ORDER BY id")
    assert [row["kind"] for row in kinds] == ["product.suspended", "product.resumed"]
    for serial in ("1", "2"):
        ingest.send("pump", serial, (time.time() + 1, {"temp_c": 20}))
    active = [rule for rule, _, active, _ in alarms(db) if active]
    assert active == ["fan-hot"], "what its rules knew before and during the trouble is known after it"


def test_a_product_that_is_mended_without_a_restart_goes_on_from_where_it_was(maker, db, ingest, fault):
    at = time.time() - 50
    ingest.send("pump", "1", (at - 1, {"temp_c": 95}))
    fault.in_judging(99.0)
    ingest.send("pump", "2", (at, {"temp_c": 99}))
    fault.on = False
    maker.products(PUMP | {"brand": "Other"})
    ingest.look()
    ingest.send("pump", "1", (at + 1, {"temp_c": 20}))
    assert [active for _, _, active, _ in alarms(db)] == [False, True]


def test_a_product_that_was_suspended_resumes_at_a_start_where_it_can_be_judged(maker, db, ingest, fault):
    fault.in_judging(99.0)
    at = time.time() - 5
    ingest.send("pump", "1", (at, {"temp_c": 99}))
    assert alarms(db) == []
    fault.on = False
    ingest.look()
    assert len(ingest.suspended) == 1, "nothing says that it would go better now"
    ingest.restart()
    ingest.look()
    assert ingest.suspended == set()
    assert alarms(db) == [("pump-hot", pytest.approx(at, abs=0.001), True, False)]


def test_what_waited_is_judged_in_steps_and_a_kill_between_them_loses_and_doubles_nothing(
    maker, db, ingest, fault, monkeypatch
):
    monkeypatch.setattr("gateway.app.restore._BATCHES_A_STEP", 3)
    fault.in_judging(99.0)
    at = time.time() - 100
    for nth in range(7):
        ingest.send("pump", "1", (at + nth, {"temp_c": 99 if nth % 2 == 0 else 20}))
    fault.on = False
    ingest.restart()
    ingest.look()
    assert db.execute("SELECT count(*) AS n FROM unjudged_batch").fetchone()["n"] == 4, "three of seven are judged"
    ingest.restart()
    ingest.send("pump", "1", (at + 7, {"temp_c": 20}))
    for _ in range(6):
        ingest.look()
    assert ingest.suspended == set()
    assert [(round(onset - at), active) for _, onset, active, _ in alarms(db)] == [
        (0, False),
        (2, False),
        (4, False),
        (6, False),
    ]


def test_a_rule_that_this_version_cannot_read_suspends_its_product_alone(maker, db, url):
    db.execute("UPDATE rule_version SET document = document - 'condition' WHERE rule_id = 'pump-hot'")
    stepped = Stepped(url)
    stepped.send("pump", "1", (time.time() - 2, {"temp_c": 95}))
    stepped.send("fan", "1", (time.time() - 1, {"temp_c": 95}))
    assert [rule for rule, *_ in alarms(db)] == ["fan-hot"]
    with pytest.raises(BadInput, match="pump-hot: its document cannot be read"):
        maker.products(PUMP | {"brand": "Other"})
    retire_rules(url, ["pump-hot"], actor="test")
    stepped.look()
    stepped.look()
    assert stepped.suspended == set()
    stepped.kill()


def test_a_suspended_product_is_shown_to_operators_and_staff(maker, db, ingest, fault, world):
    fault.in_judging(99.0)
    ingest.send("pump", "1", (time.time() - 5, {"temp_c": 99}))
    assert world.as_("support").get("/api/units").json()["suspended"][0]["reason"].startswith("KeyError")
    assert world.browser().get("/readyz").json()["suspended"] == ["pump"]
    finding = check_products(suspensions(db))
    assert (finding.state, "pump is suspended since" in finding.measured) == ("problem", True)
    assert check_products([]).state == "ok"


def test_what_waits_goes_with_the_readings_it_is_of(maker, db, ingest, fault):
    """So it is bounded as they are."""
    fault.in_judging(99.0)
    ingest.send("pump", "1", (time.time() - 5, {"temp_c": 99}))
    db.execute("UPDATE unjudged_batch SET at = now() - interval '500 days'")
    ingest.send("pump", "1", (time.time() - 4, {"temp_c": 99}))
    ingest.save()
    assert db.execute("SELECT count(*) AS n FROM unjudged_batch").fetchone()["n"] == 1


def test_a_product_whose_waiting_alarms_the_database_refuses_stays_suspended_and_stops_nobody(maker, db, ingest, fault):
    fault.in_judging(99.0)
    ingest.send("pump", "1", (time.time() - 5, {"temp_c": 99}))
    fault.on = False
    db.execute("ALTER TABLE alarm ADD CONSTRAINT refused CHECK (unit_id <> 1)")
    ingest.restart()
    ingest.look()
    (suspension,) = suspensions(db)
    assert suspension.reason.startswith("CheckViolation")
    ingest.send("fan", "1", (time.time() - 4, {"temp_c": 95}))
    db.execute("ALTER TABLE alarm DROP CONSTRAINT refused")
    ingest.restart()
    ingest.look()
    assert {rule for rule, *_ in alarms(db)} == {"pump-hot", "fan-hot"}


def test_a_state_that_cannot_be_read_is_forgotten_by_command_and_its_alarms_are_cleared(maker, db, url, ingest):
    at = time.time() - 50
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    ingest.send("fan", "1", (at, {"temp_c": 95}))
    ingest.save()
    db.execute(
        "UPDATE rule_snapshot SET state = 'broken' WHERE product_id = (SELECT id FROM product WHERE code = 'pump')"
    )
    ingest.restart()
    ingest.send("pump", "1", (at + 1, {"temp_c": 96}))
    again = {"actor": "test", "clock": system_clock}
    with pytest.raises(BadInput, match="fan is not suspended; suspended: pump"):
        resume_products(url, ["fan"], forget_state=False, **again)
    resume_products(url, ["pump"], forget_state=False, **again)
    ingest.look()
    assert len(ingest.suspended) == 1
    resume_products(url, ["pump"], forget_state=True, **again)
    ingest.look()
    assert ingest.suspended == set()
    assert [(rule, round(onset - at), active) for rule, onset, active, _ in alarms(db)] == [
        ("fan-hot", 0, True),
        ("pump-hot", 0, False),
        ("pump-hot", 1, True),
    ]


def test_a_rule_that_came_back_while_its_product_was_suspended_begins_anew(maker, db, url, ingest, fault):
    """Its alarm was cleared when it went; what the saved state knew of it must not keep a new one from being raised."""
    maker.rules(PRESS)
    at = time.time() - 50
    ingest.look()
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    fault.in_judging(99.0)
    ingest.send("pump", "2", (at, {"temp_c": 99}))
    retire_rules(url, ["pump-hot"], actor="test")
    ingest.look()
    assert len(ingest.suspended) == 1
    ingest.send("pump", "1", (at + 1, {"temp_c": 96}))
    fault.on = False
    maker.rules(RULE)
    ingest.look()
    assert ingest.suspended == set()
    found = [(round(onset - at), active) for _, onset, active, _ in alarms(db)]
    assert found == [(0, False), (0, True), (1, True)]


def test_a_database_without_revisions_is_brought_over_and_its_journal_is_judged_by_the_rules_of_its_time(
    empty_url, monkeypatch
):
    """The rule was changed, and migrated, while ingest was down."""
    every = migrations._migrations()
    monkeypatch.setattr(migrations, "_migrations", lambda: [each for each in every if each[0] < "0011"])
    migrations.migrate(empty_url)
    document = RuleDocument.model_validate(yaml.safe_load(RULE)).model_dump(mode="json", by_alias=True)
    at = round(time.time() - 60)
    with connect(empty_url, "test") as db:
        db.execute("INSERT INTO product (code, model, brand, name) VALUES ('pump', 'P', 'B', '{\"en\": \"Pump\"}')")
        db.execute("INSERT INTO metric (name) VALUES ('temp_c')")
        db.execute(
            "INSERT INTO product_metric (product_id, metric_id, position, title, unit, low, high, cadence)"
            " VALUES (1, 1, 0, '{}', '°C', -40, 200, '1s')"
        )
        db.execute("INSERT INTO unit (public_id, product_id, serial, printed) VALUES ('u', 1, '1', '1')")
        for version in (1, 2):
            db.execute(
                "INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)"
                " VALUES ('pump-hot', %s, 1, %s, '', %s)",
                [version, Jsonb(document), version == 2],
            )
        db.execute("INSERT INTO ingest_mark (seq, versions) VALUES (6, '{1}')")
        readings = judging.journal({1: Readings.of([1], [1], [at * 1_000_000], [95.0])})
        db.execute("INSERT INTO ingest_journal VALUES (7, now(), %s, '')", [readings])
    monkeypatch.undo()
    migrations.migrate(empty_url)
    stepped = Stepped(empty_url)
    stepped.send("pump", "1", (at + 1, {"temp_c": 96}))
    stepped.kill()
    with connect(empty_url, "test") as db:
        rows = db.execute(
            "SELECT version, cleared_at IS NULL AS active FROM alarm a JOIN rule_version v"
            " ON v.id = rule_version_id ORDER BY a.id"
        ).fetchall()
        assert [tuple(row.values()) for row in rows] == [(1, False), (2, True)]
        assert catalog.newest(db) == 2
