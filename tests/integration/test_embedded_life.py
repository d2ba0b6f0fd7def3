"""That nothing outlives its parent, and that the supervisor keeps and stops what it started."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.dsl.wait import until

DEMO = """
import signal, sys
from pathlib import Path
from gateway.demo.servers import programs
from gateway.demo.servers.broker import EmbeddedBroker
from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.roles.process import free_port
folder = Path(sys.argv[1])
database, broker = EmbeddedPostgres(folder), EmbeddedBroker(folder, free_port(), free_port())
database.start()
broker.start()
import os
print(os.getpid(), database.pid, broker.pid, programs.home_for(folder.resolve()), flush=True)
signal.pause()
"""

ROLE = """
import os, signal, sys, time
def say(what):
    with open(sys.argv[2], "a") as file:
        file.write(f"{sys.argv[1]} {what} {os.getpid()}\\n")
def end(*_):
    say("stops")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
say("runs")
if len(sys.argv) > 3:
    sys.exit(int(sys.argv[3]))
signal.pause()
"""

SUPERVISE = """
import logging, os, sys
from gateway.roles.supervisor import Supervisor
logging.basicConfig(format="%(message)s")
supervisor = Supervisor()
role, log, *codes = sys.argv[1:]
for name in ("first", "second"):
    supervisor.start(name, [sys.executable, "-c", role, name, log])
for code in codes:
    supervisor.start("third", [sys.executable, "-c", role, "third", log, code])
print(os.getpid(), flush=True)
sys.exit(supervisor.run_until_signal())
"""

# As a terminal starts programs, and as a script starts background jobs: with SIGINT ignored.
FOREGROUND = ["env", "--default-signal=INT"]
BACKGROUND = ["sh", "-c", '"$@" & wait', "sh"]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ignores_sigint(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")), 16)
    return bool(mask >> (signal.SIGINT - 1) & 1)


def processes_in(folder):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def folder():
    """One for all, as in life: each test leaves it without a server."""
    outer = Path(tempfile.mkdtemp(prefix="gwt-", dir="/tmp"))
    outer.chmod(0o755)
    yield outer / "data"
    shutil.rmtree(outer)


@pytest.mark.parametrize("prefix", [FOREGROUND, BACKGROUND], ids=["foreground", "background"])
def test_nothing_outlives_a_parent_that_was_killed(folder, prefix):
    argv = [*prefix, sys.executable, "-c", DEMO, str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as started:
        *pids, home = started.stdout.readline().split()
        parent, database, broker = (int(pid) for pid in pids)
        ignored, running = ignores_sigint(parent), processes_in(home)
        os.kill(parent, signal.SIGKILL)
        assert ignored == (prefix == BACKGROUND)
        assert len(running) > 3
        until(lambda: not any(map(alive, [parent, database, broker])) and not processes_in(home))
    assert (folder / "postgres.log").read_text().splitlines()[-1].endswith("database system is shut down")


def test_a_gateway_waits_for_the_server_its_killed_forerunner_left(folder):
    runs = []
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", DEMO, str(folder)], stdout=subprocess.PIPE, text=True) as started:
            runs.append(started.stdout.readline().split())
            started.kill()
    until(lambda: not any(alive(pid) for *pids, _ in runs for pid in pids))
    assert runs[0][3] == runs[1][3]
    assert "database system was not properly shut down" not in (folder / "postgres.log").read_text()


@pytest.fixture
def supervise(tmp_path):
    log = tmp_path / "log"
    log.touch()
    started = []

    def start(*codes, prefix=()):
        argv = [*prefix, sys.executable, "-c", SUPERVISE, ROLE, str(log), *codes]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stdout.readline())

    def lines(what):
        return [line.split() for line in log.read_text().splitlines() if f" {what} " in line]

    yield start, lines
    for process in started:
        process.kill()
        process.communicate()
    until(lambda: not any(alive(pid) for _, _, pid in lines("runs")))


def test_the_supervisor_starts_a_killed_child_again_and_says_so_in_one_line(supervise):
    start, lines = supervise
    process, _ = start()
    until(lambda: len(lines("runs")) == 2)
    victim = next(int(pid) for name, _, pid in lines("runs") if name == "first")
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(lines("runs")) == 3)
    assert lines("runs")[-1][0] == "first"
    process.terminate()
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert said == "first ended (SIGKILL); it starts again in 0.5 s.\n"
    assert [name for name, _, _ in lines("stops")] == ["second", "first"]


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_supervisor_that_a_script_started_in_the_background_stops_at_the_signal(supervise, sig):
    """There SIGINT is ignored from the start, unless a handler is installed explicitly."""
    start, lines = supervise
    process, pid = start(prefix=BACKGROUND)
    until(lambda: len(lines("runs")) == 2)
    until(lambda: not ignores_sigint(pid))
    os.kill(pid, sig)
    process.communicate(timeout=10)
    assert [name for name, _, _ in lines("stops")] == ["second", "first"]


def test_a_child_whose_configuration_is_wrong_stops_all_with_its_exit_code(supervise):
    start, lines = supervise
    process, _ = start("78")
    _, said = process.communicate(timeout=10)
    assert process.returncode == 78
    assert said == "third cannot run with this configuration; stopping.\n"
    assert len([name for name, _, _ in lines("runs") if name == "third"]) == 1


def test_no_role_outlives_a_supervisor_that_was_killed(supervise):
    start, lines = supervise
    process, _ = start()
    until(lambda: len(lines("runs")) == 2)
    process.kill()
    until(lambda: not any(alive(pid) for _, _, pid in lines("runs")))
