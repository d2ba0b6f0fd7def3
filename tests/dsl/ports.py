"""Ports for a test's own servers: outside what the kernel gives to connections, another range for each worker."""

import os
import socket
from itertools import cycle

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_MANY = 2_000
_FIRST = 12_000 + _WORKER % 10 * _MANY
_START = os.getpid() * 97 % _MANY
"""Another one in each process, so that two test runs on one machine do not walk in step."""

_PORTS = cycle(_FIRST + (_START + number) % _MANY for number in range(_MANY))


def free_port() -> int:
    """A loopback port that nobody uses and no other test is given."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
