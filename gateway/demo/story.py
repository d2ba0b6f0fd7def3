"""The story: somebody signs up and registers a heat pump; it fails, he is told everywhere he wanted, and it ends."""

import re
import secrets
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from gateway.demo.installation import Installation, program
from gateway.demo.units import Plate, free_unit
from gateway.demo.visitor import EventStream, Json, VisitFailed, Visitor

PRODUCT = "hp-90"
FAULT = "pressure-loss"
NAME = "Nora Keller"
EMAIL = "nora.keller@example.org"
_WAIT_S = 25.0
_CODE = re.compile(r"\b\d{4}[ -]?\d{4}\b")

T = TypeVar("T")


class StoryFailed(Exception):
    """A step did not happen; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, and how many milliseconds after what decided it: a request, or the publish of a reading."""

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
        self._note("ready", begun, "pages, ingest, worker and catchers answer")
        plate = free_unit(running.database_url, running.data, PRODUCT)
        if plate is None:
            raise StoryFailed(f"register a unit: every {PRODUCT} has an owner")
        running.start_fleet("--every", "1s", "--only", plate.key, "--only", "ac-24/*")
        owner = Visitor(running.http_url)
        self._sign_up(owner)
        phone = self._register_phone(owner)
        unit = self._register_unit(owner, plate)
        with self._do("open the stream", lambda: EventStream(owner, "/api/my/stream", _WAIT_S)) as stream:
            self._fault(running, plate, FAULT, "--for", "10m")
            notice = self._told(owner, stream, unit, phone)
            self._fault(running, plate, "--end")
            self._calmed(owner, stream, unit, notice)

    # -- He comes --------------------------------------------------------------------------------------------------

    def _sign_up(self, owner: Visitor) -> None:
        begun = time.time()
        wanted = {"name": NAME, "email": EMAIL, "password": secrets.token_urlsafe(16)}
        sent = self._do("sign up", lambda: owner.post("/api/sign-up", wanted))
        self._note("sign up", begun, f"{EMAIL} gets a code, good for {sent['minutes']} minutes")
        mail = self._expect("code in the mailbox", lambda: _caught(owner, "mail", EMAIL, _CODE))
        self._note("code in the mailbox", begun, f"from {mail['sender']}")
        code = _CODE.findall(mail["text"])[0]
        begun = time.time()
        me = self._do("confirm", lambda: owner.post("/api/confirm", {"email": EMAIL, "code": code}))
        self._note("confirm", begun, f"{me['name']} is signed in as {me['role']}")

    def _register_phone(self, owner: Visitor) -> str:
        begun = time.time()
        token = f"phone-of-nora-{secrets.token_hex(8)}"
        phone = self._do(
            "register a phone", lambda: owner.post("/api/my/push-tokens", {"value": token, "platform": "android"})
        )
        self._note("register a phone", begun, phone["platform"])
        return token

    def _register_unit(self, owner: Visitor, plate: Plate) -> str:
        begun = time.time()
        claim = {"serial": plate.serial, "code": plate.code}
        unit = self._do("register a unit", lambda: owner.post("/api/my/units", claim))
        self._note("register a unit", begun, f"{unit['product']['model']} {unit['serial']}")
        unit = self._expect("readings arrive", lambda: _reporting(owner, unit["id"]))
        first = unit["readings"][0]
        found = f"{first['title']} {first['value']} {first['unit']}, {unit['connection']}"
        self._note("readings arrive", _seconds(first["at"]), found)
        return str(unit["id"])

    # -- It fails, and he is told ----------------------------------------------------------------------------------

    def _told(self, owner: Visitor, stream: EventStream, unit: str, phone: str) -> str:
        """The notice comes everywhere; answers its id."""
        raised = self._event("alarm", stream, "alarm.raised", unit)
        decisive = _seconds(raised["data"]["raised_at"])
        self._note("alarm", decisive, raised["data"]["title"])
        told = self._event("notice on the stream", stream, "notice.told", unit)
        title = told["data"]["title"]
        self._note("notice on the stream", decisive, title)
        notice = self._expect("notice in the feed", lambda: _notice(owner, told["data"]["notice"], "open"))
        self._note("notice in the feed", decisive, notice["why"]["sentence"])
        for channel, kind, to, step in (
            ("push", "push", phone, "notice in the push log"),
            ("email", "mail", EMAIL, "notice in the mailbox"),
        ):
            sent = self._sent(step, owner, notice["id"], channel)
            caught = self._expect(step, partial(_caught, owner, kind, to, re.compile(re.escape(title))))
            self._note(
                step, decisive, f"{sent['reason']}: {caught['subject' if kind == 'mail' else 'title']}", sent["at"]
            )
        return str(notice["id"])

    def _sent(self, step: str, owner: Visitor, notice_id: str, channel: str) -> Json:
        """The delivery on a channel, when the provider has confirmed it."""
        sent = self._expect(step, partial(_delivery, owner, notice_id, channel))
        if sent["status"] != "delivered":
            raise StoryFailed(f"{step}: {sent['status']}: {sent['reason']}")
        return sent

    # -- It ends ---------------------------------------------------------------------------------------------------

    def _calmed(self, owner: Visitor, stream: EventStream, unit: str, notice_id: str) -> None:
        cleared = self._event("alarm cleared", stream, "alarm.cleared", unit)
        calm = _seconds(cleared["data"]["cleared_at"])
        self._note("alarm cleared", calm, f"at {cleared['data']['value']:.2f}")
        resolved = self._event("notice says so on the stream", stream, "notice.resolved", unit)
        self._note("notice says so on the stream", calm, resolved["data"]["title"])
        notice = self._expect("resolved in the feed", lambda: _notice(owner, notice_id, "resolved"))
        self._note("resolved in the feed", calm, f"back to normal at {notice['why']['cleared_at']}")

    # -- Helpers ---------------------------------------------------------------------------------------------------

    def _note(self, name: str, since: float, found: str, until: str | None = None) -> None:
        at = time.time() if until is None else _seconds(until)
        self.steps.append(Step(name, round((at - since) * 1000, 1), found))

    def _do(self, step: str, act: Callable[[], T]) -> T:
        try:
            return act()
        except VisitFailed as error:
            raise StoryFailed(f"{step}: {error}") from error

    def _expect(self, step: str, find: Callable[[], Json | None]) -> Json:
        """What `find` finds, sooner or later; a machine that is short of breath may refuse in between."""
        deadline = time.monotonic() + _WAIT_S
        last: object = "nothing"
        while True:
            try:
                found = find()
            except VisitFailed as error:
                last, found = error, None
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise StoryFailed(f"{step}: {last} within {_WAIT_S:.0f} s")
            time.sleep(0.05)

    def _event(self, step: str, stream: EventStream, kind: str, unit: str) -> Json:
        found = stream.next(kind, unit, _WAIT_S)
        if found is None:
            raise StoryFailed(f"{step}: no {kind} on the person's stream within {_WAIT_S:.0f} s")
        return found

    def _fault(self, running: Installation, plate: Plate, *how: str) -> None:
        command = [str(program("device-sim")), "fault", "--control", str(running.control), plate.key, *how]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StoryFailed(f"fault: {done.stderr.strip()}")


def _caught(visitor: Visitor, kind: str, to: str, says: re.Pattern[str]) -> Json | None:
    """The newest mail or push to an address in which something stands, from the list of what the demo caught."""
    for item in visitor.get("/demo/outbox.json", kind=kind)["items"]:
        if to in item["to"] and says.search(item["text"] if kind == "mail" else item["title"]):
            return dict(item)
    return None


def _reporting(owner: Visitor, unit_id: str) -> Json | None:
    unit = owner.get(f"/api/my/units/{unit_id}")
    values = [reading["value"] for reading in unit["readings"]]
    return unit if values and None not in values else None


def _notice(owner: Visitor, notice_id: str, state: str) -> Json | None:
    for notice in owner.get("/api/my/feed", limit=50)["notices"]:
        if notice["id"] == notice_id and notice["state"] == state:
            return dict(notice)
    return None


def _delivery(owner: Visitor, notice_id: str, channel: str) -> Json | None:
    """How a notice was sent on a channel, as soon as that is decided."""
    for sent in owner.get(f"/api/my/notices/{notice_id}")["deliveries"]:
        if sent["channel"] == channel and sent["status"] not in {"waiting", "claimed"}:
            return dict(sent)
    return None


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()
