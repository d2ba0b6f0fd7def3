"""Faults and updates on command: a fleet listens on a UNIX socket for requests; request and reply are a JSON line."""

# The socket file has mode 0600: only the user who runs the fleet can break its units.

import json
import os
import socket
import stat
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType

from device_sim.errors import SimError

_LINE = 4_096
_REQUEST_S = 0.2  # the longest that the fleet waits for a client's request
_ANSWER_S = 5.0

Request = Mapping[str, str | None]
Answer = Callable[[Request], str]


class ControlSocket(AbstractContextManager["ControlSocket"]):
    """The fleet's side; call `poll` often, in the thread that runs the fleet."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path = path
        self._answer = answer
        _remove_stale(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old_umask = os.umask(0o177)  # so that no other user can ever open the file
        try:
            self._socket.bind(str(path))
            self._socket.listen(8)
        except OSError as error:
            self._socket.close()
            raise SimError(f"cannot listen on {path}: {error.strerror or error}") from error
        finally:
            os.umask(old_umask)
        self._socket.settimeout(0)

    def poll(self) -> None:
        """Answer the waiting requests."""
        while True:
            try:
                peer, _ = self._socket.accept()
            except BlockingIOError:
                return
            with peer, suppress(OSError):  # the client went away
                peer.settimeout(_REQUEST_S)
                with peer.makefile("rb") as stream:
                    peer.sendall(self._reply(stream.readline(_LINE)) + b"\n")

    def _reply(self, line: bytes) -> bytes:
        try:
            request = {str(key): None if word is None else str(word) for key, word in dict(json.loads(line)).items()}
            reply = {"ok": self._answer(request)}
        except SimError as error:
            reply = {"error": str(error)}
        except (ValueError, TypeError):
            reply = {"error": "the request is not a JSON object on one line"}
        return json.dumps(reply).encode()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)


def ask(path: Path, request: Request) -> str:
    """Send a request to the fleet that listens on `path`. Returns its reply. Raises SimError."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(_ANSWER_S)
            peer.connect(str(path))
            peer.sendall(json.dumps(request).encode() + b"\n")
            with peer.makefile("rb") as stream:
                reply = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        raise SimError(
            f"no fleet listens on {path} ({getattr(error, 'strerror', None) or error}); "
            f"start one with: device-sim fleet --units units.csv --control {path}"
        ) from None
    if "error" in reply:
        raise SimError(reply["error"])
    return str(reply["ok"])


def _remove_stale(path: Path) -> None:
    """Remove the socket of a fleet that was killed; never another kind of file, or a socket in use."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SimError(f"cannot use {path}: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise SimError(f"{path} exists and is not a socket; choose another path for --control")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SimError(f"another fleet listens on {path}; choose another path for --control")
