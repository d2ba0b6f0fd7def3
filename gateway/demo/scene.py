"""Common parts of the story's scenes: noting steps, and waiting for what has to happen."""

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
    """What happened, and how many milliseconds after its cause: a request, or the publish of a reading."""

    name: str
    ms: float
    found: str


class Scene:
    """The steps so far, also of a story that fails."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def note(self, name: str, since: float, found: str, until: str | None = None) -> None:
        """Note a step that took from `since` (seconds since 1970) until now, or until a time of the API."""
        at = time.time() if until is None else seconds(until)
        self.steps.append(Step(name, round((at - since) * 1000, 1), found))

    def do(self, step: str, act: Callable[[], T]) -> T:
        """Make a request and return its result. Raises StoryFailed when it is refused."""
        try:
            return act()
        except VisitFailed as error:
            raise StoryFailed(f"{step}: {error}") from error

    def expect(self, step: str, find: Callable[[], Json | None]) -> Json:
        """Call `find` until it returns something, up to `WAIT_S`; a busy server may refuse requests meanwhile."""
        deadline = time.monotonic() + WAIT_S
        outcome: object = "nothing"
        while True:
            try:
                found = find()
            except VisitFailed as error:
                outcome, found = error, None
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise StoryFailed(f"{step}: {outcome} within {WAIT_S:.0f} s")
            time.sleep(0.05)

    def event(self, step: str, stream: EventStream, kind: str, unit: str) -> Json:
        """Wait for the next event of a kind about a unit on the person's stream."""
        event = stream.next(kind, unit, WAIT_S)
        if event is None:
            raise StoryFailed(f"{step}: no {kind} on the person's stream within {WAIT_S:.0f} s")
        return event

    def reached(self, owner: Visitor, notice: Json, since: float, phone: str, email: str, what: str = "notice") -> None:
        """Wait until the notice is delivered by push and by mail, and the catchers have it."""
        for channel, kind, to, step in (
            ("push", "push", phone, f"{what} in the push log"),
            ("email", "mail", email, f"{what} in the mailbox"),
        ):
            delivery = self.expect(step, partial(_delivery, owner, notice["id"], channel))
            if delivery["status"] != "delivered":
                raise StoryFailed(f"{step}: {delivery['status']}: {delivery['reason']}")
            message = self.expect(step, partial(caught, owner, kind, to, re.compile(re.escape(notice["title"]))))
            title = message["subject" if kind == "mail" else "title"]
            self.note(step, since, f"{delivery['reason']}: {title}", delivery["at"])


def caught(visitor: Visitor, kind: str, to: str, says: re.Pattern[str]) -> Json | None:
    """The newest caught mail or push to an address whose text matches."""
    for item in visitor.get("/demo/outbox.json", kind=kind)["items"]:
        if to in item["to"] and says.search(item["text"] if kind == "mail" else item["title"]):
            return dict(item)
    return None


def seconds(moment: str) -> float:
    """Converts a time of the API to seconds since 1970."""
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()


def _delivery(owner: Visitor, notice_id: str, channel: str) -> Json | None:
    """The delivery of a notice on a channel, once it was sent or failed; None before."""
    for delivery in owner.get(f"/api/my/notices/{notice_id}")["deliveries"]:
        if delivery["channel"] == channel and delivery["status"] not in {"waiting", "claimed"}:
            return dict(delivery)
    return None
