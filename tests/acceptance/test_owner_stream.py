"""An owner's stream on the running roles: what is theirs arrives without reload, and nothing else ever does."""

import http.client
import json
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tests.dsl.mqtt import Devices
from tests.dsl.owners import CODE, make_units
from tests.dsl.people import session
from tests.dsl.roles import Stream, running_roles
from tests.dsl.wait import until
from tests.factories import apply_hot_rule


class Owner:
    """Somebody who is signed in, and their open streams."""

    def __init__(self, roles, url, email):
        self._roles = roles
        self._headers = {"Cookie": f"session={session(url, 'customer', email)}", "Sec-Fetch-Site": "same-origin"}

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._roles.http_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=self._headers | {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def claim(self, serial):
        return self.ask("POST", "/api/my/units", {"serial": serial, "code": CODE})["id"]

    @contextmanager
    def stream(self, last_event_id=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._roles.http_port, timeout=20)
        more = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        connection.request("GET", "/api/my/stream", headers=self._headers | more)
        answer = connection.getresponse()
        assert answer.status == 200
        try:
            yield Stream(answer)
        finally:
            connection.close()


@pytest.fixture
def world(url, db, tmp_path, mosquitto_port):
    make_units(db, "P1", "P2", "P3")
    apply_hot_rule(url, tmp_path)
    with running_roles(url, mosquitto_port, tmp_path) as roles, Devices(mosquitto_port) as devices:
        yield roles, devices


def collect(stream, kind, unit):
    """Everything on the stream up to the event of this kind about this unit."""
    events = [stream.next()]
    while (events[-1]["kind"], events[-1].get("unit")) != (kind, unit):
        events.append(stream.next())
    return events


def test_each_owner_hears_of_his_own_units_and_of_nothing_else(url, world):
    roles, devices = world
    ada, bob = Owner(roles, url, "ada@example.org"), Owner(roles, url, "bob@example.org")
    with ada.stream() as hers, bob.stream() as his:
        p1, p2 = ada.claim("P1"), bob.claim("P2")
        devices.reading("P2", temp_c=99).reading("P3", temp_c=99).flush()
        bobs = collect(his, "notice.told", p2)
        devices.reading("P1", temp_c=99).flush()
        adas = collect(hers, "notice.told", p1)
    assert [event["kind"] for event in adas] == ["unit.claimed", "alarm.raised", "notice.told"]
    assert [event["kind"] for event in bobs] == ["unit.claimed", "alarm.raised", "notice.told"]
    assert {event["unit"] for event in adas} == {p1}
    assert {event["unit"] for event in bobs} == {p2}
    assert all(set(event) == {"kind", "cursor", "at", "unit", "data"} for event in adas)
    # The same again, by a browser that comes back, from the very beginning of the log.
    with ada.stream(last_event_id="0") as hers:
        assert collect(hers, "notice.told", p1) == adas


def test_what_changes_hands_is_heard_by_who_has_it(url, world):
    roles, devices = world
    ada, bob = Owner(roles, url, "ada@example.org"), Owner(roles, url, "bob@example.org")
    with ada.stream() as hers, bob.stream() as his:
        unit = ada.claim("P1")
        before = time.time()
        until(lambda: time.time() > before + 0.01, what="the clock goes on")
        ada.ask("DELETE", f"/api/my/units/{unit}")
        assert bob.claim("P1") == unit
        # Measured when it was hers, sent when it is his: neither of them is told, it is support's.
        devices.reading("P1", before, temp_c=99).flush()
        until(lambda: roles.get("/api/alarms?sort=newest")["alarms"])
        devices.reading("P1", before + 0.001, temp_c=20).reading("P1", temp_c=99).flush()
        bobs = collect(his, "notice.told", unit)
        ada.ask("POST", "/api/my/units", {"serial": "P3", "code": CODE})
        adas = [hers.next() for _ in range(3)]
    assert [event["kind"] for event in adas] == ["unit.claimed", "unit.released", "unit.claimed"]
    assert [event["kind"] for event in bobs] == ["unit.claimed", "alarm.raised", "notice.told"]


def test_a_stream_ends_when_its_session_does_and_another_goes_on(url, world):
    roles, _ = world
    phone, desk = Owner(roles, url, "ada@example.org"), Owner(roles, url, "ada@example.org")
    with phone.stream() as on_phone, desk.stream() as on_desk:
        phone.ask("POST", "/api/sign-out")
        assert on_phone.next() == {"kind": "stream.end"}
        assert on_phone.at_end()
        desk.claim("P1")
        assert on_desk.next()["kind"] == "unit.claimed"
        desk.ask("POST", "/api/sign-out-everywhere")
        assert on_desk.next() == {"kind": "stream.end"}
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        phone.ask("GET", "/api/my/stream")
    refused.value.close()


def test_it_is_nobodys_without_a_session_and_the_staffs_is_not_the_owners(url, world):
    roles, _ = world
    ada = Owner(roles, url, "ada@example.org")
    nobody = urllib.request.Request(f"http://127.0.0.1:{roles.http_port}/api/my/stream")
    for ask, status in (
        (lambda: urllib.request.urlopen(nobody, timeout=5), 401),
        (lambda: ada.ask("GET", "/api/stream"), 403),
    ):
        with pytest.raises(urllib.error.HTTPError, match=str(status)) as refused:
            ask()
        refused.value.close()
