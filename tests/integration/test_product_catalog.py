"""Products and rules change under running state: nothing stops, nothing is lost, and what would break is refused."""

import threading
import time

import pytest
import yaml

from gateway import catalog
from gateway.cli import main as cli
from gateway.core.errors import BadInput
from gateway.core.readings import Readings
from gateway.imports.service import import_files, retire_rules
from gateway.ingest.journal import journaled
from gateway.registrations.service import import_product
from gateway.rules.document import RuleDocument
from gateway.store import Jsonb, connect
from gateway.store import migrate as migrations
from tests.dsl.catalog import (
    FAN,
    FLOW,
    PRESS,
    PRESSURE,
    RULE,
    TEMPERATURE,
    alarms,
    catalog_tables,
    commits_since,
    fan_rule,
    refused,
    stored,
    waits_for_a_lock,
)
from tests.dsl.stepped import SteppedIngest
from tests.dsl.wait import until
from tests.factories import PUMP, product

CHANGES = {
    "a metric that a rule uses goes": ([PRESSURE], "condition.metric: the product has no metric temp_c"),
    "it is measured in another unit": ([TEMPERATURE | {"unit": "°F"}, PRESSURE], "condition.unit: temp_c is measured"),
    "its range ends below the limit": ([TEMPERATURE | {"range": [-40, 80]}, PRESSURE], "condition.above: 90"),
    "it comes too seldom for the rule": ([TEMPERATURE | {"cadence": "1m"}, PRESSURE], "for: is shorter than the 1m"),
}


def test_a_product_file_that_would_break_a_rule_in_force_is_refused_and_names_it(maker, db, url, subtests):
    """And changes nothing, of the other product's file neither; ingest goes on."""
    maker.rules(RULE.replace("for: 0s", "for: 2s").replace("raised_at: 3s", "raised_at: 5s"))
    before = catalog_tables(db)
    for what, (metrics, problem) in CHANGES.items():
        with subtests.test(what):
            with pytest.raises(BadInput) as refusal:
                maker.products(FAN | {"brand": "Other"}, PUMP | {"metrics": metrics})
            assert f"pump-hot: {problem}" in str(refusal.value)
            assert "--retire-rules" in str(refusal.value)
            assert catalog_tables(db) == before
    stepped = SteppedIngest(url)
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


def test_the_command_takes_what_is_meant(maker, monkeypatch, capsys):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", maker.url)

    def run(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli([str(each) for each in arguments])
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


def test_options_for_rules_go_with_products_only(url):
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
    """A change stands in the journal; saves that are lost (a restored table) cost a longer replay, no more."""
    at = time.time() - 60
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    marks = db.execute("SELECT * FROM partition_mark").fetchall()
    flow_rule = PRESS.replace("pressure_bar", "flow_l_min").replace("unit: bar", "unit: l/min")
    maker.products(PUMP | {"metrics": [FLOW, TEMPERATURE]}, rules=(flow_rule,))
    ingest.look()
    ingest.send("pump", "1", (at + 1, {"flow_l_min": 6}))
    ingest.kill()
    to_before = "UPDATE partition_mark SET seq = %(seq)s, revision = %(revision)s WHERE partition = %(partition)s"
    for mark in marks:
        db.execute(to_before, mark)
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
    maker.products(PUMP, FAN, rules=(RULE, fan_rule(RULE)))
    ingest.restart()
    ingest.send("pump", "1", (at + 2, {"temp_c": 97}))
    ingest.send("fan", "2", (at + 3, {"temp_c": 98}))
    assert [(rule, active) for rule, _, active, _ in alarms(db)] == [
        ("pump-hot", False),
        ("pump-hot", True),
        ("fan-hot", True),
    ]


def test_a_metric_that_no_rule_uses_goes_and_costs_nothing_but_its_own_readings(maker, db, ingest):
    """Units still send it, in one message with others: those are stored and judged as before."""
    at = time.time() - 60
    ingest.send("pump", "1", (at, {"temp_c": 95, "pressure_bar": 2}))
    assert maker.products(PUMP | {"metrics": [TEMPERATURE]}) == ["pump.yaml: pump imported"]
    ingest.look()
    assert [active for _, _, active, _ in alarms(db)] == [True], "the alarm stays as it is"
    ingest.send("pump", "1", (at + 1, {"temp_c": 20, "pressure_bar": 3}))
    ingest.send("pump", "2", (at + 1, {"pressure_bar": 4}))
    assert [active for _, _, active, _ in alarms(db)] == [False]
    assert stored(db) == [("pressure_bar", 2.0), ("temp_c", 95.0), ("temp_c", 20.0)]
    assert refused(db) == ["unknown_metric", "unknown_metric"]
    ingest.restart()
    assert ingest.suspended == set()


def test_a_metric_goes_with_its_rule_and_takes_the_open_alarms_of_that_rule_only(maker, db, ingest):
    """What came before ingest looked is stored; what comes afterwards is refused."""
    at = time.time() - 60
    maker.rules(PRESS)
    ingest.look()
    for code in ("pump", "fan"):
        ingest.send(code, "1", (at, {"temp_c": 95, "pressure_bar": 6}))
    assert maker.products(PUMP | {"metrics": [PRESSURE]}, retire=True) == [
        "pump.yaml: pump imported",
        "pump-hot: out of force",
    ]
    ingest.send("pump", "1", (at + 1, {"temp_c": 96}))
    ingest.look()
    ingest.send("pump", "1", (at + 2, {"temp_c": 97, "pressure_bar": 7}))
    ingest.send("pump", "2", (at + 2, {"temp_c": 98}))
    open_alarms = {(rule, active) for rule, _, active, _ in alarms(db)}
    assert open_alarms == {("pump-hot", False), ("pump-press", True), ("fan-hot", True)}
    cleared = db.execute("SELECT clearing FROM alarm WHERE cleared_at IS NOT NULL").fetchall()
    assert ["reason" in row["clearing"] for row in cleared] == [True]
    assert [value for name, value in stored(db) if name == "temp_c"] == [95.0, 96.0]
    assert refused(db) == ["unknown_metric", "unknown_metric"]


def test_two_products_of_one_import_change_together_or_not_at_all(maker, db, ingest):
    before = catalog.newest(db)
    both = [each | {"metrics": [*each["metrics"], FLOW]} for each in (PUMP, FAN)]
    with pytest.raises(BadInput, match=r"fan-hot: condition\.metric"):
        maker.products(both[0], FAN | {"metrics": [FLOW]})
    with pytest.raises(BadInput, match=r"fan\.yaml"):
        maker.products(both[0], FAN | {"metrics": [FLOW | {"range": [9, 1]}]})
    ingest.look()
    at = time.time() - 60
    for code in ("pump", "fan"):
        ingest.send(code, "1", (at, {"flow_l_min": 1}))
    assert refused(db) == ["unknown_metric", "unknown_metric"]
    assert catalog.newest(db) == before
    maker.products(*both)
    assert commits_since(db, before) == 1
    ingest.look()
    for code in ("pump", "fan"):
        ingest.send(code, "1", (at + 1, {"flow_l_min": 2}))
        assert stored(db, code) == [("flow_l_min", 2.0)]


def test_ingest_never_sees_one_of_two_products_without_the_other(maker, ingest):
    """They change together, again and again, while it looks."""
    changes = 8

    def change() -> None:
        for nth in range(changes):
            more = [] if nth % 2 else [FLOW]
            maker.products(*[each | {"metrics": [*each["metrics"], *more]} for each in (PUMP, FAN)])

    changing = threading.Thread(target=change)
    changing.start()
    seen = []
    while changing.is_alive() or len(seen) < 2:
        ingest.look()
        seen.append([len(product.metrics) for product in ingest.ingest.judging.revision.products])
    changing.join()
    assert len(seen) > changes
    assert {tuple(each) for each in seen} == {(2, 2), (3, 3)}


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
    ingest.save()
    maker.products(PUMP | {"brand": "last"})
    rows = db.execute(
        "SELECT count(*) AS n FROM product_revision r JOIN product p ON p.id = r.product_id AND code = 'pump'"
    )
    assert rows.fetchone()["n"] == 2, "the one that is judged by, and the newest"


def test_who_changed_what_is_kept_of_the_newest_revisions_only(db, monkeypatch):
    monkeypatch.setattr(catalog.repository, "NUMBERS_KEPT", 3)
    for number in range(5):
        with db.transaction():
            import_product(db, product(brand=f"B{number}"), actor="test")
    newest = catalog.newest(db)
    kept = [row["number"] for row in db.execute("SELECT number FROM catalog_revision ORDER BY number")]
    assert newest >= 5
    assert kept == [newest - 2, newest - 1, newest]


def test_a_database_without_revisions_is_brought_over_and_its_journal_is_judged_by_the_rules_of_its_time(
    empty_url, monkeypatch
):
    """The rule was changed, and migrated, while ingest was down."""
    every = migrations.all_migrations()
    monkeypatch.setattr(migrations, "all_migrations", lambda: [each for each in every if each[0] < "0011"])
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
        readings = journaled({1: Readings.of([1], [1], [at * 1_000_000], [95.0])})
        db.execute("INSERT INTO ingest_journal VALUES (7, now(), %s, '')", [readings])
    monkeypatch.undo()
    migrations.migrate(empty_url)
    stepped = SteppedIngest(empty_url)
    stepped.send("pump", "1", (at + 1, {"temp_c": 96}))
    stepped.kill()
    with connect(empty_url, "test") as db:
        rows = db.execute(
            "SELECT version, cleared_at IS NULL AS active FROM alarm a JOIN rule_version v"
            " ON v.id = rule_version_id ORDER BY a.id"
        ).fetchall()
        assert [tuple(row.values()) for row in rows] == [(1, False), (2, True)]
        assert catalog.newest(db) == 2
