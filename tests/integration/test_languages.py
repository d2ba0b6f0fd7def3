"""A language is files only: one in part, and a made-up one that shows every sentence that no catalog has."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from gateway.accounts import letters
from gateway.core.clock import system_clock
from gateway.notify import addresses
from gateway.notify.links import Links, UnsubscribeLink, address_digest
from gateway.store import Database
from gateway.text import use_folder
from tests.dsl.campaigns import CHANNELS, Office, response_body
from tests.dsl.fcm import fcm_server
from tests.dsl.languages import PSEUDO, in_pseudo, outside_brackets, write_language, write_pseudo_language
from tests.dsl.people import site
from tests.dsl.smtp import mail_server, text_of
from tests.factories.campaigns import RECALL, UPDATE, WITHDRAWAL, set_language
from tests.factories.notices import make_owner, raise_alarm
from tests.integration.test_second_maker import LETTERS, SECRET, sending, session_of

MAKER: dict[str, Any] = {"maker_name": "Voltrad", "maker_phone": "0800 8658723", "maker_time_zone": "Europe/Berlin"}
_WRITTEN = [
    text
    for content in (RECALL, UPDATE, WITHDRAWAL)
    for part in content.values()
    if isinstance(part, dict) and "en" in part
    for text in part.values()
]
_NAMES = ["Voltrad", "Pump overheats", "Switch the pump off", "It is 95 °C.", "Let it cool.", "Temperature", "pump-hot"]
_PATTERNS = [r"\bPump\b", r"\bP ?\d+\b", r"\b[RUW]-\d+-\d+\b", r"\bL1\b", "°C", r"https?://\S+", r"\b\d+ \w+ 20\d\d\b"]
_X = 0
DATA = re.compile(
    "|".join([*map(re.escape, _WRITTEN + _NAMES), *_PATTERNS, r"\b\d+ [A-Z][a-z]+(?=⟧|,|$)", r"\bCES?T\b"])
)
"""What the maker wrote, what devices measured, and dates."""
FRENCH = {
    "mail": "mail-see = Voir l’avis\n",
    "notice": "about-number = Numéro\nseverity-warning = Avertissement\n",
    "letter": "letter-reset-lead = Saisissez ce code.\n",
    "app": "signin-title = Se connecter\n",
}


_SHOWN = {"alt", "title", "aria-label", "placeholder"}


class _Read(HTMLParser):
    """What of a page is read: its texts, and the attributes that are read out or shown."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag if tag in {"style", "script"} else ""
        self.texts += [
            value for name, value in attrs if name in {"alt", "title", "aria-label", "placeholder"} and value
        ]

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def strange(text: str) -> list[str]:
    """The words of a text that neither a catalog nor the maker has."""
    return re.findall(r"[^\W\d_]{2,}", DATA.sub(" ", outside_brackets(text)))


def strange_in(html: str) -> list[str]:
    reader = _Read()
    reader.feed(html)
    return strange("\n".join(reader.texts))


@pytest.fixture
def office(url, db, tmp_path):
    """Ada owns P1, which an alarm and campaigns concern."""
    make_owner(url, tmp_path)
    db.execute("UPDATE unit SET lot = 'L1', firmware = '2.3'")
    with site(url, db, **CHANNELS | MAKER, link_secret=SECRET) as world, Database(url, "test", max_size=4) as database:
        yield Office(world, database, db)
    use_folder(None)


@pytest.fixture
def made_up(tmp_path, db, office):
    """Ada reads the pseudo language."""
    use_folder(write_pseudo_language(tmp_path / "text"))
    set_language(db, PSEUDO, "Ada")


@pytest.fixture
def french(tmp_path, db, office):
    """Ada reads French, of which there are a few words."""
    use_folder(write_language(tmp_path / "text", "fr", "Français", "fr-FR", **FRENCH))
    set_language(db, "fr", "Ada")


def publish_everything(office: Office, told: Callable[[int], object]) -> None:
    """An alarm, a recall, an update, and what takes the recall back; `told` waits for so many notices."""
    raise_alarm(office.db)
    told(1)
    recall = office.publish(in_pseudo(RECALL))
    office.publish(in_pseudo(UPDATE))
    told(3)
    office.publish(in_pseudo(WITHDRAWAL), supersedes=recall["id"])
    told(4)


@pytest.mark.usefixtures("made_up")
class TestNothingIsWrittenIntoTheCode:
    def test_in_a_mail(self, office, db):
        with mail_server() as mail, sending(office, **MAKER, smtp_url=mail.url) as told:
            publish_everything(office, told)
            for template in get_args(letters.Template):
                letters.write(db, template, "ada@example.org", PSEUDO, LETTERS, system_clock())
            told(4)
        assert len(mail.mails) == 4 + len(get_args(letters.Template))
        for message in mail.mails:
            found = [strange(message["Subject"]), strange(text_of(message)), strange_in(text_of(message, "html"))]
            assert found == [[], [], []], message["Subject"]

    def test_in_a_push(self, office, db, tmp_path):
        row = db.execute("SELECT id FROM person WHERE name = 'Ada'").fetchone()
        addresses.register_phone(db, row["id"], "token", "phone", "android", system_clock(), tokens_max=20)
        with (
            fcm_server(tmp_path) as fcm,
            sending(office, **MAKER, fcm_credentials=fcm.credentials, fcm_url=fcm.url) as told,
        ):
            publish_everything(office, told)
        pushes = [each["notification"] for each in fcm.taken]
        assert [strange(f"{each['title']} {each['body']}") for each in pushes] == [[]] * 4

    def test_behind_a_link(self, office, db):
        links = Links(office.world.settings.public_url, SECRET.encode())
        person = db.execute("SELECT public_id FROM person WHERE name = 'Ada'").fetchone()["public_id"]
        mailed = links.unsubscribe(UnsubscribeLink(person, address_digest("ada@example.org"))).rsplit("/", 1)[1]
        stranger = office.world.browser()
        pages = [
            stranger.client.get(path, headers={"Accept-Language": f"{PSEUDO}, en;q=0.5"}).text
            for path in (f"/u/{mailed}", "/u/none", "/l/none")
        ]
        pages.append(stranger.post(f"/u/{mailed}").text)
        assert [strange_in(page) for page in pages] == [[]] * 4

    def test_on_the_page_of_a_notice(self, office, db):
        publish_everything(office, lambda _: office.work())
        ada = office.world.browser()
        ada.enter(session_of(office, "Ada"))
        notices = [row["public_id"] for row in db.execute("SELECT public_id FROM notice ORDER BY id")]
        pages = {notice: ada.get(f"/n/{notice}").text for notice in [*notices, "none"]}
        assert len(pages) == 5
        assert {notice: strange_in(page) for notice, page in pages.items()} == {notice: [] for notice in pages}


@pytest.mark.usefixtures("french")
class TestALanguageInPart:
    def test_is_in_the_list_and_may_be_chosen(self, office):
        (*_, french) = office.world.browser().get("/api/languages").json()
        assert (french["code"], french["name"], french["locale"]) == ("fr", "Français", "fr-FR")
        ada = office.world.browser()
        ada.enter(session_of(office, "Ada"))
        assert response_body(ada.client.put("/api/my/language", json={"language": "fr"}, headers=ada_headers()))
        assert ada.client.put("/api/my/language", json={"language": "xx"}, headers=ada_headers()).status_code == 422
        assert ada.get("/api/me").json()["language"] == "fr"

    def test_goes_to_the_pages_and_is_kept_by_what_is_in_it(self, office):
        stranger = office.world.browser()
        (*_, french) = stranger.get("/api/languages").json()
        answer = stranger.get(french["app"])
        assert "signin-title = Se connecter" in answer.text
        assert "signup-title = Create an account" in answer.text
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        old = stranger.get("/text/app/fr/0123456789ab.ftl")
        assert (old.text, old.headers["cache-control"]) == (answer.text, "no-cache")
        assert stranger.get("/text/app/xx/0.ftl").status_code == 404

    def test_speaks_in_mails_and_english_where_it_has_no_words(self, office, db):
        with mail_server() as mail, sending(office, **MAKER, smtp_url=mail.url) as told:
            raise_alarm(db)
            told(1)
            office.publish(UPDATE)
            told(2)
            letters.write(db, "reset", "ada@example.org", "fr", LETTERS, system_clock())
            told(2)
        alarm, update, reset = (text_of(each) for each in mail.mails)
        assert "Voir l’avis: http" in alarm
        assert "What to do: " in alarm
        assert re.search(r"Numéro: U-", update)
        assert re.search(r"Published: \d+ \w+\.? 20\d\d", update)
        assert "Saisissez ce code." in reset
        assert "It counts for 15 minutes." in reset

    def test_speaks_on_the_page_of_a_notice(self, office, db):
        raise_alarm(db)
        office.work()
        notice = db.execute("SELECT public_id FROM notice").fetchone()["public_id"]
        ada = office.world.browser()
        ada.enter(session_of(office, "Ada"))
        page = ada.get(f"/n/{notice}").text
        assert '<html lang="fr">' in page
        assert "Avertissement, still active" in page


def ada_headers() -> dict[str, str]:
    return {"Sec-Fetch-Site": "same-origin"}


class TestTheTimeZone:
    def test_is_the_makers_until_a_person_chooses(self, office, db):
        ada = office.world.browser()
        ada.enter(session_of(office, "Ada"))
        zones = [ada.get("/api/me").json()["time_zone"]]
        for chosen in ("Asia/Kolkata", None):
            response_body(ada.client.put("/api/my/time-zone", json={"time_zone": chosen}, headers=ada_headers()))
            zones.append(ada.get("/api/me").json()["time_zone"])
        db.execute("UPDATE person SET time_zone = 'America/New_York'")  # the maker's file says where they live
        zones.append(ada.get("/api/me").json()["time_zone"])
        assert zones == ["Europe/Berlin", "Asia/Kolkata", "Europe/Berlin", "America/New_York"]
        answer = ada.client.put("/api/my/time-zone", json={"time_zone": "Berlin"}, headers=ada_headers())
        assert answer.status_code == 422

    def test_is_named_beside_the_same_time_in_mail_and_page(self, office, db):
        db.execute("UPDATE person SET own_time_zone = 'Asia/Kolkata' WHERE name = 'Ada'")
        with mail_server() as mail, sending(office, **MAKER, smtp_url=mail.url) as told:
            raise_alarm(db)
            told(1)
        (time,) = re.findall(r"On (\d+ \w+, \d+:\d\d GMT\+5:30) it was 95 °C", text_of(mail.mails[0]))
        raised = db.execute("SELECT raised_at AT TIME ZONE 'Asia/Kolkata' AS at FROM alarm").fetchone()["at"]
        assert f"{raised.hour}:{raised.minute:02}" in time
        notice = db.execute("SELECT public_id FROM notice").fetchone()["public_id"]
        ada = office.world.browser()
        ada.enter(session_of(office, "Ada"))
        page = ada.get(f"/n/{notice}").text
        assert "Times are in GMT+5:30." in page
        assert f"at {raised.hour}:{raised.minute:02} this became a notice" in page
