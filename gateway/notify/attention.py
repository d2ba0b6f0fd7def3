"""What a person does with a notice: it ends the waiting for an answer, and shows where the person looks."""

from datetime import datetime

from gateway.events import append
from gateway.notify import addresses
from gateway.notify.repository import of_campaign, queries
from gateway.store import Connection, Row


def opened(tx: Connection, notice: str, channel: str, now: datetime) -> bool:
    """A tracked link was followed: the notice is read, and this channel works. False when there is no such notice."""
    row = _notice(tx, notice)
    if row is None:
        return False
    addresses.note(tx, row["person_id"], channel, "opened", now, row["id"])
    _read(tx, row, notice, channel, now)
    return True


def read(tx: Connection, person_id: int, notice: str, now: datetime) -> bool:
    """The person saw the notice in My Products; False when it is not theirs."""
    row = _notice(tx, notice)
    if row is None or row["person_id"] != person_id:
        return False
    _read(tx, row, notice, None, now)
    return True


def acknowledged(tx: Connection, person_id: int, notice: str, now: datetime) -> bool:
    """The person confirmed the notice; False when it is not theirs."""
    row = _notice(tx, notice)
    if row is None or row["person_id"] != person_id:
        return False
    tx.execute(queries.mark_read, {"id": row["id"], "now": now})  # who confirms has seen it
    if tx.execute(queries.mark_acknowledged, {"id": row["id"], "now": now}).rowcount:
        data = {"notice": notice} | of_campaign(row)
        append(tx, "notice.acknowledged", data, unit_id=row["unit_id"], person_id=person_id)
        learn_from_acknowledgement(tx, person_id, notice, now)
    return True


def learn_from_acknowledgement(tx: Connection, person_id: int, notice: str, now: datetime) -> None:
    """Credit the channel on which the notice had been opened; one that was found without a message teaches nothing."""
    row = _notice(tx, notice)
    found = tx.execute(queries.opened_on, {"notice_id": row["id"]}).fetchone() if row else None
    if row is not None and found is not None:
        addresses.note(tx, person_id, found["channel"], "acknowledged", now, row["id"])


def _notice(tx: Connection, notice: str) -> Row | None:
    return tx.execute(queries.notice_by_public_id, {"public_id": notice}).fetchone()


def _read(tx: Connection, row: Row, notice: str, channel: str | None, now: datetime) -> None:
    if tx.execute(queries.mark_read, {"id": row["id"], "now": now}).rowcount:
        data = {"notice": notice, "channel": channel} | of_campaign(row)
        append(tx, "notice.read", data, unit_id=row["unit_id"], person_id=row["person_id"])
