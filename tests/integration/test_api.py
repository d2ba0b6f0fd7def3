"""The reading side of the API, over a small installation in which something happened."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from gateway import flow
from gateway.api.application import create_app
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.core.clock import to_us
from gateway.core.readings import Readings
from gateway.ingest.quarantine import quarantine
from gateway.m2m.message import Message, Rejected
from gateway.readings.repository import store_readings
from gateway.registrations import repository as registrations
from gateway.roles.worker import Worker
from gateway.rules import repository as rules
from gateway.rules.changes import record_changes
from gateway.rules.evaluator import Change
from gateway.store import Database, connect
from gateway.store.timeseries import TimeSeries
from tests.conftest import database as empty_database
from tests.conftest import migrated_database
from tests.dsl.people import session
from tests.factories import apply_hot_rule, make_fleet

with warnings.catch_warnings():
    # Only while starlette is imported: it would rather have httpx2 than the httpx that is installed.
    warnings.filterwarnings("ignore", message="Using `httpx` with")
    from fastapi.testclient import TestClient

NOW = datetime.now(UTC).replace(microsecond=0)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PROBLEM = "application/problem+json"
ROUTES = {
    *("/api/units", "/api/units/{unit_id}/readings", "/api/feed", "/api/ledger", "/api/alarms", "/api/events"),
    *(
        "/api/units/{unit_id}/telemetry",
        "/api/units/{unit_id}/conflicts",
        "/api/units/{unit_id}/messages",
        "/api/deliveries",
    ),
    *("/api/alarms.csv", "/api/alarms/choices", "/api/alarms/{alarm_id}", "/api/alarms/{alarm_id}/acts"),
    *("/api/notices", "/api/notices.csv", "/api/notices/{notice_id}"),
    *("/api/quarantine", "/api/quarantine/counts", "/api/quarantine/{number}"),
    *("/api/quarantine/retry", "/api/quarantine/purge", "/api/flow", "/api/stream", "/healthz", "/readyz"),
}


@dataclass(frozen=True)
class Api:
    """A browser at an installation."""

    client: TestClient
    url: str

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def refused(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = self.client.get(path, params=parameters)
        problem = answer.json()
        assert answer.headers["content-type"] == PROBLEM
        assert answer.status_code == problem["status"]
        return problem

    def unit(self, serial: str) -> dict[str, Any]:
        return next(unit for unit in self.get("/api/units")["units"] if unit["serial"] == serial)


@pytest.fixture(scope="module")
def api(server, migrated, tmp_path_factory) -> Iterator[Api]:
    """One installation for all tests here: they only read."""
    with migrated_database(server, migrated) as url:
        settings = Settings(http_allowed_hosts=["gateway.test"])
        with Database(url, "test", max_size=4) as database:
            make_fleet(url, ["P-1", "P-2", "P-3"], owners={"P-1": "Ada", "P-2": "Bob"})
            apply_hot_rule(url, tmp_path_factory.mktemp("rules"))
            fill_database(url)
            worker = Worker(settings, database, lambda: NOW)
            while worker.turn():
                pass
            hub = Hub(url, settings)
            with TestClient(create_app(settings, database, hub, lambda: NOW), base_url="http://gateway.test") as client:
                client.cookies.set("session", session(url, "support"))
                yield Api(client, url)


def fill_database(url: str) -> None:
    """P-1 sent ten minutes of readings and is hot; P-2 was hot long ago, in silence; P-3 was never heard of."""
    with connect(url) as db:
        keys = [("pump", serial) for serial in ("P1", "P2")]
        p1, p2 = (registrations.units_by_key(db, keys)[key].id for key in keys)
        metric = {each.name: each.id for each in registrations.products(db)[0].metrics}
        times = np.array([to_us(NOW - n * MINUTE) for n in range(9, -1, -1)])
        store(db, p1, metric["temp_c"], times, np.arange(86.0, 96.0))
        store(db, p1, metric["pressure_bar"], times[-1:], np.array([2.5]))
        store(db, p2, metric["temp_c"], times[:1], np.array([70.0]))
        (version,) = rules.versions(db, rules.in_force(db).versions)
        changes = [
            change("raised", version.id, p2, NOW - timedelta(days=2), NOW - timedelta(days=2)),
            change("raised", version.id, p1, NOW - 4 * MINUTE, NOW),
        ]
        with db.transaction():
            record_changes(db, changes, {version.id: version}, NOW, timedelta(hours=1), batch=1)
            refused = [
                (message(b"\xff{\0" + b"x" * 100), Rejected("bad_json", "line 1")),
                (message(b"{}", topic="m2m/\0"), Rejected("bad_topic", "a \0 in it")),
            ]
            quarantine(db, refused, payload_bytes=8)


def store(db, unit: int, metric: int, time: np.ndarray, value: np.ndarray) -> None:
    TimeSeries(db).ensure_days({NOW.date(), (NOW - 10 * MINUTE).date()})
    none = np.zeros(len(time), np.bool_)
    columns = Readings.of(np.full(len(time), unit), np.full(len(time), metric), time, value, received=time)
    with db.transaction():
        store_readings(db, columns, none, none)


def change(kind: str, version: int, unit: int, onset: datetime, at: datetime) -> Change:
    return Change(kind, version, unit, to_us(onset), to_us(at), 95.0, 91.0, 96.5)


def message(payload: bytes, topic: str = "m2m/v1/pump/P1/telemetry") -> Message:
    return Message(topic, payload, 1, 1, resumed=False, received_us=to_us(NOW))


def test_units_come_with_product_owner_readings_and_alarms(api):
    unit = api.unit("P-1")
    assert unit["product"] == {"code": "pump", "name": "Pump", "model": "P 200"}
    assert (unit["owner"], unit["state"]) == ("Ada", "warning")
    assert unit["last_seen"] == NOW.isoformat().replace("+00:00", "Z")
    assert [(reading["metric"], reading["value"], reading["unit"]) for reading in unit["readings"]] == [
        ("temp_c", 95, "°C"),
        ("pressure_bar", 2.5, "bar"),
    ]
    assert [alarm["title"] for alarm in unit["alarms"]] == ["Pump overheats"]


def test_a_unit_that_was_never_heard_of_is_unknown_and_not_fine(api):
    unit = api.unit("P-3")
    assert (unit["state"], unit["last_seen"], unit["owner"]) == ("unknown", None, None)
    assert [reading["value"] for reading in unit["readings"]] == [None, None]


def test_units_are_paged_in_a_steady_order(api):
    everything = api.get("/api/units")
    assert everything["next"] is None
    first = api.get("/api/units", limit=2)
    rest = api.get("/api/units", limit=2, after=first["next"])
    assert first["units"] + rest["units"] == everything["units"]
    assert rest["next"] is None


def test_a_serial_or_row_number_is_no_id(api):
    """Only the random public id stands in a URL."""
    assert re.fullmatch(r"[a-z2-7]{16}", api.unit("P-1")["id"])
    assert api.refused("/api/units/P-1/readings", metric="temp_c")["status"] == 404
    assert api.refused("/api/units/1/readings", metric="temp_c")["status"] == 404


def test_readings_come_oldest_first_and_the_extremes_and_the_newest_when_there_are_too_many(api):
    path = f"/api/units/{api.unit('P-1')['id']}/readings"
    everything = api.get(path, metric="temp_c")
    assert (everything["metric"], everything["unit"]) == ("temp_c", "°C")
    assert [value for _, value in everything["points"]] == list(range(86, 96))
    assert everything["points"][-1][0] == int(NOW.timestamp() * 1000)
    points = everything["points"]
    assert api.get(path, metric="temp_c", limit=3)["points"] == [points[0], points[-2], points[-1]]
    assert api.get(path, metric="temp_c", limit=1)["points"] == points[-1:]
    assert api.get(path, metric="temp_c", minutes=4)["points"] == everything["points"][-5:]


def test_the_feed_has_the_notice_with_its_words_and_why(api):
    feed = api.get("/api/feed")
    (notice,) = feed["notices"]
    assert feed["next"] is None
    assert (notice["title"], notice["body"], notice["action"]) == (
        "Switch the pump off",
        "It is 95 °C.",
        "Let it cool.",
    )
    assert (notice["person"], notice["state"], notice["count"], notice["held_until"]) == ("Ada", "open", 1, None)
    assert notice["unit"] == {"id": api.unit("P-1")["id"], "serial": "P-1", "product": "Pump", "model": "P 200"}
    assert notice["why"]["sentence"].startswith("Raise *Pump overheats*")
    assert (notice["why"]["extreme"], notice["why"]["told_because"]) == (96.5, "you own this unit since 1 Jan 2024")


def test_the_ledger_says_why_somebody_was_told_and_why_nobody_was(api):
    told, historic = api.get("/api/ledger")["lines"]
    assert (told["outcome"], told["notice"]) == ("pass", api.get("/api/feed")["notices"][0]["id"])
    assert [step["stage"] for step in told["steps"]] == ["address", "merge", "rate"]
    assert (historic["outcome"], historic["notice"]) == ("drop", None)
    assert historic["reason"].startswith("historic")


def test_alarms_come_newest_first_of_all_units_or_one(api):
    new, old = api.get("/api/alarms", sort="newest")["alarms"]
    assert (new["serial"], new["historic"], new["version"], new["title"]) == ("P-1", False, 1, "Pump overheats")
    assert (old["serial"], old["historic"]) == ("P-2", True)
    assert api.get("/api/alarms", unit=old["unit"])["alarms"] == [old]
    assert api.get("/api/alarms", unit="nothing")["alarms"] == []
    page = api.get("/api/alarms", sort="newest", limit=1)
    assert page["alarms"] == [new]
    assert api.get("/api/alarms", sort="newest", limit=1, after=page["next"])["alarms"] == [old]


def test_events_are_paged_by_cursor_and_their_end_can_be_waited_at(api):
    everything = api.get("/api/events", limit=500)
    kinds = [event["kind"] for event in everything["events"] if not event["kind"].startswith("account.")]
    assert kinds[-2:] == ["alarm.raised", "notice.told"]
    collected, after = [], "0"
    while (page := api.get("/api/events", after=after, limit=4))["events"]:
        assert page["next"] == page["events"][-1]["cursor"]
        collected += page["events"]
        after = page["next"]
    assert collected == everything["events"]
    assert page == {"events": [], "next": after}


def test_events_show_public_ids_and_no_row_numbers(api):
    raised = [event for event in api.get("/api/events")["events"] if event["kind"] == "alarm.raised"][-1]
    assert raised["unit"] == api.unit("P-1")["id"]
    assert raised["data"]["alarm"] == api.get("/api/alarms")["alarms"][0]["id"]
    assert [name for name in raised["data"] if name.endswith("_id")] == []


def test_quarantine_shows_what_cannot_be_shown_as_text_all_the_same(api):
    newest, oldest = api.get("/api/quarantine")["messages"]
    assert (newest["topic"], newest["detail"]) == ("m2m/\ufffd", "a \ufffd in it")
    assert (oldest["reason"], oldest["size"]) == ("bad_json", 103)
    assert oldest["payload"] == "\ufffd{\0xxxxx", "the first 8 bytes"
    page = api.get("/api/quarantine", limit=1)
    assert page["messages"] == [newest]
    assert api.get("/api/quarantine", limit=1, before=page["next"])["messages"] == [oldest]


def test_a_units_readings_are_told_exactly_page_by_page(api):
    """Who proves that nothing was lost needs values and microseconds, not a chart."""
    span = {"since": (NOW - 9 * MINUTE).isoformat(), "until": (NOW + SECOND).isoformat()}
    path = f"/api/units/{api.unit('P-1')['id']}/telemetry"
    everything = api.get(path, **span)
    now = to_us(NOW)
    temperatures = [["temp_c", now - n * 60_000_000, 95.0 - n] for n in range(9, -1, -1)]
    expected = sorted([*temperatures, ["pressure_bar", now, 2.5]], key=lambda row: row[1])
    assert sorted(row[:3] for row in everything["readings"]) == sorted(expected)
    assert [row[1] for row in everything["readings"]] == [row[1] for row in expected]
    assert everything["next"] is None
    collected, after = [], "0.0"
    while after:
        page = api.get(path, **span, after=after, limit=2)
        collected += page["readings"]
        after = page["next"]
    assert collected == everything["readings"]
    assert api.get(path, since=span["until"], until=span["until"])["readings"] == []
    assert "use the `next` of a page" in api.refused(path, **span, after="1")["detail"]
    assert api.refused(path, since="2026-01-15T08:00:00", until=span["until"])["status"] == 422, "a time without a zone"
    assert api.refused("/api/units/none/telemetry", **span)["code"] == "not_found"


def test_readings_that_said_otherwise_stand_beside(api):
    unit = api.unit("P-1")["id"]
    span = {"since": (NOW - MINUTE).isoformat(), "until": (NOW + SECOND).isoformat()}
    with connect(api.url) as db:
        row = db.execute(
            "SELECT unit_id, metric_id, time, 7.5::float8, received_at FROM telemetry ORDER BY time DESC, value LIMIT 1"
        )
        db.execute(
            "INSERT INTO conflicting_reading VALUES (%s, %s, %s, %s, %s)",
            list(row.fetchone().values()),
        )
        try:
            ((metric, at, value, _),) = api.get(f"/api/units/{unit}/conflicts", **span)["readings"]
        finally:
            db.execute("DELETE FROM conflicting_reading")
    assert (metric, at, value) == ("pressure_bar", to_us(NOW), 7.5)
    assert api.get(f"/api/units/{api.unit('P-2')['id']}/conflicts", **span) == {"readings": [], "ever": 0}
    assert api.refused("/api/units/none/conflicts", **span)["code"] == "not_found"


def test_deliveries_say_how_each_notice_went_on_each_channel(api):
    (notice,) = api.get("/api/feed")["notices"]
    with connect(api.url) as db:
        db.execute("INSERT INTO outbox (notice_id, channel, due_at, status, reason)"
                   " SELECT id, 'email', now(), 'waiting', 'r' FROM notice")  # fmt: skip
    (delivery,) = api.get("/api/deliveries")["deliveries"]
    assert (delivery["notice"], delivery["channel"], delivery["status"]) == (notice["id"], "email", "waiting")
    assert api.get("/api/deliveries", before=delivery["id"]) == {"deliveries": [], "next": None}


@pytest.mark.parametrize(("asked", "road"), [({}, flow.READING_TO_NOTICE), ({"road": "recall"}, flow.RECALL_TO_NOTICE)])
def test_flow_is_the_road_as_the_code_has_it(api, asked, road):
    assert api.get("/api/flow", **asked) == [{"name": stage.name, "sentence": stage.sentence} for stage in road]


def test_readiness_names_the_roles_that_are_silent(api):
    assert api.get("/healthz") == {"alive": True}
    answer = api.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "silent": ["ingest", "worker"],
        "waiting_for": {"ingest": "a sign of life", "worker": "a sign of life"},
        "suspended": [],
    }


@pytest.mark.parametrize(
    ("path", "parameters", "status", "told"),
    [
        ("/api/nothing", {}, 404, "Not Found"),
        ("/api/units/nobody/readings", {"metric": "temp_c"}, 404, "no such unit"),
        ("/api/units/nobody/readings", {}, 422, "metric: Field required"),
        ("/api/units", {"limit": 501}, 422, "limit: Input should be less than or equal to 500"),
        ("/api/units", {"limit": 0}, 422, "limit: Input should be greater"),
        ("/api/feed", {"before": -1}, 422, "before: Input should be greater"),
        ("/api/feed", {"before": "x"}, 422, "before: Input should be a valid integer"),
        ("/api/events", {"after": "yesterday"}, 422, "'yesterday' is not a place in the event log"),
        ("/api/alarms", {"unit": "a\0b"}, 422, ""),
        ("/api/units/a%00b/readings", {"metric": "temp_c"}, 422, ""),
    ],
)
def test_every_refusal_is_a_problem_that_says_what_to_mend(api, path, parameters, status, told):
    problem = api.refused(path, **parameters)
    assert problem["status"] == status
    assert problem["code"] == {404: "not_found", 422: "bad_input"}[status]
    assert told in problem["detail"] + " ".join(problem["problems"])
    assert problem["type"] == "about:blank"


def test_another_method_is_refused_as_a_problem(api):
    answer = api.client.post("/api/units", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("host", ["evil.example", "gateway.test.evil.example", ""])
def test_a_page_of_another_host_cannot_reach_us(api, host: str):
    """DNS rebinding: evil.example resolves to 127.0.0.1, and its script asks for the feed."""
    answer = api.client.get("/api/feed", headers={"host": host})
    assert answer.status_code == 400
    assert "Ada" not in answer.text


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/api/units", "gateway.test"),
        ("/api/nothing", "gateway.test"),
        ("/", "gateway.test:8080"),
        ("/web/page.js", "gateway.test"),
        ("/api/feed", "evil.example"),
    ],
)
def test_every_answer_carries_the_headers_that_keep_a_browser_safe(api, path: str, host: str):
    headers = api.client.get(path, headers={"host": host}).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_the_openapi_document_names_every_route_and_the_problem(api):
    document = api.get("/openapi.json")
    assert set(document["paths"]) > ROUTES
    for path, methods in document["paths"].items():
        assert all(method["description"] for method in methods.values()), path
    refusals = document["paths"]["/api/units"]["get"]["responses"]
    assert refusals["4XX"]["content"] == {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_every_error_is_documented_with_the_media_type_it_is_sent_with(api):
    document = api.get("/openapi.json")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if status[0] in "45" and "Problem" in str(answer):
                    assert set(answer["content"]) == {PROBLEM}, (path, method, status)


@pytest.mark.parametrize("path", ["/api/units", "/api/my/units", "/api/me", "/api/nothing"])
@pytest.mark.parametrize("host", ["gateway.test", "evil.example"])
def test_what_the_api_says_is_kept_in_no_cache(api, path: str, host: str):
    """It is a person's; a proxy, or the Back button after signing out, must not show it."""
    assert api.client.get(path, headers={"host": host}).headers.get_list("cache-control") == ["private, no-store"]


def test_the_built_files_may_be_kept_and_the_rest_is_as_it_was(api):
    assert "cache-control" not in api.client.get("/healthz").headers
    assert api.client.get("/brand.css").headers["cache-control"] == "public, max-age=60"


def test_while_the_database_is_away_the_answer_says_to_try_again(server):
    """The page stays open and tries again; it must not see a traceback."""
    settings = Settings()
    with empty_database(server) as there:
        pool = Database(there, "test", patience=timedelta(milliseconds=100)).open()
    try:
        app = create_app(settings, pool, Hub(there, settings), lambda: NOW)
        answer = TestClient(app, base_url="http://localhost").get("/readyz")
    finally:
        pool.close()
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert answer.headers["retry-after"] == "5"
    assert "try again" in answer.json()["detail"]
