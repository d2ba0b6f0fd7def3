"""Shipped scenarios against the real roles: what was sent is stored, judged and told, and a lie is found."""

import json
from datetime import timedelta

import pytest

from device_sim import cli
from device_sim.run.scenario import shipped
from gateway.ingest import quarantine
from gateway.roles.process import free_port
from tests.dsl.reconciled import checks_by_name, differences, import_demo, play, reconcile
from tests.dsl.roles import running_roles

# Five seconds of real time are a minute of the devices': the demo's rules wait for 15 s.
QUICK = ("--speed", "12", "--duration", "5s", "--limit", "30")
# What the demo runs, and what Debian installs; the other pairs say nothing new.
PAIRS = (("embedded-18", "embedded"), ("debian-15", "mosquitto"))
one_server = pytest.mark.parametrize("server", ["embedded-18"], indirect=True)


@pytest.mark.parametrize(("server", "broker_port"), PAIRS, indirect=True)
@pytest.mark.parametrize("scenario", sorted(shipped()))
def test_a_shipped_scenario_agrees_with_what_the_gateway_made_of_it(url, tmp_path, broker_port, capsys, scenario):
    import_demo(url)
    run = tmp_path / "run"
    with running_roles(url, broker_port, tmp_path) as roles:
        assert play(scenario, broker_port, run, *QUICK) == 0
        code, result, told = reconcile(run, roles.http_port, capsys, "--wait", "60s")
    assert (code, differences(result), told) == (0, [], "")
    assert (result["precision"], result["recall"]) == (1.0, 1.0)
    checks = checks_by_name(result)
    assert checks["readings"]["expected"] == checks["readings"]["found"] > 3_000
    assert checks["poison"]["expected"] <= checks["poison"]["found"]
    assert (scenario == "poison") == (checks["poison"]["expected"] > 100)
    copies = checks["readings"]["facts"]["copies of readings that were there"]
    assert copies > 0 or scenario != "half-open", "who hears no PUBACK sends again"
    assert all(each["alarm"] and each["delay_s"] > 0 for each in result["faults"])
    assert "All agrees" in (run / "report.html").read_text()
    told_of = {each["outcome"].split(":")[0] for each in result["faults"]}
    assert told_of == ({"pass", "drop"} if scenario == "offline-then-replay" else told_of), "the old one is told nobody"


READING = """
SELECT t.*, p.code || '/' || u.printed AS name, m.name AS metric
FROM telemetry t
JOIN unit u ON u.id = t.unit_id
JOIN product p ON p.id = u.product_id
JOIN metric m ON m.id = t.metric_id
WHERE m.name IN ('power_kw', 'battery_pct')
"""
CELL = "unit_id = %s AND metric_id = %s AND time = %s"
INSERT = """
INSERT INTO telemetry (time, unit_id, metric_id, value, received_at, late)
VALUES (%(time)s, %(unit_id)s, %(metric_id)s, %(value)s, %(received_at)s, %(late)s)
"""
REFUSAL = """
INSERT INTO quarantine (received_at, topic, reason, detail, payload, size, sender)
VALUES (now(), 'm2m/v1/' || %s || '/telemetry', 'bad_json', 'made up', '', 0, 'made up')
"""
ALARM = """
INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic, evidence)
SELECT 'made-up', rule_version_id, unit_id, severity, onset - interval '10 minutes', raised_at, judged_at, historic,
       evidence
FROM alarm LIMIT 1
"""


@pytest.fixture
def agreeing(url, tmp_path, mosquitto_port, capsys):
    """Compares a run of duplicates, with which the gateway agrees so far. Returns exit code and result."""
    import_demo(url)
    with running_roles(url, mosquitto_port, tmp_path) as roles:
        assert play("duplicates", mosquitto_port, tmp_path / "run", *QUICK) == 0

        def compare(wait="0s"):
            code, result, _ = reconcile(tmp_path / "run", roles.http_port, capsys, "--wait", wait)
            return code, result

        code, result = compare("60s")
        assert (code, differences(result)) == (0, [])
        yield compare


@one_server
def test_a_reading_that_is_gone_or_other_or_nobodys_is_named(agreeing, db):
    """Nothing is taken on trust: what is changed behind the gateway's back comes out, with serial and time."""
    readings = checks_by_name(agreeing()[1])["readings"]["facts"]
    assert readings["copies of readings that were there"] > 100
    assert readings["contradicting values kept beside the first"] > 20
    one = db.execute(f"{READING} AND NOT EXISTS (SELECT FROM conflicting_reading c WHERE c.unit_id = t.unit_id "
                     "AND c.time = t.time) ORDER BY t.time LIMIT 1 OFFSET 50").fetchone()  # fmt: skip
    cell = (one["unit_id"], one["metric_id"], one["time"])
    at = one["time"].isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def named():
        code, result = agreeing()
        assert code == 1
        (only,) = result["differences"]
        assert (only["check"], only["unit"]) == ("readings", one["name"])
        return only["time"], only["expected"], only["found"]

    db.execute(f"DELETE FROM telemetry WHERE {CELL}", cell)
    time, expected, what = named()
    assert (time, what) == (at, "nothing")
    assert expected.startswith(f"{one['metric']} {one['value']} (message ")

    db.execute(INSERT, one | {"value": one["value"] + 1})
    assert named() == (at, f"{one['metric']} {one['value']}", f"{one['metric']} {one['value'] + 1}")

    db.execute(f"UPDATE telemetry SET value = %s WHERE {CELL}", (one["value"], *cell))
    db.execute(INSERT, one | {"time": one["time"] + timedelta(milliseconds=1), "value": 1.25})
    assert named()[1:] == ("nothing: nobody sent this reading", f"{one['metric']} 1.25")

    db.execute(f"DELETE FROM telemetry WHERE {CELL}", (*cell[:2], one["time"] + timedelta(milliseconds=1)))
    newest = f"time = (SELECT max(time) FROM telemetry WHERE unit_id = {cell[0]} AND metric_id = {cell[1]})"
    db.execute(f"UPDATE telemetry SET late = true WHERE unit_id = %s AND metric_id = %s AND {newest}", cell[:2])
    assert named()[2] == "late"

    db.execute(f"UPDATE telemetry SET late = false WHERE unit_id = %s AND metric_id = %s AND {newest}", cell[:2])
    assert agreeing()[0] == 0, "everything was put right again"


@one_server
def test_a_contradiction_a_refusal_a_delivery_and_an_alarm_are_named_too(agreeing, db):
    def named(check):
        code, result = agreeing()
        assert code == 1
        return [each for each in result["differences"] if each["check"] == check], result

    db.execute("DELETE FROM conflicting_reading WHERE ctid IN (SELECT ctid FROM conflicting_reading LIMIT 1)")
    ((gone,), _) = named("readings")
    assert gone["expected"].endswith("kept as contradicting")
    assert gone["found"] == "nothing"

    unit = db.execute(f"{READING} LIMIT 1").fetchone()["name"]
    db.execute(REFUSAL, [unit])
    ((extra,), _) = named("poison")
    assert (extra["unit"], extra["expected"], extra["found"]) == (unit, "nothing refused", "1 as bad_json: made up")

    notice = db.execute("SELECT max(id) AS id FROM notice").fetchone()["id"]
    db.execute("DELETE FROM outbox WHERE notice_id = %s", [notice])
    ((silent,), _) = named("notices")
    assert silent["expected"].startswith("a delivery of notice ")

    (told,) = db.execute("SELECT alarm_id FROM notice_alarm WHERE notice_id = %s", [notice]).fetchall()
    for table, column in (("ledger", "alarm_id"), ("notice_alarm", "alarm_id"), ("alarm", "id")):
        db.execute(f"DELETE FROM {table} WHERE {column} = %s", [told["alarm_id"]])
    missed, result = named("alarms")
    assert [(each["expected"][:12], each["found"]) for each in missed] == [("an alarm for", "none")]
    assert (result["precision"], result["recall"]) == (1.0, pytest.approx(2 / 3))
    assert "no notice: no alarm of this run asked for it" in [each["expected"] for each in named("notices")[0]]

    db.execute(ALARM)
    false, result = named("alarms")
    assert "no alarm: there was no fault" in [each["expected"] for each in false]
    assert result["precision"] == pytest.approx(2 / 3)
    assert "one line of the ledger" in " ".join(each["expected"] for each in named("notices")[0])


@one_server
def test_a_quarantine_that_was_trimmed_is_counted_by_the_event_log(url, db, tmp_path, mosquitto_port, capsys):
    """What left it in order is explained; what is missing without a word cannot be told."""
    import_demo(url)
    with running_roles(url, mosquitto_port, tmp_path) as roles:
        assert play("poison", mosquitto_port, tmp_path / "run", *QUICK) == 0
        code, result, _ = reconcile(tmp_path / "run", roles.http_port, capsys, "--wait", "60s")
        assert (code, differences(result)) == (0, [])
        before = checks_by_name(result)["poison"]["found"]

        assert quarantine.trim(db, keep=50) == before - 50
        code, result, _ = reconcile(tmp_path / "run", roles.http_port, capsys, "--wait", "0s")
        facts = checks_by_name(result)["poison"]["facts"]
        assert (code, differences(result)) == (0, [])
        assert sum(count for fact, count in facts.items() if fact.endswith("for lack of room")) == before - 50

        db.execute("DELETE FROM quarantine WHERE id < (SELECT max(id) - 20 FROM quarantine)")
        code, result, _ = reconcile(tmp_path / "run", roles.http_port, capsys, "--wait", "0s")
        assert (code, differences(result)) == (2, [])
        assert "are not in quarantine; it was trimmed meanwhile" in result["cannot_be_told"][0]


@one_server
def test_what_cannot_be_told_is_said_and_is_neither_yes_nor_no(agreeing, db, tmp_path, capsys):
    run = tmp_path / "run"
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(facts | {"ended": None}))
    assert agreeing() == (2, {})
    nobody = free_port()
    code, _, told = reconcile(run, nobody, capsys)
    assert (code, told.startswith("device-sim: it cannot be told: no gateway answers at http://127.0.0.1:")) == (
        2,
        True,
    )
    assert cli.main(["reconcile", str(run)]) == 2
    assert "say which gateway and who you are" in capsys.readouterr().err
    assert cli.main(["reconcile", str(tmp_path)]) == 2
