"""The words: complete in English and German, English where another language lacks one, and the tool that says so."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fluent.runtime import FluentBundle, FluentResource

from gateway.text import Catalog, Speech, catalog, codes, offered, use_folder, words
from gateway.text.catalog import OURS, PARTS
from gateway.text.messages import Message, merged, read_folder
from tests.dsl.languages import PSEUDO, outside_brackets, write_language, write_pseudo_language

ROOT = Path(__file__).parents[2]
FORMATS = json.loads((ROOT / "tests" / "data" / "formats.json").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    use_folder(None)


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import words as tool  # noqa: PLC0415

    return tool


def message(key, source, *variables):
    return Message(key, "app", f"{key} = {source}", frozenset(variables), frozenset())


class TestTheTool:
    def test_finds_nothing_to_mend(self):
        done = subprocess.run(
            [sys.executable, "tools/words.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout

    def test_names_what_is_missing_on_either_side(self, tool):
        english, german = {"a-b": message("a-b", "One")}, {"a-c": message("a-c", "Eins")}
        assert sorted(tool.differences(english, german, "de")) == ["a-b is missing in de", "a-c is missing in en"]

    def test_names_other_variables(self, tool):
        english, german = {"a-b": message("a-b", "One", "count")}, {"a-b": message("a-b", "Eins", "count", "name")}
        assert list(tool.differences(english, german, "de")) == ["a-b has other variables in de: count / count, name"]

    def test_names_what_no_source_names(self, tool):
        english = {key: message(key, "One") for key in ("a-b", "a-two", "kind-recall", "kind-a-b", "left-over")}
        sources = ["""say("a-b") if x else {t('a-two')}""", "t(`kind-${kind}`)"]
        assert tool.unused(english, sources) == ["kind-a-b", "left-over"]

    def test_knows_reasons_by_their_codes(self, tool):
        english = {key: message(key, "One") for key in ("reason-no-phone", "reason-often-opened", "reason-left")}
        sources = ['Reason.of("no-phone")', 'Reason.of(f"often-{kind}", count=1)', 'Reason.of(\n    "new", at=1)']
        assert tool.unused(english, sources) == ["reason-left"]
        assert tool.unknown(english, sources) == ["reason-new"]

    def test_names_what_a_source_names_and_no_catalog_has(self, tool):
        assert tool.unknown({"a-b": message("a-b", "One")}, ["say('a-b')", 'say("a-c", x=1)']) == ["a-c"]


class TestALanguageInPart:
    @pytest.fixture(autouse=True)
    def french(self, folder):
        app = """signin-title = Se connecter
home-count = { $count ->
    [one] { $count } produit.
   *[other] { $count } produits.
 }
nav-unread = { $nobody } non lus
no-such-text = Rien
signin-do = {
"""
        use_folder(write_language(folder, "fr", "Français", "fr-FR", app=app))

    def test_says_what_it_has_and_the_rest_in_english(self):
        french = words("fr")
        assert french("signin-title") == "Se connecter"
        assert [french("home-count", count=count) for count in (0, 1, 2)] == ["0 produit.", "1 produit.", "2 produits."]
        assert french("signup-title") == words("en")("signup-title")

    def test_says_in_english_what_it_says_wrongly(self):
        french = words("fr")
        assert french("nav-unread", count=2) == "2 unread"
        assert french("signin-do") == "Sign in"
        assert "no-such-text" not in french

    def test_is_offered_and_goes_to_the_pages_whole(self):
        assert codes() == ["en", "de", "fr"]
        assert offered("fr") == "fr"
        source = words("fr").source("app")
        assert "signin-title = Se connecter" in source
        assert "signup-title = Create an account" in source
        assert "console-nav-menu" not in source
        assert words("fr").digest("app") != words("en").digest("app")

    def test_writes_dates_and_lists_its_own_way(self):
        speech = Speech("fr")
        assert speech.choice(["a", "b", "c"]) == "a, b ou c"
        assert speech.day(datetime(2026, 12, 9, 12, tzinfo=ZoneInfo("UTC"))) == "9 déc. 2026"


def test_an_installation_may_say_ours_in_other_words(folder):
    use_folder(write_language(folder, "en", "English", "en-GB", app="signin-title = Log in"))
    assert (words("en")("signin-title"), words("de")("signin-title")) == ("Log in", "Anmelden")
    assert codes() == ["en", "de"]


def test_a_language_of_a_country_is_its_plain_form_and_one_that_there_is_not_is_english():
    assert words("de-AT").language.code == "de"
    assert words("xx").language.code == "en"
    with pytest.raises(ValueError, match="write one of en, de"):
        offered("xx")


def test_every_text_of_the_pages_goes_to_one_of_them():
    served = "".join(words("en").source(part) for part in PARTS)
    of_mails = {key for key, each in read_folder(OURS / "en").items() if f"{key} =" not in served}
    assert {key.partition("-")[0] for key in of_mails} <= {
        "alarm", "campaign", "channel", "letter", "mail", "page", "reason", "rule",
    }  # fmt: skip


def test_every_text_of_the_pseudo_language_stands_in_brackets(folder):
    use_folder(write_pseudo_language(folder))
    speech = Speech(PSEUDO)
    assert outside_brackets(speech("signin-title")) == " "
    for key, each in read_folder(OURS / "en").items():
        text = speech(key, **dict.fromkeys(each.variables, 1))
        assert key == "language-locale" or outside_brackets(text).strip() == "", key


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_text_is_put_together_as_fluent_does(language):
    messages = read_folder(OURS / language)
    bundle = FluentBundle([words(language).language.locale], use_isolating=False)
    bundle.add_resource(FluentResource(merged(messages)))
    for key, each in messages.items():
        for values in ({name: f"<{name}> Ä" for name in each.variables}, dict.fromkeys(each.variables, 1234)):
            expected, _ = bundle.format_pattern(bundle.get_message(key).value, values)
            assert words(language)(key, **values) == expected


def test_a_number_is_written_the_same_whatever_was_written_before():
    speech = Speech("en")
    assert [speech.plain(value) for value in (0.0, -0.0, 0.0)] == ["0", "−0", "0"]


def test_a_text_without_its_value_is_an_error():
    assert words("en")("mail-unit", product="Pump", serial="P1") == "Pump, serial P1"
    with pytest.raises(ValueError, match="mail-unit"):
        words("en")("mail-unit", product="Pump")
    with pytest.raises(LookupError):
        words("en")("no-such-text")


def test_the_catalog_knows_what_each_language_calls_itself():
    assert [(each.code, each.name, each.locale) for each in catalog().languages] == [
        ("en", "English", "en-GB"), ("de", "Deutsch", "de-DE"),
    ]  # fmt: skip


def test_a_role_reads_every_word_before_it_works_so_that_no_reader_waits_for_it(monkeypatch):
    made = Catalog([OURS])
    made.load()
    monkeypatch.setattr(sys.modules["gateway.text.catalog"], "FluentResource", None)  # nothing can be read any more
    for language in made.languages:
        assert made.words(language.code)("language-name") == language.name


@pytest.mark.parametrize("language", ["en", "de"])
class TestFormats:
    """What the browser writes by Intl: gateway/web/src/lib/format.test.ts reads the same file."""

    def test_numbers(self, language):
        speech, expected = Speech(language), FORMATS[language]
        assert [speech.number(value) for value in FORMATS["values"]] == expected["numbers"]
        assert [speech.plain(value) for value in FORMATS["values"]] == expected["plain"]

    def test_lists(self, language):
        assert [Speech(language).choice("abc"[:count]) for count in (1, 2, 3)] == FORMATS[language]["choices"]

    def test_times_in_every_zone_and_month(self, language):
        moments = [datetime.fromisoformat(each) for each in FORMATS["moments"]]
        for zone, expected in FORMATS[language]["zones"].items():
            speech = Speech(language, ZoneInfo(zone))
            assert [f"{speech.day(at)} {speech.clock(at)} {speech.zone(at)}" for at in moments] == expected, zone
