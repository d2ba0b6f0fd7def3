"""The story: an owner signs up and registers a heat pump; it fails, all their channels get a notice; it recovers.

Meanwhile support acknowledges the alarm (support.py). Then its lot is recalled (recall.py).
"""

import re
import secrets
import subprocess
import time

from gateway.demo.installation import Installation, program
from gateway.demo.recall import play_recall
from gateway.demo.scene import WAIT_S, Scene, StoryFailed, caught, seconds
from gateway.demo.support import play_support
from gateway.demo.units import Plate, free_unit
from gateway.demo.visitor import EventStream, Json, Visitor

PRODUCT = "hp-90"
FAULT = "pressure-loss"
NAME = "Nora Keller"
EMAIL = "nora.keller@example.org"
_CODE = re.compile(r"\b\d{4}[ -]?\d{4}\b")


class Story(Scene):
    """The demo's story, which can be played once."""

    def play(self, running: Installation) -> None:
        """Play against a running demo. Raises StoryFailed at the first step that does not happen."""
        since = time.time()
        running.wait_until_ready()
        self.note("ready", since, "pages, ingest, worker and catchers answer")
        plate = free_unit(running.database_url, running.data, PRODUCT)
        if plate is None:
            raise StoryFailed(f"register a unit: every {PRODUCT} has an owner")
        running.start_fleet("--every", "1s", "--only", plate.key, "--only", "ac-24/*")
        owner = Visitor(running.http_url)
        self._sign_up(owner)
        phone = self._register_phone(owner)
        unit = self._register_unit(owner, plate)
        with self.do("open the stream", lambda: EventStream(owner, "/api/my/stream", WAIT_S)) as stream:
            self._fault(running, plate, FAULT, "--for", "10m")
            notice = self._expect_notice(owner, stream, unit, phone)
            self._fault(running, plate, "--end")
            play_support(self, running, unit)  # while the pressure comes back
            self._expect_all_clear(owner, stream, unit, notice)
            play_recall(self, running, owner, stream, unit, (phone, EMAIL))

    # -- An owner comes ------------------------------------------------------------------------------------------

    def _sign_up(self, owner: Visitor) -> None:
        since = time.time()
        sign_up = {"name": NAME, "email": EMAIL, "password": secrets.token_urlsafe(16)}
        sign_up_answer = self.do("sign up", lambda: owner.post("/api/sign-up", sign_up))
        self.note("sign up", since, f"{EMAIL} gets a code, good for {sign_up_answer['minutes']} minutes")
        mail = self.expect("code in the mailbox", lambda: caught(owner, "mail", EMAIL, _CODE))
        self.note("code in the mailbox", since, f"from {mail['sender']}")
        code = _CODE.findall(mail["text"])[0]
        since = time.time()
        me = self.do("confirm", lambda: owner.post("/api/confirm", {"email": EMAIL, "code": code}))
        self.note("confirm", since, f"{me['name']} is signed in as {me['role']}")

    def _register_phone(self, owner: Visitor) -> str:
        since = time.time()
        token = f"phone-of-nora-{secrets.token_hex(8)}"
        phone = self.do(
            "register a phone", lambda: owner.post("/api/my/push-tokens", {"value": token, "platform": "android"})
        )
        self.note("register a phone", since, phone["platform"])
        return token

    def _register_unit(self, owner: Visitor, plate: Plate) -> str:
        since = time.time()
        claim = {"serial": plate.serial, "code": plate.code}
        unit = self.do("register a unit", lambda: owner.post("/api/my/units", claim))
        self.note("register a unit", since, f"{unit['product']['model']} {unit['serial']}")
        unit = self.expect("readings arrive", lambda: _reporting(owner, unit["id"]))
        first = unit["readings"][0]
        description = f"{first['title']} {first['value']} {first['unit']}, {unit['connection']}"
        self.note("readings arrive", seconds(first["at"]), description)
        return str(unit["id"])

    # -- It fails, and the owner is told -------------------------------------------------------------------------------

    def _expect_notice(self, owner: Visitor, stream: EventStream, unit: str, phone: str) -> str:
        """Wait for the notice on every channel. Returns its id."""
        raised = self.event("alarm", stream, "alarm.raised", unit)
        raised_at = seconds(raised["data"]["raised_at"])
        self.note("alarm", raised_at, raised["data"]["title"])
        notice_event = self.event("notice on the stream", stream, "notice.told", unit)
        title = notice_event["data"]["title"]
        self.note("notice on the stream", raised_at, title)
        notice = self.expect("notice in the feed", lambda: _notice(owner, notice_event["data"]["notice"], "open"))
        self.note("notice in the feed", raised_at, notice["why"]["sentence"])
        self.reached(owner, notice, raised_at, phone, EMAIL)
        return str(notice["id"])

    # -- It ends ---------------------------------------------------------------------------------------------------

    def _expect_all_clear(self, owner: Visitor, stream: EventStream, unit: str, notice_id: str) -> None:
        cleared = self.event("alarm cleared", stream, "alarm.cleared", unit)
        cleared_at = seconds(cleared["data"]["cleared_at"])
        self.note("alarm cleared", cleared_at, f"at {cleared['data']['value']:.2f}")
        resolved = self.event("notice says so on the stream", stream, "notice.resolved", unit)
        self.note("notice says so on the stream", cleared_at, resolved["data"]["title"])
        notice = self.expect("resolved in the feed", lambda: _notice(owner, notice_id, "resolved"))
        self.note("resolved in the feed", cleared_at, f"back to normal at {notice['why']['cleared_at']}")

    # -- Helpers ---------------------------------------------------------------------------------------------------

    def _fault(self, running: Installation, plate: Plate, *options: str) -> None:
        command = [str(program("device-sim")), "fault", "--control", str(running.control), plate.key, *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise StoryFailed(f"fault: {result.stderr.strip()}")


def _reporting(owner: Visitor, unit_id: str) -> Json | None:
    unit = owner.get(f"/api/my/units/{unit_id}")
    values = [reading["value"] for reading in unit["readings"]]
    return unit if values and None not in values else None


def _notice(owner: Visitor, notice_id: str, state: str) -> Json | None:
    for notice in owner.get("/api/my/feed", limit=50)["notices"]:
        if notice["id"] == notice_id and notice["state"] == state:
            return dict(notice)
    return None
