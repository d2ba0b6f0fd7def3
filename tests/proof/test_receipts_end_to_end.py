"""Receipts from end to end: a broker that forgets everything is killed twice, and nothing is lost.

The same run without receipts shows what they are for.
"""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from gateway.roles.process import free_port, spawn
from tests.dsl.mosquitto import running
from tests.dsl.reconciled import UNITS, import_demo, reconcile
from tests.dsl.roles import running_roles

SIM = [sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"]
SCENARIO = """
name: forgetful-broker
about: A broker without persistence is killed twice.
every: 1s
speed: 6
duration: 24s
receipts: %s
resend: 3s
settle: 60s
troubles:
  - {kind: late, units: 20%%, share: 10%%, by: 1s..10s}
  - {kind: half-open, units: 5%%, at: 5%%, for: 20%%, how: deaf}
faults:
  - {fault: overheating, units: 3, at: 62%%, for: 38%%}
"""
KILLS_S = (6, 11)
AWAY_S = 2


@dataclass(frozen=True)
class RunResult:
    """What came of a run."""

    code: int
    run: dict
    lines: list[dict]
    verdict: int
    result: dict


@pytest.fixture
def play(url, tmp_path, capsys):
    """Plays the scenario against the real roles, with two kills of the broker; compares."""

    def played(*, receipts: bool) -> RunResult:
        import_demo(url)
        (given := tmp_path / "scenario.yaml").write_text(SCENARIO % str(receipts).lower())
        run, port = tmp_path / "run", free_port()
        config = f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 5000\nmax_queued_messages 0\n"
        arguments = ["--units", str(UNITS), "--mqtt", f"mqtt://127.0.0.1:{port}", "--out", str(run), "--quiet"]
        with running_roles(url, port, tmp_path, "api", "worker", "ingest") as roles:
            with running(tmp_path, config, port) as broker:
                roles.wait_until_ready()
                began = time.monotonic()
                process = spawn(
                    [*SIM, "run", str(given), *arguments], death_signal=signal.SIGKILL, stdout=subprocess.DEVNULL
                )
                sleep_until(began + KILLS_S[0])
                broker.kill()  # in mid-stream, with everybody there
            with running(tmp_path, config, port) as broker:
                sleep_until(began + KILLS_S[1])
                roles.kill("ingest")
                time.sleep(AWAY_S)  # what comes now only the broker has
                broker.kill()
            with running(tmp_path, config, port):
                roles.start("ingest")
                code = process.wait(180)
                verdict, result, _ = reconcile(run, roles.http_port, capsys, "--wait", "30s")
        lines = [json.loads(line) for line in (run / "messages.jsonl").read_bytes().splitlines()]
        return RunResult(code, json.loads((run / "run.json").read_text()), lines, verdict, result)

    return played


def sleep_until(moment):
    time.sleep(max(0.0, moment - time.monotonic()))


def readings(result):
    return next(check for check in result["checks"] if check["name"] == "readings")


def test_with_receipts_every_message_is_stored_exactly_once(play, db, print_figure):
    ended = play(receipts=True)
    counts = ended.run["counts"]
    print_figure(f"{counts['published']} messages, {counts['again']} sent again, {counts['lost']} connections broken")
    assert ended.code == 0
    assert counts["receipted"] == counts["published"] == len(ended.lines) > 20_000
    assert counts["again"] > 200 * 6 * AWAY_S / 2, "it is no proof unless much really went out again"
    assert (ended.verdict, ended.result["differences"]) == (0, [])
    cells = {(line["topic"], line["ts"], metric) for line in ended.lines for metric in line["values"]}
    assert readings(ended.result)["expected"] == readings(ended.result)["found"] == len(cells)
    assert db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"] == len(cells)
    assert (ended.result["precision"], ended.result["recall"]) == (1.0, 1.0)


def test_without_receipts_the_same_run_loses_what_only_the_broker_had(play, print_figure):
    ended = play(receipts=False)
    counts, check = ended.run["counts"], readings(ended.result)
    missing = check["expected"] - check["found"]
    print_figure(
        f"{counts['published']} messages, all acknowledged; {missing} of {check['expected']} readings are lost"
    )
    assert (ended.code, counts["acknowledged"]) == (0, counts["published"])
    assert ended.verdict == 1
    assert missing > 0
