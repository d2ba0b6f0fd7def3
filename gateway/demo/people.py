"""The demo's people: their accounts with one password, which is made once for each data folder."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from gateway.accounts.model import Account, Role
from gateway.accounts.passwords import Passwords
from gateway.accounts.repository import find, set_password
from gateway.accounts.service import create
from gateway.core.clock import system_clock
from gateway.notify.addresses import register_phone
from gateway.store import Connection, connect

_FILE = "demo-password.txt"
_PHONES_MAX = 20


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an account in the demo."""

    name: str
    email: str
    role: Role
    what: str


OWNER = Person("Eva Silva", "eva.silva@example.org", "customer", "owner of a heat pump and a compressor")
SUPPORT = Person("Sam Becker", "support@brenhold.example", "support", "support")
HEATING = Person("Paula Brandt", "heat@brenhold.example", "product_manager", "product manager, heating")
GARDEN = Person("Pavel Horak", "garden@brenhold.example", "product_manager", "product manager, garden")
PEOPLE = (
    OWNER,
    SUPPORT,
    HEATING,
    GARDEN,
    Person("Ada Lindner", "admin@brenhold.example", "administrator", "administrator"),
)


def settle(url: str, data_dir: Path) -> str:
    """Create the accounts of the demo's people, with a phone for customers. Returns the password."""
    file = data_dir / _FILE
    is_new = not file.exists()
    if is_new:
        data_dir.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_text("demo-" + "-".join(secrets.token_hex(2) for _ in range(3)), "utf-8")
    password = file.read_text("utf-8")
    with connect(url, "gateway-demo") as connection, connection.transaction():
        new_people = [person for person in PEOPLE if is_new or find(connection, person.email) is None]
        hashed = Passwords(1).hash(password) if new_people else ""
        for person in new_people:
            account = create(connection, person.email, person.name, person.role, system_clock(), password_hash=hashed)
            set_password(connection, account, hashed)
            if person.role == "customer":
                _give_phone(connection, account)
    return password


def _give_phone(tx: Connection, account: Account) -> None:
    token = f"demo-phone-{secrets.token_hex(8)}"
    register_phone(tx, account.person_id, "token", token, "android", system_clock(), tokens_max=_PHONES_MAX)


def sign_ins(password: str) -> str:
    """The lines with the sign-ins that the demo prints."""
    widest = max(len(person.email) for person in PEOPLE)
    lines = [f"    {person.email:{widest}}   {person.what}" for person in PEOPLE]
    return "\n".join([f"  Sign in with the password {password} as", *lines])
