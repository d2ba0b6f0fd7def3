"""The API of channels: preferences and phones, tracked links, one-click unsubscribe."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from gateway.accounts.repository import find
from gateway.accounts.service import open_session
from gateway.api.application import create_app
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.notify.links import Links, OpenLink, UnsubscribeLink, address_digest
from gateway.store import Database
from tests.factories.notices import QUICK, make_owner

LINKS = Links("http://gateway.test", b"s" * 32)
VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Api:
    """The application without a server, one request at a time."""

    def __init__(self, app, token: str) -> None:
        self._app = app
        self._cookies = {"session": token}

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            # The pages are signed in; a link in a mail is followed from anywhere.
            ours = path.startswith("/api/")
            async with httpx.AsyncClient(
                transport=transport,
                base_url="http://gateway.test",
                cookies=self._cookies if ours else {},
                headers={"Sec-Fetch-Site": "same-origin"} if ours else {},
            ) as client:
                return await client.request(method, path, **how)

        return asyncio.run(ask())

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self._ask("GET", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self._ask("POST", path, **how)

    def put(self, path: str, **how: Any) -> httpx.Response:
        return self._ask("PUT", path, **how)

    def delete(self, path: str) -> httpx.Response:
        return self._ask("DELETE", path)


@pytest.fixture
def ada(url, tmp_path) -> int:
    return make_owner(url, tmp_path)


@pytest.fixture
def api(url, db, ada, tmp_path):
    settings = Settings(**QUICK, http_allowed_hosts=["gateway.test"], demo_outbox=tmp_path / "outbox.jsonl")
    email = db.execute("SELECT email FROM person WHERE id = %s", [ada]).fetchone()["email"]
    token = open_session(db, find(db, email).account, system_clock())
    with Database(url, "test-api") as database:
        app = create_app(settings, database, Hub(url, settings), system_clock)
        yield Api(app, token)


@pytest.fixture
def notice(db, ada) -> str:
    db.execute(
        "INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why, created_at,"
        " updated_at)"
        " SELECT 'n1', %s, id, 'pump-hot', 'warning', 'open', '{}', '{}', now(), now() FROM unit",
        [ada],
    )
    return "n1"


def path(url: str) -> str:
    return url.removeprefix("http://gateway.test")


def test_a_link_leads_to_the_notice_and_notes_that_it_was_opened(api, db, notice):
    link = path(LINKS.open(OpenLink(notice, "push")))
    for _ in range(2):
        answer = api.get(link, headers=VISIT)
        assert (answer.status_code, answer.headers["location"]) == (303, "/n/n1")
    assert db.execute("SELECT channel, kind FROM engagement").fetchall() == [{"channel": "push", "kind": "opened"}]
    assert db.execute("SELECT read_at FROM notice").fetchone()["read_at"] is not None
    assert db.execute("SELECT kind FROM event ORDER BY id DESC LIMIT 1").fetchone()["kind"] == "notice.read"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Mode": "no-cors"}, VISIT | {"Sec-Purpose": "prefetch"}])
def test_a_scanner_is_redirected_and_counts_as_nothing(api, db, notice, headers):
    assert api.get(path(LINKS.open(OpenLink(notice, "email"))), headers=headers).status_code == 303
    assert db.execute("SELECT id FROM engagement").fetchall() == []
    assert db.execute("SELECT read_at FROM notice").fetchone()["read_at"] is None


def test_a_damaged_link_is_a_plain_page(api):
    answer = api.get("/l/AAAA.AAAA", headers={"Accept-Language": "de-DE"})
    assert answer.status_code == 404
    assert "Dieser Link ist nicht lesbar" in answer.text


def test_unsubscribing_takes_a_post_and_nothing_else(api, db):
    person = db.execute("SELECT public_id FROM person").fetchone()["public_id"]
    link = path(LINKS.unsubscribe(UnsubscribeLink(person, address_digest("ada@example.org"))))
    page = api.get(link)
    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert db.execute("SELECT email FROM suppression").fetchall() == []
    # As a mailbox provider sends it: without cookies, without an origin.
    assert api.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert api.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert db.execute("SELECT email FROM suppression").fetchall() == [{"email": "ada@example.org"}]
    assert api.get("/api/my/preferences").json()["mail"]["stopped_because"] == "you stopped mail by a link in one"
    other = path(LINKS.unsubscribe(UnsubscribeLink(person, address_digest("old@example.org"))))
    assert api.post(other).status_code == 404


def test_preferences_show_the_order_and_its_reason_and_can_be_changed(api):
    shown = api.get("/api/my/preferences").json()
    assert (shown["channel"], shown["order"], shown["phones"]) == (None, ["email"], [])
    assert shown["reason"] == "email is the only way you gave us"
    phone = api.post("/api/my/push-tokens", json={"value": "a-token-of-a-phone", "platform": "ios"})
    assert phone.status_code == 201
    again = api.post("/api/my/push-tokens", json={"value": "a-token-of-a-phone", "platform": "ios"})
    assert again.json()["id"] == phone.json()["id"]
    changed = api.put("/api/my/preferences", json={"channel": "email"}).json()
    assert (changed["order"], changed["reason"]) == (["email", "push"], "you chose email")
    assert api.put("/api/my/preferences", json={"mail": False}).json()["order"] == ["push"]
    assert api.put("/api/my/preferences", json={"mail": True}).json()["order"] == ["email", "push"]
    assert api.put("/api/my/preferences", json={"channel": None}).json()["channel"] is None
    assert api.delete(f"/api/my/push-tokens/{phone.json()['id']}").status_code == 204
    assert api.delete(f"/api/my/push-tokens/{phone.json()['id']}").status_code == 404
    assert "a-token-of-a-phone" not in api.get("/api/my/preferences").text


@pytest.mark.parametrize("phone", [{"value": "x", "platform": "ios"}, {"value": "a b c d e f g h", "platform": "ios"}])
def test_what_is_no_token_is_refused(api, phone):
    assert api.post("/api/my/push-tokens", json=phone).status_code == 422


def test_the_demo_page_shows_what_was_caught(api, tmp_path):
    assert "Nothing was sent yet" in api.get("/demo/outbox").text
    mail = {"kind": "mail", "at": "2026-07-01T12:00:00+00:00", "sender": "a@b", "to": ["c@d"], "subject": "<b>Hot</b>"}
    (tmp_path / "outbox.jsonl").write_text(
        '{"kind": "push", "at": "2026-07-01T12:00:00+00:00", "title": "Push it", "body": "now", "to": "p",'
        ' "data": {}}\n'
        + json.dumps(mail | {"text": "see http://gateway.test/l/x", "headers": [["Importance", "high"]]})
        + '\n{"half'
    )
    page = api.get("/demo/outbox").text
    assert "&lt;b&gt;Hot&lt;/b&gt;" in page
    assert 'href="http://gateway.test/l/x"' in page
    assert "Push it" in page
    assert "Push it" not in api.get("/demo/outbox?kind=mail").text
