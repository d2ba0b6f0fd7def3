"""Service mail (codes, invitations) is drained here. Twice is better than never: it may come again after a crash."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.accounts.letters import LETTER
from gateway.notify.model import Answer, Delivered, Failed, Retry, Unknown
from gateway.notify.repository import queries
from gateway.notify.send.verdict import Limits, pause
from gateway.store import Connection, Row

_REASON = "the outcome is unknown, and a letter is sent again then: "


@dataclass(frozen=True, slots=True)
class Letters:
    """Takes letters, and records what came of them; every method runs in the caller's transaction."""

    limits: Limits
    lease: timedelta
    """How long a letter that was taken belongs to one worker."""
    dice: Callable[[], float]

    def take(self, tx: Connection, now: datetime, limit: int) -> list[Row]:
        """Letters that are due, ours for a while."""
        due = {"now": now, "lease": now + self.lease, "limit": limit}
        rows = tx.execute(queries.letters_due, due)
        return [row | {"data": LETTER.read(row["data"], row["schema"])} for row in rows]

    def record(self, tx: Connection, letter: Row, answer: Answer, now: datetime) -> None:
        """Note how it ended, and forget what stood in it; or when it is tried again."""
        again = isinstance(answer, Retry | Unknown)
        if again and letter["attempts"] < self.limits.attempts:
            asked = answer.after if isinstance(answer, Retry) else None
            due_at = now + pause(letter["attempts"], self.limits, asked, self.dice())
            reason = answer.reason if isinstance(answer, Retry) else _REASON + answer.reason
            tx.execute(queries.letter_later, {"id": letter["id"], "due_at": due_at, "reason": reason})
            return
        status = "sent" if isinstance(answer, Delivered) else "failed"
        ended = {"id": letter["id"], "status": status, "reason": answer.reason, "now": now}
        tx.execute(queries.finish_letter, ended)


def unwritten(template: str) -> Failed:
    """What becomes of a letter that has no words."""
    return Failed(f"there is no letter named {template}")
