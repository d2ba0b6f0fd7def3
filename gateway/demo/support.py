"""The story's part of support: somebody acknowledges the alarm while it is on, and writes down what they found."""

import secrets
import time

from gateway.demo.installation import Installation
from gateway.demo.people import SUPPORT
from gateway.demo.scene import Scene
from gateway.demo.visitor import Json, Visitor

_FOUND = "Called the owner: the water pressure is back."


def play_support(scene: Scene, running: Installation, unit: str) -> None:
    """Acknowledge the unit's newest alarm and comment on it; that it clears meanwhile is no hindrance."""
    since = time.time()
    sam = scene.do("support", lambda: Visitor.sign_in(running.http_url, SUPPORT.email, running.password))
    alarm = scene.expect("alarm acknowledged", lambda: _acknowledged(sam, unit))
    scene.note("alarm acknowledged", since, f"by {alarm['acknowledged_by']}")
    since = time.time()
    comment = {"act": "comment", "key": secrets.token_hex(8), "text": _FOUND}
    record = scene.do("alarm commented", lambda: sam.post(f"/api/alarms/{alarm['id']}/acts", comment))
    scene.note("alarm commented", since, f"{record['acts'][-1]['text']} It is {record['standing']}.")


def _acknowledged(sam: Visitor, unit: str) -> Json | None:
    """The unit's newest alarm, acknowledged on the revision that was seen; of one that changed meanwhile None."""
    alarms = sam.get("/api/alarms", unit=unit, sort="newest", limit=1)["alarms"]
    if not alarms:
        return None
    act = {"act": "acknowledge", "key": secrets.token_hex(8), "revision": alarms[0]["revision"]}
    return sam.post(f"/api/alarms/{alarms[0]['id']}/acts", act)
