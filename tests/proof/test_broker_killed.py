"""What a broker promises with its PUBACK, by the setting of its persistence; docs/reliability.md has the figures."""

import pytest

from bench.broker import AT_REST, DEVICES, KILL, SETTINGS, SIGTERM, loss

PUBLISHED_S = 3


@pytest.fixture(autouse=True)
def _needs_mosquitto(mosquitto_port):
    """Only because it says what to do where there is none."""


@pytest.mark.parametrize("saved", [saved for saved in SETTINGS if saved != "off"])
def test_a_broker_that_persists_loses_nothing_when_it_is_stopped(saved):
    acknowledged, lost = loss(saved, SIGTERM, PUBLISHED_S)
    assert acknowledged > 500
    assert lost == 0


def test_killed_at_rest_a_broker_that_saves_on_each_change_loses_nothing():
    acknowledged, lost = loss("each change", AT_REST, PUBLISHED_S)
    assert acknowledged > 500
    assert lost == 0


@pytest.mark.parametrize("_turn", range(3))
def test_killed_in_mid_stream_it_loses_one_message_of_each_connection_at_most(_turn):
    """It answers first and saves then: what it read in its last turn is acknowledged, and gone."""
    acknowledged, lost = loss("each change", KILL, PUBLISHED_S)
    assert acknowledged > 500
    assert lost <= DEVICES


def test_killed_it_loses_what_came_since_it_saved_last():
    acknowledged, lost = loss("every 1 s", KILL, PUBLISHED_S)
    assert 0 < lost < acknowledged


@pytest.mark.parametrize("saved", ["off", "every 1800 s"])
def test_killed_before_it_ever_saved_it_loses_everything(saved):
    acknowledged, lost = loss(saved, KILL, PUBLISHED_S)
    assert lost == acknowledged > 500
