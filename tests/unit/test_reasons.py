"""Reasons: codes with parameters, stored as JSON and put into the words of who reads them."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.reason import Reason
from gateway.text import Speech
from gateway.text.reasons import reason_sentence, reason_text
from tests.dsl.reasons import in_words

SINCE = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


ONLY_EMAIL = "E-Mail ist der einzige Weg, den Sie uns gegeben haben"
CHOSEN = Reason.of("chosen-without", channel="push", missing="push", reason=Reason.of("only-way", channel="email"))


@pytest.mark.parametrize(
    ("reason", "english", "german"),
    [
        (Reason.of("came-again"), "it came again", "es kam wieder"),
        (
            Reason.of("follows", channel="push"),
            "follows when push was not opened in time",
            "folgt, wenn es per Push nicht rechtzeitig geöffnet wurde",
        ),
        (
            Reason.of("enough-for-an-hour", limit=1_200),
            "1,200 notices in the last hour are enough",
            "1.200 Meldungen in der letzten Stunde sind genug",
        ),
        (
            CHOSEN,
            "you chose push, but no phone is registered; email is the only way you gave us",
            f"Sie haben Push gewählt, aber kein Telefon ist angemeldet; {ONLY_EMAIL}",
        ),
        (Reason("it was so"), "it was so", "it was so"),
        (Reason.of("of-a-newer-version", count=1), "of-a-newer-version", "of-a-newer-version"),
    ],
)
def test_each_reader_has_it_in_their_words(reason, english, german):
    assert in_words(reason) == english
    assert in_words(reason, "de") == german
    assert in_words(reason, "fr") == english


def test_the_words_of_a_provider_stay_what_they_are():
    reason = Reason.of("address-refused", reason=Reason('550 {"code": "x"} { $reason } ⟨ä⟩'))
    assert in_words(reason, "de") == 'sie wurde abgelehnt (550 {"code": "x"} { $reason } ⟨ä⟩)'


def test_a_date_is_that_of_the_readers_zone():
    reason = Reason.of("owned", since=SINCE)
    assert reason_text(reason, Speech("en", ZoneInfo("UTC"))) == "you own this unit since 22 Nov 2026"
    assert (
        reason_sentence(reason, Speech("de", ZoneInfo("Asia/Tokyo"))) == "Ihnen gehört dieses Gerät seit 23. Nov. 2026."
    )


def test_it_is_stored_as_json_in_the_text_and_in_an_event_as_an_object():
    reason = Reason.of("chosen-without", channel="push", reason=Reason.of("nowhere"), nothing=None)
    document = {"code": "chosen-without", "channel": "push", "reason": {"code": "nowhere"}}
    assert json.loads(reason) == document
    assert reason.data == document
    assert (Reason("it was so").data, Reason("it was so").document()) == ("it was so", None)
    assert reason_sentence("", Speech("en")) == ""
