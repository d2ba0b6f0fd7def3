"""The staff's place for what was refused: a reason, the message, another try, and a purge for who may."""

import pytest

from tests.browser.checks import check
from tests.dsl.mqtt import Devices
from tests.dsl.people import session
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import make_fleet

WIDTH = 390


@pytest.fixture
def roles(url, mosquitto_port, tmp_path):
    make_fleet(url)
    with running_roles(url, mosquitto_port, tmp_path) as running, Devices(mosquitto_port) as devices:
        devices.reading("P9", temp_c=20).send("P1", b"{").flush()
        until(lambda: len(running.get("/api/quarantine")["messages"]) == 2)
        yield running


def test_what_was_refused_is_tried_again_and_purged(url, db, roles, new_context):
    home = f"http://127.0.0.1:{roles.http_port}"
    context = new_context(base_url=home, viewport={"width": WIDTH, "height": 844}, reduced_motion="reduce")
    token = session(url, "administrator")
    context.add_cookies([{"name": "session", "value": token, "url": home}])
    page = context.new_page()
    page.goto("/staff")
    page.get_by_role("heading", name="Refused messages").click()
    page.get_by_text("2 here").wait_for()
    check(page, "refused", WIDTH)
    unknown = page.locator(".refused", has_text="unknown_unit")
    make_fleet(url, serials=("P9",))
    unknown.get_by_role("button", name="Retry").click()
    page.get_by_text("1 will be tried again").wait_for()
    unknown.wait_for(state="detached", timeout=15_000)
    assert [row["value"] for row in db.execute("SELECT value FROM telemetry")] == [20]
    page.get_by_role("button", name="Purge").click()
    page.get_by_text("No message is in quarantine.").wait_for()
    assert db.execute("SELECT count(*) AS n FROM quarantine").fetchone()["n"] == 0
