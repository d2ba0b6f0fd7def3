"""The reasons of deliveries, as an owner reads them."""

import pytest

from gateway.notify.reasons import reason_in


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("shown in the feed", "steht bei Ihren Meldungen"),
        ("follows when push was not opened in time", "folgt, wenn es per Push nicht rechtzeitig geöffnet wurde"),
        (
            "given up after 8 tries: the mail server said 451 try {later}",
            "aufgegeben nach 8 Versuchen: der Mailserver sagte 451 try {later}",
        ),
        ("reached 1 of 2; Firebase could not be reached", "1 von 2 erreicht; Firebase war nicht erreichbar"),
        ("push: no phone is registered", "Push: kein Telefon ist angemeldet"),
        ("something that nobody translated", "something that nobody translated"),
    ],
)
def test_a_german_owner_reads_german_and_an_english_one_what_was_written(english, german):
    assert reason_in("de", english) == german
    assert reason_in("en", english) == english
    assert reason_in("fr", english) == english
