"""Notes what a person does with a notice: it stops the next channel, and shows on which channel the person looks."""

from datetime import datetime

from gateway.events import Event, append, append_each
from gateway.notify import addresses
from gateway.notify.channels.registry import sign_in_channel
from gateway.notify.repository import of_campaign, queries
from gateway.store import Connection, Row

LEARNED_FROM = frozenset({"notice.acknowledged", "account.signed_in"})
"""Kinds of events that show where a person looks."""


def note_opened(tx: Connection, notice: str, channel: str, now: datetime) -> bool:
    """Note that a tracked link was followed, and so every notice of its message read. Returns whether there is one."""
    row = _notice(tx, notice)
    if row is None:
        return False
    addresses.note(tx, row["person_id"], channel, "opened", now, row["id"])
    _read(tx, row, notice, channel, now)
    if row["group_key"] is not None:
        others = {"person_id": row["person_id"], "key": row["group_key"], "now": now}
        rows = tx.execute(queries.mark_others_read, others).fetchall()
        append_each(tx, "notice.read", [_read_event(each, channel) for each in rows])
    return True


def read(tx: Connection, person_id: int, notice: str, now: datetime) -> bool:
    """Note that the person saw the notice in My Products. Returns whether it is theirs."""
    row = _notice(tx, notice)
    if row is None or row["person_id"] != person_id:
        return False
    _read(tx, row, notice, None, now)
    return True


def acknowledged(tx: Connection, person_id: int, notice: str, now: datetime) -> bool:
    """Note that the person acknowledged the notice. Returns whether it is theirs."""
    row = _notice(tx, notice)
    if row is None or row["person_id"] != person_id:
        return False
    tx.execute(queries.mark_read, {"id": row["id"], "now": now})  # an acknowledged notice is also read
    if tx.execute(queries.mark_acknowledged, {"id": row["id"], "now": now}).rowcount:
        data = {"notice": notice} | of_campaign(row)
        append(tx, "notice.acknowledged", data, unit_id=row["unit_id"], person_id=person_id)
        learn_from_acknowledgement(tx, person_id, notice, now)
    return True


def learn_from_event(tx: Connection, event: Event, now: datetime) -> None:
    """Store what an event shows of where its person looks."""
    if event.person_id is None:
        return
    if event.kind == "notice.acknowledged":
        learn_from_acknowledgement(tx, event.person_id, event.data["notice"], now)
    elif event.kind == "account.signed_in":
        # A sign-in with a password counts for e-mail, unless the event names another channel.
        addresses.note(tx, event.person_id, event.data.get("channel") or sign_in_channel(), "signed_in", event.at)


def learn_from_acknowledgement(tx: Connection, person_id: int, notice: str, now: datetime) -> None:
    """Store an engagement on the channel on which the notice was opened; none if it was opened without a link."""
    row = _notice(tx, notice)
    opened_on = tx.execute(queries.opened_on, {"notice_id": row["id"]}).fetchone() if row else None
    if row is not None and opened_on is not None:
        addresses.note(tx, person_id, opened_on["channel"], "acknowledged", now, row["id"])


def _notice(tx: Connection, notice: str) -> Row | None:
    return tx.execute(queries.notice_by_public_id, {"public_id": notice}).fetchone()


def _read(tx: Connection, row: Row, notice: str, channel: str | None, now: datetime) -> None:
    if tx.execute(queries.mark_read, {"id": row["id"], "now": now}).rowcount:
        append_each(tx, "notice.read", [_read_event(row | {"public_id": notice}, channel)])


def _read_event(row: Row, channel: str | None) -> tuple[int, int, Row]:
    """The unit, the person and the data of the event that a notice was read."""
    return row["unit_id"], row["person_id"], {"notice": row["public_id"], "channel": channel} | of_campaign(row)
