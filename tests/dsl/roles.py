"""The roles as processes, as an operator runs them."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from prometheus_client.parser import text_string_to_metric_families

from gateway.roles.process import spawn
from tests.dsl.people import session
from tests.dsl.ports import free_port
from tests.dsl.wait import until

ROLES = ("ingest", "worker", "api")


class Roles:
    """Start, kill and stop each role; ask the API."""

    def __init__(self, url: str, mqtt_port: int, folder: Path, **settings: Any) -> None:
        self.http_port = free_port()
        self._url = url
        self._cookie: dict[str, str] = {}
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = os.environ | {
            "GATEWAY_DATABASE_URL": url,
            "GATEWAY_MQTT_URL": f"mqtt://127.0.0.1:{mqtt_port}",
            "GATEWAY_HTTP_PORT": str(self.http_port),
            **{f"GATEWAY_METRICS_PORT_{role.upper()}": "0" for role in ROLES},
            **{f"GATEWAY_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def start(self, *roles: str) -> None:
        for role in roles:
            with (self._folder / f"{role}.log").open("ab") as log:
                self._processes[role] = spawn(
                    [sys.executable, "-m", "gateway", "serve", "--role", role],
                    death_signal=signal.SIGKILL,
                    env=self.env,
                    stdout=log,
                )

    def kill(self, role: str) -> None:
        """kill -9."""
        self._processes[role].kill()
        self._processes[role].wait(10)

    def kill_all(self) -> None:
        for role in self._processes:
            self.kill(role)

    def stop(self, role: str) -> int:
        """SIGTERM, as a supervisor does. Returns the exit code."""
        self._processes[role].send_signal(signal.SIGTERM)
        return self._processes[role].wait(15)

    def peak_mb(self, role: str) -> float:
        """The most memory that its process had so far."""
        status = Path(f"/proc/{self._processes[role].pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kilobytes) / 1024

    def ended(self) -> list[str]:
        """The roles whose process is over."""
        return [role for role, process in self._processes.items() if process.poll() is not None]

    def log(self, role: str) -> str:
        return (self._folder / f"{role}.log").read_text()

    @property
    def cookie(self) -> dict[str, str]:
        """The header with which somebody of the support is signed in."""
        if not self._cookie:
            self._cookie = {"Cookie": f"session={session(self._url)}"}
        return self._cookie

    def get(self, path: str) -> Any:
        """Returns the API's response to a GET by the support."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", headers=self.cookie)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def readiness(self) -> tuple[int, Any]:
        """Status and body of /readyz."""
        try:
            return 200, self.get("/readyz")
        except HTTPError as error:
            return error.code, json.load(error)

    def wait_until_ready(self, within: float = 30) -> None:
        def ready() -> bool:
            try:
                return self.readiness()[0] == 200
            except OSError:
                return False

        until(ready, within=within, what="the roles are ready")

    @contextmanager
    def stream(self, last_event_id: str | None = None) -> Iterator["Stream"]:
        """An open event stream of the support."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        connection.request(
            "GET",
            "/api/stream",
            headers=self.cookie | ({"Last-Event-ID": last_event_id} if last_event_id is not None else {}),
        )
        answer = connection.getresponse()
        assert answer.status == 200
        try:
            yield Stream(answer)
        finally:
            connection.close()


class Stream:
    """The events of a stream, one by one."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        assert answer.readline().startswith(b":")  # open

    def next(self, *kinds: str) -> dict[str, Any]:
        """The next event of these kinds (of any without them); fails when the stream ends first, or after a minute."""
        kind = ""
        until = time.monotonic() + 60
        while line := self._answer.readline():
            assert time.monotonic() < until, f"none of {kinds} came within a minute"
            if line.startswith(b"event: "):
                kind = line[7:].strip().decode()
            if line.startswith(b"data: ") and (not kinds or kind in kinds):
                return {"kind": kind} | json.loads(line[6:])
        raise AssertionError(f"the stream ended before any of {kinds}")

    def at_end(self) -> bool:
        """Whether the server closed it."""
        return self._answer.readline() in {b"", b"\n"} and self._answer.read() == b""


def metrics(port: int) -> dict[tuple[str, ...], float]:
    """Returns the samples of a role's /metrics by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def running_roles(url: str, mqtt_port: int, folder: Path, *only: str, **settings: Any) -> Iterator[Roles]:
    """The roles, ready; all of them unless some are named."""
    roles = Roles(url, mqtt_port, folder, **settings)
    roles.start(*(only or ROLES))
    try:
        if not only:
            roles.wait_until_ready()
        yield roles
    finally:
        roles.kill_all()
