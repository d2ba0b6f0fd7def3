"""Takes and records service mail (codes, invitations). After a crash a letter may be sent twice rather than never."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.accounts.letters import LETTER
from gateway.core.reason import Reason
from gateway.notify.model import Answer, Delivered, Retry, Unknown
from gateway.notify.repository import queries
from gateway.notify.send.verdict import Limits, pause
from gateway.store import Connection, Row


@dataclass(frozen=True, slots=True)
class Letters:
    """Takes letters, and records the answers to them; every method runs in the caller's transaction."""

    limits: Limits
    lease: timedelta
    """How long a taken letter belongs to one worker."""
    dice: Callable[[], float]

    def take(self, tx: Connection, now: datetime, limit: int) -> list[Row]:
        """Returns letters that are due; for `lease` no other worker takes them."""
        parameters = {"now": now, "lease": now + self.lease, "limit": limit}
        rows = tx.execute(queries.letters_due, parameters)
        return [row | {"data": LETTER.read(row["data"], row["schema"])} for row in rows]

    def record(self, tx: Connection, letter: Row, answer: Answer, now: datetime) -> None:
        """Store how a letter ended, and remove its values; or store when it is tried again."""
        is_open = isinstance(answer, Retry | Unknown)
        if is_open and letter["attempts"] < self.limits.attempts:
            least_wait = answer.after if isinstance(answer, Retry) else None
            due_at = now + pause(letter["attempts"], self.limits, least_wait, self.dice())
            reason = answer.reason if isinstance(answer, Retry) else Reason.of("letter-again", reason=answer.reason)
            tx.execute(queries.letter_later, {"id": letter["id"], "due_at": due_at, "reason": reason})
            return
        status = "sent" if isinstance(answer, Delivered) else "failed"
        parameters = {"id": letter["id"], "status": status, "reason": answer.reason, "now": now}
        tx.execute(queries.finish_letter, parameters)
