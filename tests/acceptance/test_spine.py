"""The roles as processes, driven over MQTT and HTTP, nothing mocked."""

import time
import urllib.error
import urllib.request

import pytest

from tests.dsl.mqtt import Devices
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import apply_hot_rule, make_fleet


@pytest.mark.both
def test_a_reading_becomes_a_live_notice_and_the_notice_says_when_it_is_over(url, tmp_path, broker_port):
    make_fleet(url)
    apply_hot_rule(url, tmp_path, for_="2s", raised="5s")
    with running_roles(url, broker_port, tmp_path) as roles, Devices(broker_port) as devices, roles.stream() as stream:
        start = time.time() - 5
        for second, value in enumerate((80, 95, 96, 97)):
            devices.reading("P1", start + second, temp_c=value)

        raised = stream.next("alarm.raised")
        told = stream.next("notice.told")
        assert raised["data"]["title"] == "Pump overheats"
        assert told["unit"] == raised["unit"]
        assert told["data"]["title"] == "Switch the pump off"
        (notice,) = roles.get("/api/feed")["notices"]
        assert notice["id"] == told["data"]["notice"]
        assert (notice["state"], notice["person"], notice["body"]) == ("open", "Ada", "It is 97 °C.")
        assert notice["why"]["sentence"] == (
            "Raise *Pump overheats* when temp_c stays above 90 °C for 2 s; clear below 85 °C"
        )
        (unit,) = [unit for unit in roles.get("/api/units")["units"] if unit["id"] == told["unit"]]
        assert unit["state"] == "warning"

        devices.reading("P1", start + 4, temp_c=60)
        resolved = stream.next("notice.resolved")
        assert resolved["data"]["notice"] == notice["id"]
        (notice,) = roles.get("/api/feed")["notices"]
        assert (notice["state"], notice["why"]["cleared_value"]) == ("resolved", 60.0)

        kinds = [event["kind"] for event in roles.get("/api/events?limit=500")["events"]]
        assert kinds[-4:] == ["alarm.raised", "notice.told", "alarm.cleared", "notice.resolved"]
        (line,) = roles.get("/api/ledger")["lines"]
        assert [step["stage"] for step in line["steps"]] == ["address", "merge", "rate"]
        assert line["notice"] == notice["id"]


def test_a_stream_resumes_behind_the_last_event_it_had(url, tmp_path, mosquitto_port):
    """A browser that was away gets what it missed, once, and then what is new."""
    make_fleet(url)
    apply_hot_rule(url, tmp_path)
    with running_roles(url, mosquitto_port, tmp_path) as roles, Devices(mosquitto_port) as devices:
        now = time.time()
        with roles.stream() as stream:
            devices.reading("P1", now - 9, temp_c=99)
            seen = stream.next("alarm.raised")
        devices.reading("P2", now - 8, temp_c=99).flush()
        until(lambda: len(roles.get("/api/feed")["notices"]) == 2)
        with roles.stream(last_event_id=seen["cursor"]) as stream:
            devices.reading("P3", now - 7, temp_c=99)
            resumed = []
            while len([event for event in resumed if event["kind"] == "notice.told"]) < 3:
                resumed.append(stream.next())
    places = [int(event["cursor"]) for event in [seen, *resumed]]
    assert places == sorted(set(places))
    assert [event["kind"] for event in resumed].count("alarm.raised") == 2


def test_a_wrong_last_event_id_is_a_plain_error(url, tmp_path, mosquitto_port):
    with running_roles(url, mosquitto_port, tmp_path) as roles:
        request = urllib.request.Request(
            f"http://127.0.0.1:{roles.http_port}/api/stream", headers=roles.cookie | {"Last-Event-ID": "yesterday"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        with refused.value as answer:
            assert answer.code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            assert b"use the cursor of an event" in answer.read()


def test_an_open_stream_ends_cleanly_on_shutdown(url, tmp_path, mosquitto_port):
    with running_roles(url, mosquitto_port, tmp_path) as roles, roles.stream() as stream:
        assert roles.stop("api") == 0
        assert stream.next() == {"kind": "stream.end"}
        assert stream.at_end()
        for role in ("ingest", "worker"):
            assert roles.stop(role) == 0


def test_a_worker_that_is_killed_between_alarm_and_notice_tells_once(url, db, tmp_path, mosquitto_port):
    serials = tuple(f"P{number}" for number in range(41))
    make_fleet(url, serials, owners={serial: f"Ada{serial}" for serial in serials})
    apply_hot_rule(url, tmp_path)

    def told(where):
        query = (
            f"SELECT count(*) AS n FROM event e JOIN unit u ON u.id = unit_id WHERE kind = 'notice.told' AND {where}"
        )
        return db.execute(query).fetchone()["n"]

    with running_roles(url, mosquitto_port, tmp_path) as roles, Devices(mosquitto_port) as devices:
        for number in range(40):
            devices.reading(f"P{number}", temp_c=99)
            if number % 10 == 5:
                roles.kill("worker")
                roles.start("worker")
        devices.flush()
        until(lambda: len(roles.get("/api/feed?limit=100")["notices"]) == 40)
        until(lambda: told("TRUE") == 40)
        devices.reading("P40", temp_c=99).flush()  # told behind whatever would be told too much
        until(lambda: told("serial = 'P40'"))
    told_of_each = db.execute(
        "SELECT person_id, count(*) AS n FROM event WHERE kind = 'notice.told' GROUP BY 1"
    ).fetchall()
    assert [row["n"] for row in told_of_each] == [1] * 41
