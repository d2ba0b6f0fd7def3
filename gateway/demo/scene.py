"""What every scene of the demo's story needs: steps that are noted, and waiting for what has to come."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from gateway.demo.visitor import EventStream, Json, VisitFailed, Visitor

WAIT_S = 25.0

T = TypeVar("T")


class StoryFailed(Exception):
    """A step did not happen; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, and how many milliseconds after what decided it: a request, or the publish of a reading."""

    name: str
    ms: float
    found: str


class Scene:
    """Steps so far, which can be read also when the story fails."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def note(self, name: str, since: float, found: str, until: str | None = None) -> None:
        """Note a step that took from `since` (seconds since 1970) until now, or until a moment."""
        at = time.time() if until is None else seconds(until)
        self.steps.append(Step(name, round((at - since) * 1000, 1), found))

    def do(self, step: str, act: Callable[[], T]) -> T:
        """What a request returns; raises StoryFailed when it is refused."""
        try:
            return act()
        except VisitFailed as error:
            raise StoryFailed(f"{step}: {error}") from error

    def expect(self, step: str, find: Callable[[], Json | None]) -> Json:
        """What `find` finds, sooner or later; a machine that is short of breath may refuse in between."""
        deadline = time.monotonic() + WAIT_S
        last: object = "nothing"
        while True:
            try:
                found = find()
            except VisitFailed as error:
                last, found = error, None
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise StoryFailed(f"{step}: {last} within {WAIT_S:.0f} s")
            time.sleep(0.05)

    def event(self, step: str, stream: EventStream, kind: str, unit: str) -> Json:
        """The next event of a kind about a unit on the person's stream."""
        found = stream.next(kind, unit, WAIT_S)
        if found is None:
            raise StoryFailed(f"{step}: no {kind} on the person's stream within {WAIT_S:.0f} s")
        return found

    def reached(
        self, owner: Visitor, notice: Json, decisive: float, phone: str, email: str, what: str = "notice"
    ) -> None:
        """The notice was delivered by push and by mail, and the catchers have it."""
        for channel, kind, to, step in (
            ("push", "push", phone, f"{what} in the push log"),
            ("email", "mail", email, f"{what} in the mailbox"),
        ):
            sent = self.expect(step, partial(_delivery, owner, notice["id"], channel))
            if sent["status"] != "delivered":
                raise StoryFailed(f"{step}: {sent['status']}: {sent['reason']}")
            said = self.expect(step, partial(caught, owner, kind, to, re.compile(re.escape(notice["title"]))))
            title = said["subject" if kind == "mail" else "title"]
            self.note(step, decisive, f"{sent['reason']}: {title}", sent["at"])


def caught(visitor: Visitor, kind: str, to: str, says: re.Pattern[str]) -> Json | None:
    """The newest mail or push to an address in which something stands, from the list of what the demo caught."""
    for item in visitor.get("/demo/outbox.json", kind=kind)["items"]:
        if to in item["to"] and says.search(item["text"] if kind == "mail" else item["title"]):
            return dict(item)
    return None


def seconds(moment: str) -> float:
    """Seconds since 1970 of a moment as the API writes it."""
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()


def _delivery(owner: Visitor, notice_id: str, channel: str) -> Json | None:
    """How a notice was sent on a channel, as soon as that is decided."""
    for sent in owner.get(f"/api/my/notices/{notice_id}")["deliveries"]:
        if sent["channel"] == channel and sent["status"] not in {"waiting", "claimed"}:
            return dict(sent)
    return None
