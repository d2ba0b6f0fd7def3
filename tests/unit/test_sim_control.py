"""The control socket takes whatever comes, from whoever runs the fleet, and never another file's place."""

import json
import socket

import pytest

from device_sim.control import ControlSocket
from device_sim.errors import SimError


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"5", b'{"unit": {"a": []}, "do": 5}', b"\xff", b"x" * 10_000])
def test_a_garbled_command_gets_an_answer_and_does_no_harm(tmp_path, line):
    def answer(request):
        raise SimError(f"no unit {request.get('unit')!r}")

    with ControlSocket(tmp_path / "sock", answer) as control, socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(tmp_path / "sock"))
        peer.sendall(line + b"\n")
        control.poll()
        assert "error" in json.loads(peer.recv(4_096))


def test_a_client_that_says_nothing_does_not_stop_the_fleet(tmp_path):
    with ControlSocket(tmp_path / "sock", str) as control, socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(tmp_path / "sock"))
        control.poll()
        with pytest.raises(SimError, match="another fleet listens on"):
            ControlSocket(tmp_path / "sock", str)
        control.poll()


def test_the_control_path_is_never_another_file(tmp_path):
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(SimError, match="exists and is not a socket"):
        ControlSocket(tmp_path / "notes.txt", str)
    with pytest.raises(SimError, match="cannot listen on"):
        ControlSocket(tmp_path / ("long" * 40), str)
    assert (tmp_path / "notes.txt").read_text() == "keep me"
