"""The ingest timing runs from start to end and judges itself; how fast it was is not asserted here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ingest, simulator

KEYS = {
    "messages_per_s",
    "counting_subscriber_per_s",
    "ratio",
    "lost",
    "duplicated",
    "cpu_s_per_message",
    "messages",
}


@pytest.mark.usefixtures("mosquitto_port")  # only because it says what to do where there is none
def test_a_small_run_loses_nothing_doubles_nothing_and_judges_everything():
    run = subprocess.run(
        [sys.executable, "-m", "bench.ingest", "--json", "--messages", "2000", "--rules", "5", "--units", "40"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert result.keys() >= KEYS
    assert (result["lost"], result["duplicated"], result["unacknowledged"]) == (0, 0, 0)
    assert result["messages"] == 2000
    assert result["alarms"] == result["alarms_expected"] == 3
    assert result["ratio"] == pytest.approx(result["messages_per_s"] / result["counting_subscriber_per_s"], abs=0.001)


@pytest.mark.usefixtures("mosquitto_port")
def test_the_load_generator_is_measured_against_paho_in_the_same_run(capsys):
    with pytest.raises(SystemExit) as end:
        simulator.main(["--json", "--devices", "60", "--rate", "300", "--seconds", "2"])
    assert end.value.code == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["devices"], result["connected"], result["unanswered"], result["messages"]) == (60, 60, 0, 600)
    ratio = result["cpu_us_per_message"] / result["paho_cpu_us_per_message"]
    assert result["cpu_ratio_to_paho"] == pytest.approx(ratio, abs=0.01)


def test_without_mosquitto_it_says_so_in_one_line(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_args, **_more: None)
    with pytest.raises(SystemExit) as end:
        ingest.main(["--json"])
    assert end.value.code == "bench: Mosquitto is missing; install it with: apt-get install mosquitto"
