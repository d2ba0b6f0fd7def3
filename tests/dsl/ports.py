"""Ports for a test's own servers: outside what the kernel gives to connections, another range for each worker."""

import os
import socket
from itertools import cycle

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS_PER_WORKER = 2_000
_FIRST = 12_000 + _WORKER % 10 * _PORTS_PER_WORKER
_START = os.getpid() * 97 % _PORTS_PER_WORKER
"""Where this process begins, so that two test runs on one machine rarely try the same port."""

_PORTS = cycle(_FIRST + (_START + number) % _PORTS_PER_WORKER for number in range(_PORTS_PER_WORKER))


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
