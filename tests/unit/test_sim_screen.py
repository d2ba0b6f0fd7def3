"""What a run shows of itself while it goes on."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from device_sim.run.player import Status
from device_sim.run.screen import Lines, picture

STATUS = Status(
    elapsed_s=6, lasts_s=60, published=900, acknowledged=800, receipted=None, given_up=0, waiting=100, poison=0,
    again=7, refused=0, lost=0, connected=10, devices=10, troubles={}, faults=[], p50=1, p99=2, behind_s=0,
    draining=False,
)  # fmt: skip
RECEIPTS = replace(STATUS, receipted=750, given_up=3)


def screen_text(status):
    console = Console(file=io.StringIO(), width=80)
    console.print(picture(status, 150.0, "a run"))
    return console.file.getvalue()


def line(status):
    out = io.StringIO()
    Lines(out)(status)
    return out.getvalue()


@pytest.mark.parametrize("shown", [screen_text, line])
def test_a_run_with_receipts_shows_how_many_came_and_one_without_does_not_speak_of_them(shown):
    text = " ".join(shown(RECEIPTS).lower().split())
    assert "receipted 750" in text
    assert "given up 3" in text
    assert "sent again 7" in text
    assert "waiting 150" in " ".join(shown(replace(RECEIPTS, waiting=150)).lower().split())
    assert "receipted" not in shown(STATUS).lower()


def test_at_its_end_it_says_what_it_waits_for():
    assert "waiting for the last receipts" in screen_text(replace(RECEIPTS, draining=True))
    assert "waiting for the broker's last answers" in screen_text(replace(STATUS, draining=True))
    assert "done" in screen_text(replace(RECEIPTS, draining=True, waiting=0))
