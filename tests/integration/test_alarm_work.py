"""Alarms as the staff work them: over HTTP, two at once, and what becomes of their acts."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from gateway.api.stream.filters import EventAndOwner, events_of_person
from gateway.config import Settings
from gateway.core.clock import to_us
from gateway.events import Position, read
from gateway.roles.maintenance import forget_old
from gateway.rules import repository as rules
from gateway.rules.changes import record_changes
from gateway.rules.evaluator import Change
from tests.dsl.people import Browser
from tests.dsl.wait import until
from tests.factories.notices import clear_alarm, make_owner, raise_alarm, running_worker

NOW = datetime.now(UTC)


class Worker:
    """Somebody of the staff at an alarm, who acts on what they saw last."""

    def __init__(self, world, name: str, alarm: str, role: str = "support") -> None:
        self.browser: Browser = world.as_(role, f"{name}@example.org")
        world.db.execute("UPDATE person SET name = %s WHERE email = %s", [name.capitalize(), f"{name}@example.org"])
        self.alarm = alarm
        self.seen = self.look()

    def look(self) -> dict:
        self.seen = self.browser.get(f"/api/alarms/{self.alarm}").json()
        return self.seen

    def send(self, act: str, key: str | None = None, **given):
        body = {"act": act, "key": key or secrets.token_hex(8), "revision": self.seen["revision"]} | given
        return self.browser.post(f"/api/alarms/{self.alarm}/acts", body)

    def does(self, act: str, **given) -> dict:
        answer = self.send(act, **given)
        assert answer.status_code == 200, answer.text
        self.seen = answer.json()
        return self.seen


@pytest.fixture
def alarm(world, url, db, tmp_path) -> str:
    """An active alarm of Ada's pump that she was told of."""
    make_owner(url, tmp_path)
    number = raise_alarm(db)
    with running_worker(url):
        until(lambda: db.execute("SELECT FROM notice").fetchone() is not None)
    return db.execute("SELECT public_id FROM alarm WHERE id = %s", [number]).fetchone()["public_id"]


def test_an_alarm_is_worked_from_the_first_look_to_its_end(world, db, alarm):
    tom, ina = Worker(world, "tom", alarm), Worker(world, "ina", alarm)
    ina_id = ina.browser.get("/api/me").json()["id"]
    assert (tom.seen["standing"], tom.seen["revision"], tom.seen["acts"]) == ("active", 1, [])
    assert (tom.does("acknowledge")["standing"], tom.seen["acknowledged_by"]) == ("acknowledged", "Tom")
    assert tom.does("assign", value=ina_id)["assignee"] == {"id": ina_id, "name": "Ina"}
    ina.look()
    ina.does("comment", text="Called the owner.\nNobody there.")
    assert ina.does("verdict", value="real")["verdict"] == "real"
    refused = ina.send("resolve")
    assert (refused.status_code, refused.json()["code"]) == (409, "alarm_why")
    assert ina.does("resolve", text="The part is on its way.")["standing"] == "closed"
    kinds = [(act["act"], act["by"]) for act in tom.look()["acts"]]
    assert kinds == [
        *(("acknowledge", "Tom"), ("assign", "Tom"), ("comment", "Ina"), ("verdict", "Ina"), ("resolve", "Ina")),
    ]
    assert tom.seen["acts"][2]["text"] == "Called the owner.\nNobody there."
    assert tom.seen["acts"][1]["assignee"] == "Ina"
    assert tom.does("reopen")["standing"] == "active"


def test_the_record_says_who_was_told_and_why(world, alarm):
    record = Worker(world, "tom", alarm).seen
    assert record["title"] == "Pump overheats"
    assert record["sentence"].startswith("Raise *Pump overheats*")
    assert (record["metric"], record["limit"], record["owner"]["name"]) == ("temp_c", 90.0, "Ada")
    (line,) = record["ledger"]
    assert (line["outcome"], [step["stage"] for step in line["steps"]]) == ("pass", ["address", "merge", "rate"])
    (notice,) = record["notices"]
    assert (notice["person"], notice["trail"][0]["channel"], notice["trail"][0]["step"]) == ("Ada", "feed", "told")
    one = world.as_("support").get(f"/api/notices/{notice['id']}").json()
    assert one.pop("ledger") == record["ledger"]
    assert one == notice


def test_staff_read_an_alarm_in_their_language(world, alarm):
    tom = Worker(world, "tom", alarm)
    tom.browser.put("/api/my/language", {"language": "de"})
    assert tom.look()["plain"].startswith("Wir ")


def test_of_two_at_once_one_wins_and_the_other_is_told_of_them(world, alarm):
    tom, ina = Worker(world, "tom", alarm), Worker(world, "ina", alarm)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda who: who.send("acknowledge"), (tom, ina)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = next(answer for answer in answers if answer.status_code == 200).json()["acknowledged_by"]
    loser = next(answer for answer in answers if answer.status_code == 409).json()
    assert (loser["code"], loser["parameters"]) == ("alarm_overtaken", {"who": winner, "act": "acknowledge"})
    assert [act["act"] for act in tom.look()["acts"]] == ["acknowledge"]


def test_what_is_sent_twice_is_done_once(world, alarm):
    tom = Worker(world, "tom", alarm)
    for _ in range(2):
        assert tom.send("comment", key="the-same-one", text="Called.").status_code == 200
    for _ in range(2):
        assert tom.send("acknowledge", key="another-one").status_code == 200
    assert [act["act"] for act in tom.look()["acts"]] == ["comment", "acknowledge"]


def test_an_act_on_an_alarm_that_cleared_meanwhile_says_so(world, url, db, alarm):
    tom = Worker(world, "tom", alarm)
    row = db.execute("SELECT rule_version_id, unit_id, onset FROM alarm").fetchone()
    change = Change(
        "cleared", row["rule_version_id"], row["unit_id"], to_us(row["onset"]), to_us(NOW), 80.0, 80.0, 96.0
    )
    with db.transaction():
        versions = {version.id: version for version in rules.versions(db, [row["rule_version_id"]])}
        assert record_changes(db, [change], versions, NOW, timedelta(hours=1), 7) == 1
    refused = tom.send("acknowledge")
    assert (refused.status_code, refused.json()["code"], refused.json()["parameters"]) == (409, "alarm_changed", {})
    assert tom.look()["standing"] == "cleared"
    assert tom.does("acknowledge")["standing"] == "closed"


def test_every_act_is_an_event_that_no_owner_hears(world, db, alarm):
    tom = Worker(world, "tom", alarm)
    tom.does("acknowledge")
    tom.does("comment", text="Ada is deaf: call her brother.")
    tom.does("verdict", value="known")
    events = [event for event in read(db, Position(), 500) if event.kind.startswith("alarm.")]
    assert [event.kind for event in events] == [
        "alarm.raised", "alarm.acknowledged", "alarm.commented", "alarm.judged"
    ]  # fmt: skip
    assert events[2].data["alarm"] == alarm
    assert "deaf" not in str([event.data for event in events]), "the log has ids only"
    ada = db.execute("SELECT id FROM person WHERE name = 'Ada'").fetchone()["id"]
    wants = events_of_person(ada)
    assert [event.kind for event in events if wants(EventAndOwner(event, ada))] == ["alarm.raised"]


def test_an_alarm_is_assigned_to_staff_alone(world, db, alarm):
    tom = Worker(world, "tom", alarm)
    ada = db.execute("SELECT public_id FROM person WHERE name = 'Ada'").fetchone()["public_id"]
    for nobody in (ada, "nobody"):
        refused = tom.send("assign", value=nobody)
        assert (refused.status_code, refused.json()["code"]) == (422, "no_such_staff")
    choices = tom.browser.get("/api/alarms/choices").json()
    assert [person["name"] for person in choices["staff"]] == ["Tom"]
    assert choices["products"] == [{"code": "pump", "name": "Pump", "model": "P 200"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"act": "acknowledge"}, 422),
        ({"act": "dance", "revision": 1}, 422),
        ({"act": "comment", "value": "real", "text": "x"}, 422),
        ({"act": "comment", "text": "x" * 2_001}, 422),
        ({"act": "comment", "text": "   "}, 409),
        ({"act": "verdict", "value": "perhaps", "revision": 1}, 409),
    ],
)
def test_a_wrong_act_is_refused(world, alarm, body, status):
    tom = Worker(world, "tom", alarm)
    assert tom.browser.post(f"/api/alarms/{alarm}/acts", {"key": "a-good-key"} | body).status_code == status
    assert tom.look()["acts"] == []


def test_acts_go_with_their_alarm(world, db, alarm):
    tom = Worker(world, "tom", alarm)
    tom.does("comment", text="Called.")
    clear_alarm(db, 1)
    db.execute("UPDATE alarm SET cleared_at = now() - interval '20 years'")
    db.execute("DELETE FROM notice_alarm")
    db.execute("DELETE FROM ledger")
    db.execute("DELETE FROM alarm_due")
    forget_old(db, Settings(), datetime.now(UTC))
    assert db.execute("SELECT FROM alarm UNION ALL SELECT FROM alarm_act").fetchall() == []
