"""A channel that only the registry knows goes the whole road: choice, order, delivery, receipt, link, next channel."""

import asyncio

import httpx
import pytest

from gateway.accounts.repository import find
from gateway.accounts.service import open_session
from gateway.api.application import create_app
from gateway.api.stream.hub import Hub
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.notify.channels.registry import CHANNELS
from gateway.roles.check import check
from gateway.store import Database
from gateway.text.catalog import use_folder
from tests.dsl.third_channel import WORDS, Sms, carrier
from tests.dsl.wait import until
from tests.factories.notices import QUICK, deliveries, make_owner, raise_alarm, running_worker

NUMBER = "+49 151 000000"


@pytest.fixture
def sms(monkeypatch, tmp_path):
    (tmp_path / "words" / "en").mkdir(parents=True)
    (tmp_path / "words" / "en" / "sms.ftl").write_text(WORDS)
    use_folder(tmp_path / "words")
    with carrier(unknown=["+49 0"]) as (url, taken):
        kind = Sms(url)
        monkeypatch.setitem(CHANNELS, "sms", kind)
        yield kind, taken
    use_folder(None)


def ask(url: str, db, method: str, path: str, **how) -> httpx.Response:
    """Ask the API as Ada."""
    settings = Settings(**QUICK, http_allowed_hosts=["gateway.test"])
    token = open_session(db, find(db, "ada@example.org").account, system_clock())

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(settings, database, Hub(url, settings), system_clock))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            client.cookies.set("session", token)
            headers = {"Sec-Fetch-Site": "same-origin"} if path.startswith("/api/") else {}
            return await client.request(method, path, **{"headers": headers} | how)

    with Database(url, "test-api") as database:
        return asyncio.run(request())


def test_it_is_chosen_sends_is_confirmed_and_counts_what_was_opened(url, db, tmp_path, sms):
    _, taken = sms
    ada = make_owner(url, tmp_path)
    db.execute("UPDATE person SET phone = %s WHERE id = %s", [NUMBER, ada])
    chosen = ask(url, db, "PUT", "/api/my/preferences", json={"channel": "sms"}).json()
    assert (chosen["channel"], chosen["order"]) == ("sms", ["sms", "email"])
    assert chosen["reason"] == "you chose text message"
    with running_worker(url, smtp_url="smtp://127.0.0.1:1"):
        raise_alarm(db)
        until(lambda: deliveries(db).get("sms", {}).get("status") == "delivered")
    sent = deliveries(db)
    assert (sent["sms"]["reason"], sent["sms"]["provider_id"]) == ("it arrived", "sms-1")
    assert (sent["email"]["status"], sent["email"]["follows"]) == ("waiting", "sms")
    ((number, text),) = taken
    assert number == NUMBER
    body, _, link = text.rpartition(" ")
    assert len(body) <= 20
    kinds = [row["kind"] for row in db.execute("SELECT kind FROM event WHERE data->>'channel' = 'sms' ORDER BY id")]
    assert kinds == ["person.preferred", "delivery.delivered"]
    visit = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(url, db, "GET", link.removeprefix("http://gateway.test"), headers=visit).status_code == 303
    unchosen = ask(url, db, "PUT", "/api/my/preferences", json={"channel": None}).json()
    assert unchosen["reason"] == "you opened 1 of the last 1 by text message"


def test_an_address_that_it_does_not_know_is_retired_and_the_next_channel_is_told(url, db, tmp_path, sms, mail):
    kind, _ = sms
    ada = make_owner(url, tmp_path)
    db.execute("UPDATE person SET phone = '+49 0' WHERE id = %s", [ada])
    ask(url, db, "PUT", "/api/my/preferences", json={"channel": "sms"})
    with running_worker(url, smtp_url=mail.url):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == "delivered")
    assert deliveries(db)["sms"]["status"] == "failed"
    assert [(each.person_id, each.address.value) for each in kind.retired] == [(ada, "+49 0")]
    assert "Sent by email too" not in mail.raw[0].decode()


def test_its_words_stand_for_a_choice_that_cannot_be_followed_and_its_check_is_made(url, db, tmp_path, sms):
    make_owner(url, tmp_path)
    chosen = ask(url, db, "PUT", "/api/my/preferences", json={"channel": "sms"}).json()
    assert chosen["reason"].startswith("you chose text message, but we have no phone number; ")
    assert ask(url, db, "PUT", "/api/my/preferences", json={"channel": "pigeon"}).status_code == 422
    assert [each.measured for each in check(Settings(), system_clock) if each.name == "sms"] == [
        "a carrier takes text messages"
    ]
