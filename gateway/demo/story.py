"""The story: readings arrive, a fault begins, an alarm becomes a notice, the fault ends, the notice says so."""

import http.client
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from gateway.demo.installation import Installation, program

UNIT = "hp-90/HP90-25-095247"
FAULT = "pressure-loss"
_WAIT_S = 25.0

Json = dict[str, Any]


class StoryFailed(Exception):
    """A step did not happen; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, and how many milliseconds after the publish of the reading that decided it."""

    name: str
    ms: float
    found: str


class Story:
    """Plays once; the steps so far can be read also when it fails."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def play(self, running: Installation) -> None:
        """Play against a running demo; raises StoryFailed at the first step that does not happen."""
        begun = time.time()
        running.wait_until_ready()
        self._note("ready", begun, "pages, ingest and worker answer")
        serial = UNIT.partition("/")[2]
        running.start_fleet("--every", "1s", "--only", UNIT, "--only", "ac-24/*")
        unit = self._expect("readings arrive", lambda: _reporting(running.http_url, serial))
        first = unit["readings"][0]
        self._note("readings arrive", _seconds(first["at"]), f"{first['title']} {first['value']} {first['unit']}")

        with EventStream(running.http_url) as stream:
            self._fault(running, FAULT, "--for", "10m")
            raised = self._event(stream, "alarm.raised", unit["id"])
            decisive = _seconds(raised["data"]["raised_at"])
            self._note("alarm", decisive, raised["data"]["title"])
            told = self._event(stream, "notice.told", unit["id"])
            self._note("notice on the event stream", decisive, told["data"]["title"])
            notice = self._expect(
                "notice in the feed", lambda: _notice(running.http_url, told["data"]["notice"], "open")
            )
            self._note("notice in the feed", decisive, f"{notice['person']}: {notice['why']['sentence']}")

            self._fault(running, "--end")
            cleared = self._event(stream, "alarm.cleared", unit["id"])
            calm = _seconds(cleared["data"]["cleared_at"])
            self._note("alarm cleared", calm, f"at {cleared['data']['value']:.2f}")
            resolved = self._event(stream, "notice.resolved", unit["id"])
            self._note("notice says so on the stream", calm, resolved["data"]["title"])
            notice = self._expect(
                "resolved in the feed", lambda: _notice(running.http_url, resolved["data"]["notice"], "resolved")
            )
            self._note("resolved in the feed", calm, f"back to normal at {notice['why']['cleared_at']}")

    def _note(self, name: str, since: float, found: str) -> None:
        self.steps.append(Step(name, round((time.time() - since) * 1000, 1), found))

    def _expect(self, step: str, find: Callable[[], Json | None]) -> Json:
        deadline = time.monotonic() + _WAIT_S
        while (found := find()) is None:
            if time.monotonic() > deadline:
                raise StoryFailed(f"{step}: nothing within {_WAIT_S:.0f} s")
            time.sleep(0.02)
        return found

    def _event(self, stream: "EventStream", kind: str, unit: str) -> Json:
        found = stream.next(kind, unit, _WAIT_S)
        if found is None:
            raise StoryFailed(f"{kind}: no such event on the stream within {_WAIT_S:.0f} s")
        return found

    def _fault(self, running: Installation, *how: str) -> None:
        command = [str(program("device-sim")), "fault", "--control", str(running.control), UNIT, *how]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StoryFailed(f"fault: {done.stderr.strip()}")


class EventStream:
    """An open event stream, read line by line."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_WAIT_S)

    def __enter__(self) -> Self:
        self._connection.request("GET", "/api/stream")
        self._lines = self._connection.getresponse()
        self._lines.readline()  # the comment that says that it is open
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def next(self, kind: str, unit: str, within_s: float) -> Json | None:
        """The next event of a kind about a unit; None if it does not come in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                line = self._lines.readline()
            except TimeoutError:
                return None
            if line.startswith(b"data: "):
                event: Json = json.loads(line[6:])
                if event.get("kind") == kind and event.get("unit") == unit:
                    return event
        return None


def _reporting(url: str, serial: str) -> Json | None:
    for unit in _get(url, "/api/units", limit=500)["units"]:
        if unit["serial"] == serial and unit["readings"] and all(r["value"] is not None for r in unit["readings"]):
            return dict(unit)
    return None


def _notice(url: str, notice_id: str, state: str) -> Json | None:
    for notice in _get(url, "/api/feed", limit=50)["notices"]:
        if notice["id"] == notice_id and notice["state"] == state:
            return dict(notice)
    return None


def _get(url: str, path: str, **query: object) -> Json:
    with urllib.request.urlopen(f"{url}{path}?{urlencode(query)}", timeout=5) as answer:  # noqa: S310 - our own address
        found: Json = json.load(answer)
        return found


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()
