"""Accounts in the database; everything runs in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime

from gateway.accounts.model import Account, Role
from gateway.core.ids import random_id
from gateway.store import Connection, Row, load_queries
from gateway.store.locks import Lock, hold_key

queries = load_queries("gateway.accounts")


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account with its password hash, and whether it is disabled."""

    account: Account
    password_hash: str | None
    disabled: bool


def account(row: Row) -> Account:
    """An account from a row."""
    return Account(
        id=row["id"],
        public_id=row["public_id"],
        person_id=row["person_id"],
        person_public_id=row["person_public_id"],
        name=row["name"],
        email=row["email"],
        language=row["language"],
        time_zone=row["time_zone"],
        role=row["role"],
    )


def find(connection: Connection, email: str) -> StoredAccount | None:
    """The account of a canonical address."""
    row = connection.execute(queries.account_by_address, {"email": email}).fetchone()
    return _stored(row) if row else None


def hold(tx: Connection, account_id: int) -> StoredAccount:
    """Returns an account, locked until `tx` ends."""
    row = tx.execute(queries.account_by_id, {"id": account_id}).fetchone()
    assert row is not None  # noqa: S101 - accounts are never deleted
    return _stored(row)


def hold_address(tx: Connection, email: str) -> None:
    """Lock an address until `tx` ends, so that changes of its account wait for each other."""
    hold_key(tx, Lock.ADDRESS, email)


def insert(
    tx: Connection, email: str, name: str, language: str, role: Role, password_hash: str | None, now: datetime
) -> Account:
    """Create the account of an address that was proved, for the person who has that address, or for a new one."""
    person = tx.execute(queries.person_by_address, {"email": email}).fetchone()
    if person is None:
        person = tx.execute(
            queries.insert_person, {"public_id": random_id(), "name": name, "email": email, "language": language}
        ).fetchone()
        assert person is not None  # noqa: S101 - RETURNING returns a row
    else:
        choose_language(tx, person["id"], language)
    public_id = random_id()
    row = tx.execute(
        queries.insert_account,
        {
            "public_id": public_id,
            "person_id": person["id"],
            "role": role,
            "password_hash": password_hash,
            "now": now,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING returns a row
    if password_hash is not None:
        tx.execute(queries.insert_identity, {"subject": public_id, "account_id": row["id"]})
    return hold(tx, row["id"]).account


def choose_language(tx: Connection, person_id: int, language: str) -> None:
    """Note the language that a person chose."""
    tx.execute(queries.set_language, {"id": person_id, "language": language})


def choose_time_zone(tx: Connection, person_id: int, time_zone: str | None) -> None:
    """Note the time zone that a person chose; None for the one that applies without a choice."""
    tx.execute(queries.set_time_zone, {"id": person_id, "time_zone": time_zone})


def set_password(tx: Connection, account: Account, password_hash: str) -> None:
    """Give an account a new password."""
    tx.execute(queries.set_password, {"id": account.id, "password_hash": password_hash})
    tx.execute(queries.insert_identity, {"subject": account.public_id, "account_id": account.id})


def _stored(row: Row) -> StoredAccount:
    return StoredAccount(account(row), row["password_hash"], row["disabled_at"] is not None)
