"""An installation of another maker: what its owners and staff read names that maker, and nothing of the demo's."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from gateway.accounts import letters
from gateway.accounts.repository import find
from gateway.accounts.service import open_session
from gateway.core.clock import system_clock
from gateway.notify import addresses
from gateway.notify.links import Links, OpenLink, UnsubscribeLink, address_digest
from gateway.store import Database
from tests.dsl.campaigns import CHANNELS, Office
from tests.dsl.fcm import fcm_server
from tests.dsl.people import site
from tests.dsl.smtp import mail_server, text_of
from tests.dsl.wait import until
from tests.factories.campaigns import RECALL, UPDATE, WITHDRAWAL, set_language
from tests.factories.notices import make_owner, raise_alarm, running_worker

DEMO = re.compile(
    "brenhold|air compressor|heat pump|robot mower|kompressor|wärmepumpe|mähroboter|ac-24|hp-90|rm-500"
    "|silver strip|silbern|metal plate|metallschild",
    re.IGNORECASE,
)
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><path d="M0 0h2v2z"/></svg>'
BRAND: dict[str, Any] = {
    "maker_name": "Voltrad",
    "maker_color": "#7a1f5c",
    "maker_phone": "0800 8658723",
    "maker_email": "help@voltrad.example",
    "maker_imprint_url": "https://voltrad.example/imprint",
    "maker_privacy_url": "https://voltrad.example/privacy",
    "maker_time_zone": "Pacific/Auckland",
}
PLACES = ("0800 8658723", "help@voltrad.example", "https://voltrad.example/imprint", "https://voltrad.example/privacy")
SECRET = "s" * 32
LETTERS = {"code": "12345678", "minutes": 15, "days": 7, "path": "/sign-in", "name": "Ada"}
WEB = files("gateway") / "web"


@pytest.fixture(params=["en", "de"])
def language(request) -> str:
    return request.param


@pytest.fixture
def brand(tmp_path) -> dict[str, Any]:
    logo = tmp_path / "logo.svg"
    logo.write_text(LOGO)
    return BRAND | {"maker_logo": logo}


@pytest.fixture
def office(url, db, tmp_path, brand, language):
    """Ada owns P1, which an alarm and campaigns concern; she reads the language."""
    make_owner(url, tmp_path)
    db.execute("UPDATE unit SET lot = 'L1', firmware = '2.3'")
    set_language(db, language, "Ada")
    with site(url, db, **CHANNELS | brand, link_secret=SECRET) as world, Database(url, "test", max_size=4) as database:
        yield Office(world, database, db)


def publish_everything(office: Office, told: Callable[[int], object]) -> list[dict[str, Any]]:
    """An alarm, a recall, an update, and what takes the recall back; `told` waits for so many notices."""
    raise_alarm(office.db)
    told(1)
    recall = office.publish(RECALL)
    update = office.publish(UPDATE)
    told(3)
    withdrawal = office.publish(WITHDRAWAL, supersedes=recall["id"])
    told(4)
    return [recall, update, withdrawal]


@contextmanager
def sending(office: Office, **settings: Any) -> Iterator[Callable[[int], object]]:
    """A worker that sends; what it gives waits for so many notices, and until nothing is on its way."""

    def counts() -> tuple[int, int]:
        row = office.db.execute(
            "SELECT (SELECT count(*) FROM notice) AS notices,"
            " (SELECT count(*) FROM outbox WHERE status IN ('waiting', 'claimed'))"
            " + (SELECT count(*) FROM letter WHERE finished_at IS NULL) AS waiting"
        ).fetchone()
        return row["notices"], row["waiting"]

    with running_worker(office.world.url, **settings):
        yield lambda notices: until(lambda: counts() == (notices, 0), what="all is sent")


def texts_of(message: Any) -> str:
    return "\n".join(
        [*(f"{name}: {value}" for name, value in message.items()), text_of(message), text_of(message, "html")]
    )


def test_every_mail_is_the_makers(office, db, brand, language):
    with mail_server() as mail:
        sender = "Voltrad <hi@voltrad.example>"
        with sending(office, **brand, smtp_url=mail.url, mail_from=sender) as told:
            publish_everything(office, told)
            for template in get_args(letters.Template):
                letters.write(db, template, "ada@example.org", language, LETTERS, system_clock())
            told(4)
    assert len(mail.mails) == 4 + len(get_args(letters.Template))
    for message in mail.mails:
        for body in (text_of(message), text_of(message, "html")):
            assert "Voltrad" in body
            assert [place for place in PLACES if place not in body] == []
        assert "#7a1f5c" in text_of(message, "html")
        assert "0b5a75" not in text_of(message, "html")
    assert DEMO.findall("\n".join(map(texts_of, mail.mails))) == []


def test_every_push_is_the_makers(office, db, brand, tmp_path):
    row = db.execute("SELECT id FROM person WHERE name = 'Ada'").fetchone()
    addresses.register_phone(db, row["id"], "token", "phone", "android", system_clock(), tokens_max=20)
    with (
        fcm_server(tmp_path) as fcm,
        sending(office, **brand, fcm_credentials=fcm.credentials, fcm_url=fcm.url) as told,
    ):
        publish_everything(office, told)
    assert len(fcm.taken) == 4
    assert DEMO.findall(str(fcm.taken)) == []


def test_every_page_and_every_answer_is_the_makers(office, language):
    """All that can be got, by everybody: pages, what links lead to, and what the API says."""
    campaigns = publish_everything(office, lambda _: office.work())
    db, settings = office.db, office.world.settings
    links = Links(settings.public_url, SECRET.encode())
    notices = [row["public_id"] for row in db.execute("SELECT public_id FROM notice ORDER BY id")]
    unit = db.execute("SELECT public_id FROM unit").fetchone()["public_id"]
    person = db.execute("SELECT public_id FROM person WHERE name = 'Ada'").fetchone()["public_id"]
    mailed = links.unsubscribe(UnsubscribeLink(person, address_digest("ada@example.org")))
    ids = {
        "notice_id": [*notices, "none"],
        "notice": notices[:1],
        "unit_id": [unit],
        "unit": [unit],
        "campaign_id": [each["id"] for each in campaigns],
        "campaign": [campaigns[0]["id"]],
        "number": ["1"],
        "code": ["pump"],
        "page": ["campaigns"],
        "person_id": [person],
        "token": [mailed.rsplit("/", 1)[1], links.open(OpenLink(notices[0], "email")).rsplit("/", 1)[1], "none"],
    }
    ada, staff = office.world.browser(), office.paula
    ada.enter(session_of(office, "Ada"))
    read = {}
    for path in gettable(office.world.app):
        names = re.findall(r"{(\w+)}", path)
        for values in product(*(ids.get(name, []) for name in names)):
            filled = path.format(**dict(zip(names, values, strict=True)))
            for browser in (office.world.browser(), ada, staff):
                answer = browser.client.get(filled, headers={"Accept-Language": language})
                read[filled, browser is ada, browser is staff] = answer.text
    assert {(path, found.group()) for (path, *_), text in read.items() for found in DEMO.finditer(text)} == set()
    pages = [read[f"/n/{notice}", True, False] for notice in [*notices, "none"]]
    pages += [read[f"/u/{token}", False, False] for token in ids["token"]]
    for page in pages:
        assert re.search(r"<title>.+ – Voltrad</title>", page)
        assert '<img src="/brand/logo" alt="">Voltrad' in page
        assert [place for place in PLACES if place not in page] == []
    assert "GMT+12" in pages[0] or "GMT+13" in pages[0]


def gettable(app: Any) -> list[str]:
    """The paths of all routes that answer GET, but for the streams, which do not end."""
    return sorted(
        {
            route.path.replace(":path", "")
            for route in all_routes(app.routes)
            if "GET" in route.methods and not route.path.endswith("/stream")
        }
    )


def all_routes(routes: Any):
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from all_routes(inner)
        elif getattr(route, "methods", None):
            yield route


def session_of(office: Office, name: str) -> str:
    email = office.db.execute("SELECT email FROM person WHERE name = %s", [name]).fetchone()["email"]
    return open_session(office.db, find(office.db, email).account, system_clock())


def test_what_the_pages_are_built_from_names_no_maker():
    """The sources, what vite made of them, and the page that was never built."""
    folders = [Path(str(WEB / name)) for name in ("src", "dist", "staff")]
    read = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".test.ts")
    ]
    assert any(path.suffix == ".svelte" for path in read)
    found = {(path.name, hit.group()) for path in read for hit in DEMO.finditer(path.read_text("utf-8"))}
    assert found == set()
    assert DEMO.findall((Path(__file__).parents[2] / "schemas" / "openapi.json").read_text("utf-8")) == []


def test_the_brand_is_there_for_pages_without_a_session(office, brand):
    stranger = office.world.browser()
    answer = stranger.get("/api/brand")
    assert answer.json() == {
        "name": "Voltrad",
        "phone": "0800 8658723",
        "email": "help@voltrad.example",
        "url": None,
        "imprint_url": "https://voltrad.example/imprint",
        "privacy_url": "https://voltrad.example/privacy",
    }
    assert answer.headers["cache-control"] == "public, max-age=60"
    colours = dict(re.findall(r"(--[\w-]+): (#\w{6});", stranger.get("/brand.css").text))
    assert colours["--maker"] == "#7a1f5c"
    logo = stranger.get("/brand/logo")
    assert (logo.text, logo.headers["content-type"]) == (LOGO, "image/svg+xml")
    (policy,) = logo.headers.get_list("content-security-policy")
    assert "sandbox" in policy
    assert "script" not in policy
    again = stranger.client.get("/brand/logo", headers={"If-None-Match": logo.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
