"""The timings run from start to end and judge themselves; how fast it was is not asserted here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import broker, ingest, reaction, simulator
from bench.search import SEARCHES

ROOT = Path(__file__).parents[2]
SHORT_PAST = ["--history-days", "2", "--history-rows", "2000"]


def run(name, *arguments):
    return subprocess.run(
        [sys.executable, "-m", name, "--json", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240
    )


@pytest.mark.usefixtures("mosquitto_port")  # only because it says what to do where there is none
def test_a_small_run_loses_nothing_doubles_nothing_and_judges_everything():
    small = ["--messages", "2000", "--rules", "5", "--units", "40", "--live-messages", "200", "--live-rate", "200"]
    ended = run("bench.ingest", *small, *SHORT_PAST)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout.splitlines()[-1])
    assert (result["lost"], result["duplicated"], result["unacknowledged"]) == (0, 0, 0)
    assert (result["messages"], result["load"]) == (2000, "preloaded")
    assert result["history_rows"] == 2 * 9 * 40 * 3, "at least 2000, in whole rounds of all units"
    assert result["alarms"] == result["alarms_expected"] == 3
    assert result["ratio"] == pytest.approx(result["messages_per_s"] / result["counting_subscriber_per_s"], abs=0.001)
    cpu_s = result["cpu_s_per_message"]
    assert cpu_s["gateway"] == pytest.approx(cpu_s["gateway_reader"] + cpu_s["gateway_writer"], abs=1e-6)
    assert min(cpu_s["gateway"], cpu_s["database"], *result["memory_mb"].values()) > 0
    delays = result["publish_to_ack"]
    assert delays["messages"] == 160
    assert 0 < delays["p50_ms"] <= delays["p99_ms"] <= delays["max_ms"]


@pytest.mark.usefixtures("mosquitto_port")
def test_the_load_generator_is_measured_against_paho_in_the_same_run(capsys):
    with pytest.raises(SystemExit) as end:
        simulator.main(["--json", "--devices", "60", "--rate", "300", "--seconds", "2"])
    assert end.value.code == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["devices"], result["connected"], result["unanswered"], result["messages"]) == (60, 60, 0, 600)
    ratio = result["cpu_us_per_message"] / result["paho_cpu_us_per_message"]
    assert result["cpu_ratio_to_paho"] == pytest.approx(ratio, abs=0.01)


@pytest.mark.usefixtures("mosquitto_port")
def test_a_small_reaction_run_tells_of_every_alarm():
    small = ["--samples", "60", "--per-s", "10", "--background", "50", "--units", "100", "--rules", "5"]
    ended = run("bench.reaction", *small, *SHORT_PAST)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout.splitlines()[-1])
    assert (result["samples"], result["untold"]) == (60, 0)
    assert 0 < result["p50_ms"] <= result["p99_ms"] <= result["max_ms"]
    assert result["alarm"]["p50_ms"] < result["p50_ms"]
    assert result["background_per_s"] >= 45


def test_an_owners_pages_are_measured_against_a_request_that_only_checks_the_session():
    ended = run("bench.feed", "--units", "2000", "--requests", "20")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout.splitlines()[-1])
    assert result["notices"] == 5 * result["registered"] > 9_500
    assert result["ratio_p50"] == max(result["ratios"].values())
    for page, ratio in result["ratios"].items():
        assert ratio == pytest.approx(result["p50_ms"][page] / result["session_p50_ms"], abs=0.05)
    assert result["progress_ratio"] > 0
    assert result["search_ratio_p50"] == max(result["search_ratios"].values()) > 0
    assert set(result["search_ratios"]) == set(result["search_p50_ms"]) == set(SEARCHES)


def test_the_memory_of_a_stream_is_measured_against_a_bare_one():
    ended = run("bench.live", "--clients", "100")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout.splitlines()[-1])
    assert result["clients"] == 100
    assert min(result["stream_kb"], result["bare_stream_kb"]) > 1
    assert result["memory_ratio"] == pytest.approx(result["stream_kb"] / result["bare_stream_kb"], abs=0.02)


def test_too_few_open_files_for_the_streams_are_said_in_one_line():
    command = ["prlimit", "--nofile=256:256", sys.executable, "-m", "bench.live", "--clients", "5000"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    line = "bench: 5150 open files are needed, and 256 are allowed (ulimit -n).\n"
    assert (ended.returncode, ended.stderr) == (1, line)


def test_a_store_without_room_for_its_largest_owner_is_refused_in_one_line():
    ended = run("bench.feed", "--units", "100")
    assert (ended.returncode, ended.stderr) == (
        1,
        "bench: There must be 440 units or more: one owner has 400 of them.\n",
    )


@pytest.mark.usefixtures("mosquitto_port")
def test_a_reaction_run_whose_background_the_machine_does_not_carry_is_one_line():
    ended = run(
        "bench.reaction", "--samples", "1", "--background", "1000000", "--units", "100", "--rules", "1", *SHORT_PAST
    )
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("bench: Beside")]
    assert line.startswith("bench: Beside it 1000000 messages a second were asked for, but ")


@pytest.mark.usefixtures("mosquitto_port")
def test_what_a_broker_loses_is_counted_by_how_it_ended():
    ended = run("bench.broker", "--seconds", "0.3", "--rounds", "1", "--saved", "every 1800 s")
    assert ended.returncode == 0, ended.stderr
    nothing, saved = json.loads(ended.stdout.splitlines()[-1])["rows"]
    assert (nothing["saved"], saved["saved"]) == ("off", "every 1800 s")
    assert nothing["lost"] == nothing["acknowledged"], "without persistence nothing is there again, however it ended"
    assert min(nothing["acknowledged"].values()) > 0
    assert saved["lost"] == saved["acknowledged"] | {"SIGTERM": 0}
    assert saved["ratio"] == pytest.approx(saved["messages_per_s"] / nothing["messages_per_s"], abs=0.001)


@pytest.mark.parametrize("bench", [broker, ingest, reaction], ids=["broker", "ingest", "reaction"])
def test_without_mosquitto_it_says_so_in_one_line(monkeypatch, bench):
    monkeypatch.setattr(shutil, "which", lambda *_args, **_more: None)
    with pytest.raises(SystemExit) as end:
        bench.main(["--json"])
    assert end.value.code == "bench: Mosquitto is missing; install it with: apt-get install mosquitto"


def test_a_small_outbox_run_sends_every_message_once_on_both_channels():
    ended = run("bench.outbox", "--messages", "60", "--rounds", "1")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout.splitlines()[-1])
    assert result["ratio"] == min(result[channel]["ratio"] for channel in ("email", "push"))
    for channel in ("email", "push"):
        ours, theirs = result[channel]["messages_per_s"], result[channel]["library_per_s"]
        assert min(ours, theirs) > 0
        assert result[channel]["ratio"] == pytest.approx(ours / theirs, abs=0.05)
