"""A kind of condition that only the registry knows, from its file through ingest to what its owner reads."""

import time

from gateway.notify import repository as notices
from gateway.notify.text import why
from gateway.registrations import repository as registrations
from gateway.rules.kinds import KINDS
from tests.dsl.catalog import RULE, alarms
from tests.dsl.stepped import SteppedIngest
from tests.factories import PUMP, make_fleet
from tests.unit.second_kind import Code

CODE = {"name": "code", "title": {"en": "Code"}, "unit": "1", "range": [0, 99], "cadence": "1s"}
LEAK = (
    RULE.replace("pump-hot", "pump-leaks")
    .replace(
        "kind: threshold, metric: temp_c, unit: °C, above: 90, clear_below: 85", "kind: code, signal: code, equals: 7"
    )
    .replace('temp_c: "80x3 95x20"', 'code: "0x3 7x20"')
    .replace('temp_c: "80x20"', 'code: "6x20"')
)


def test_a_rule_of_another_kind_raises_and_tells_why(maker, url, db, monkeypatch):
    monkeypatch.setitem(KINDS, "code", Code)
    make_fleet(url, ("P1",))
    maker.products(PUMP | {"metrics": [*PUMP["metrics"], CODE]})
    assert maker.rules(LEAK) == ["pump-leaks: version 1 is in force"]
    ingest = SteppedIngest(url)
    at = time.time() - 10
    ingest.send("pump", "P1", (at, {"code": 6, "temp_c": 95}), (at + 1, {"code": 7}), (at + 2, {"code": 7}))
    ingest.save()
    ingest.restart()
    ingest.send("pump", "P1", (at + 3, {"code": 8}))
    ingest.kill()
    assert [(rule, active) for rule, _, active, _ in alarms(db)] == [("pump-hot", True), ("pump-leaks", False)]
    row = db.execute("SELECT a.id, a.unit_id FROM alarm a WHERE a.cleared_at IS NOT NULL").fetchone()
    alarm = notices.alarms(db, [row["id"]])[row["id"]]
    owner = registrations.owners_at(db, [row["unit_id"]], alarm.raised_at)[row["unit_id"]]
    because = why(alarm, owner)
    assert (because["metric"], because["value"], because["limit"]) == ("code", 7, 7)
    assert because["plain"] == "We tell you when “Code” is 7."
