"""The story: somebody signs up and registers a heat pump; it fails, they are told everywhere they wanted, and it ends.

Then its lot is recalled (recall.py).
"""

import re
import secrets
import subprocess
import time

from gateway.demo.installation import Installation, program
from gateway.demo.recall import play_recall
from gateway.demo.scene import WAIT_S, Scene, StoryFailed, caught, seconds
from gateway.demo.units import Plate, free_unit
from gateway.demo.visitor import EventStream, Json, Visitor

PRODUCT = "hp-90"
FAULT = "pressure-loss"
NAME = "Nora Keller"
EMAIL = "nora.keller@example.org"
_CODE = re.compile(r"\b\d{4}[ -]?\d{4}\b")


class Story(Scene):
    """Plays once."""

    def play(self, running: Installation) -> None:
        """Play against a running demo; raises StoryFailed at the first step that does not happen."""
        begun = time.time()
        running.wait_until_ready()
        self.note("ready", begun, "pages, ingest, worker and catchers answer")
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
            notice = self._told(owner, stream, unit, phone)
            self._fault(running, plate, "--end")
            self._calmed(owner, stream, unit, notice)
            play_recall(self, running, owner, stream, unit, (phone, EMAIL))

    # -- An owner comes ------------------------------------------------------------------------------------------

    def _sign_up(self, owner: Visitor) -> None:
        begun = time.time()
        wanted = {"name": NAME, "email": EMAIL, "password": secrets.token_urlsafe(16)}
        sent = self.do("sign up", lambda: owner.post("/api/sign-up", wanted))
        self.note("sign up", begun, f"{EMAIL} gets a code, good for {sent['minutes']} minutes")
        mail = self.expect("code in the mailbox", lambda: caught(owner, "mail", EMAIL, _CODE))
        self.note("code in the mailbox", begun, f"from {mail['sender']}")
        code = _CODE.findall(mail["text"])[0]
        begun = time.time()
        me = self.do("confirm", lambda: owner.post("/api/confirm", {"email": EMAIL, "code": code}))
        self.note("confirm", begun, f"{me['name']} is signed in as {me['role']}")

    def _register_phone(self, owner: Visitor) -> str:
        begun = time.time()
        token = f"phone-of-nora-{secrets.token_hex(8)}"
        phone = self.do(
            "register a phone", lambda: owner.post("/api/my/push-tokens", {"value": token, "platform": "android"})
        )
        self.note("register a phone", begun, phone["platform"])
        return token

    def _register_unit(self, owner: Visitor, plate: Plate) -> str:
        begun = time.time()
        claim = {"serial": plate.serial, "code": plate.code}
        unit = self.do("register a unit", lambda: owner.post("/api/my/units", claim))
        self.note("register a unit", begun, f"{unit['product']['model']} {unit['serial']}")
        unit = self.expect("readings arrive", lambda: _reporting(owner, unit["id"]))
        first = unit["readings"][0]
        found = f"{first['title']} {first['value']} {first['unit']}, {unit['connection']}"
        self.note("readings arrive", seconds(first["at"]), found)
        return str(unit["id"])

    # -- It fails, and the owner is told -------------------------------------------------------------------------------

    def _told(self, owner: Visitor, stream: EventStream, unit: str, phone: str) -> str:
        """The notice comes everywhere. Returns its id."""
        raised = self.event("alarm", stream, "alarm.raised", unit)
        decisive = seconds(raised["data"]["raised_at"])
        self.note("alarm", decisive, raised["data"]["title"])
        told = self.event("notice on the stream", stream, "notice.told", unit)
        title = told["data"]["title"]
        self.note("notice on the stream", decisive, title)
        notice = self.expect("notice in the feed", lambda: _notice(owner, told["data"]["notice"], "open"))
        self.note("notice in the feed", decisive, notice["why"]["sentence"])
        self.reached(owner, notice, decisive, phone, EMAIL)
        return str(notice["id"])

    # -- It ends ---------------------------------------------------------------------------------------------------

    def _calmed(self, owner: Visitor, stream: EventStream, unit: str, notice_id: str) -> None:
        cleared = self.event("alarm cleared", stream, "alarm.cleared", unit)
        calm = seconds(cleared["data"]["cleared_at"])
        self.note("alarm cleared", calm, f"at {cleared['data']['value']:.2f}")
        resolved = self.event("notice says so on the stream", stream, "notice.resolved", unit)
        self.note("notice says so on the stream", calm, resolved["data"]["title"])
        notice = self.expect("resolved in the feed", lambda: _notice(owner, notice_id, "resolved"))
        self.note("resolved in the feed", calm, f"back to normal at {notice['why']['cleared_at']}")

    # -- Helpers ---------------------------------------------------------------------------------------------------

    def _fault(self, running: Installation, plate: Plate, *how: str) -> None:
        command = [str(program("device-sim")), "fault", "--control", str(running.control), plate.key, *how]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StoryFailed(f"fault: {done.stderr.strip()}")


def _reporting(owner: Visitor, unit_id: str) -> Json | None:
    unit = owner.get(f"/api/my/units/{unit_id}")
    values = [reading["value"] for reading in unit["readings"]]
    return unit if values and None not in values else None


def _notice(owner: Visitor, notice_id: str, state: str) -> Json | None:
    for notice in owner.get("/api/my/feed", limit=50)["notices"]:
        if notice["id"] == notice_id and notice["state"] == state:
            return dict(notice)
    return None
