"""The story's second part: a product manager recalls a lot, another one approves, the owner is told and confirms."""

import re
import time

from gateway.demo.installation import Installation
from gateway.demo.people import GARDEN, HEATING, Person
from gateway.demo.scene import Scene, StoryFailed, caught
from gateway.demo.visitor import EventStream, Json, Visitor

_CONTENT: Json = {
    "kind": "recall",
    "title": {"en": "Your heat pump may leak refrigerant", "de": "An Ihrer Wärmepumpe kann Kältemittel austreten"},
    "hazard": {"en": "The refrigerant is flammable.", "de": "Das Kältemittel ist brennbar."},
    "action": "unplug",
    "action_text": {"en": "Switch it off at the fuse.", "de": "Schalten Sie sie an der Sicherung aus."},
    "remedies": ["repair", "refund"],
    "remedy_text": {"en": "We repair it at your home.", "de": "Wir reparieren sie bei Ihnen zu Hause."},
    "contact": {"phone": "+49 800 0000000", "email": "recall@brenhold.example", "url": None},
}
_MANAGER = "nordlicht@example.org"
"""The owner of several units of the recalled lot, as in data/owners.csv."""
_MANAGED = ("HP90-23-014817", "HP90-23-025247", "HP90-23-027377", "HP90-23-028584")


def play_recall(
    scene: Scene, running: Installation, owner: Visitor, stream: EventStream, unit_id: str, addresses: tuple[str, str]
) -> None:
    """Recall the lot of the owner's unit; `addresses` are the owner's phone and e-mail address."""
    paula, pavel = (_sign_in(scene, running, who) for who in (HEATING, GARDEN))
    unit = scene.do("recall drafted", lambda: owner.get(f"/api/my/units/{unit_id}"))
    since = time.time()
    draft = _draft(scene, paula, unit)
    count = draft["count"]
    description = f"{draft['number']}: lot {unit['lot']}, {count['units']} units, {count['registered']} registered"
    scene.note("recall drafted", since, description)
    approved_at = time.time()
    approval = {"units": count["units"], "version": draft["version"]}
    published = scene.do("recall approved", lambda: pavel.post(f"/api/campaigns/{draft['id']}/approve", approval))
    scene.note("recall approved", approved_at, f"by {published['approved_by']}, for {published['units']} units")
    notice_event = scene.event("recall on the stream", stream, "notice.told", unit_id)
    scene.note("recall on the stream", approved_at, f"notice {notice_event['data']['notice']}")
    notice = scene.expect("recall pinned", lambda: _pinned(owner, notice_event["data"]["notice"]))
    scene.note("recall pinned", approved_at, f"{notice['campaign']['hazard']} {notice['action']}")
    phone, email = addresses
    scene.reached(owner, notice, approved_at, phone, email, "recall")
    _one_message(scene, owner, notice["title"], approved_at)
    since = time.time()
    acknowledged = scene.do(
        "recall acknowledged", lambda: owner.post(f"/api/my/notices/{notice['id']}/acknowledge", {})
    )
    scene.note("recall acknowledged", since, f"at {acknowledged['acknowledged_at']}")
    progress = scene.expect("recall counted", lambda: _counted(paula, draft["id"]))
    counts = ", ".join(f"{progress[name]} {name}" for name in ("units", "notified", "seen", "acknowledged"))
    scene.note("recall counted", since, counts)


def _one_message(scene: Scene, visitor: Visitor, title: str, since: float) -> None:
    """The owner of several units gets one mail of the recall, which names them all."""
    step = "one mail, all units"
    mail = scene.expect(step, lambda: caught(visitor, "mail", _MANAGER, re.compile(re.escape(title))))
    missing = [serial for serial in _MANAGED if serial not in mail["text"]]
    if missing:
        raise StoryFailed(f"{step}: it does not name {', '.join(missing)}")
    scene.note(step, since, f"{len(_MANAGED)} heat pumps of {_MANAGER}: {mail['subject']}")


def _sign_in(scene: Scene, running: Installation, person: Person) -> Visitor:
    return scene.do("sign in", lambda: Visitor.sign_in(running.http_url, person.email, running.password))


def _draft(scene: Scene, author: Visitor, unit: Json) -> Json:
    body = {
        "product": unit["product"]["code"],
        "content": _CONTENT,
        "audience": {"by": "lots", "lots": [unit["lot"]]},
        "supersedes": None,
    }
    draft = scene.do("recall drafted", lambda: author.post("/api/campaigns", body))
    if draft["checks"] or draft["may_approve"]:
        raise StoryFailed(f"recall drafted: {draft['checks']}, and its author may approve it: {draft['may_approve']}")
    return draft


def _pinned(owner: Visitor, notice_id: str) -> Json | None:
    return next((dict(notice) for notice in owner.get("/api/my/feed")["pinned"] if notice["id"] == notice_id), None)


def _counted(author: Visitor, campaign_id: str) -> Json | None:
    """The campaign's progress, once it counts the acknowledgement."""
    progress: Json = author.get(f"/api/campaigns/{campaign_id}")["progress"]
    return progress if progress["acknowledged"] and progress["notified"] else None
