"""Sign up, confirm, sign in, reset: limits come first, and known and unknown addresses are answered alike.

Each act makes its own transactions: what a wrong try counts is committed before it is refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.accounts import codes, letters, repository
from gateway.accounts.model import (
    Account,
    CodeRefused,
    Opened,
    Role,
    SignInRefused,
    acceptable_password,
    canonical_address,
)
from gateway.accounts.passwords import Passwords
from gateway.accounts.repository import queries
from gateway.accounts.sessions import close_all_sessions, close_session, open_session, session_account
from gateway.config import Settings
from gateway.events import GATEWAY, append
from gateway.store import Connection, Database
from gateway.store.attempts import Limit, clear, forget_before, spend, take_back
from gateway.store.wakeup import wake

__all__ = ["Accounts", "close_all_sessions", "close_session", "create", "disable", "open_session", "session_account"]

_HOUR = timedelta(hours=1)
_SIGN_IN, _NETWORK = "sign-in", "sign-in network"
_CODE, _CODE_NETWORK = "code", "code network"


@dataclass(frozen=True, slots=True)
class Accounts:
    """What people do with their accounts; `network` is where the request comes from."""

    settings: Settings
    database: Database
    passwords: Passwords

    def sign_up(self, email: str, name: str, password: str, language: str, network: str, now: datetime) -> str:
        """Mail a code to a new address, or say to its owner that there is an account; answers the browser's ticket."""
        email, password = canonical_address(email), acceptable_password(password)
        self._spend_code(email, network)
        password_hash = self.passwords.hash(password)
        ticket = codes.new_ticket()
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            known = repository.find(tx, email)
            pending = {"ticket": codes.digest(ticket), "name": name, "language": language, "password": password_hash}
            code = self._code(tx, email, "confirm", pending, now, usable=known is None)
            if known:
                account = known.account
                letters.write(tx, "account_exists", account.email, account.language, {"name": account.name}, now)
                append(tx, "account.sign_up_repeated", {}, person_id=account.person_id)
            else:
                letters.write(tx, "confirm", email, language, {"name": name} | self._shown(code), now)
                append(tx, "account.signed_up", {})
        return ticket

    def confirm(self, email: str, code: str, ticket: str, network: str, now: datetime) -> Opened:
        """Make the account of the sign-up that this browser began; raises CodeRefused."""
        email = canonical_address(email)
        self._spend_try(network)
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            tries = self.settings.code_tries
            pending = codes.redeem(tx, email, "confirm", code, now=now, tries=tries, ticket=ticket)
            if pending and repository.find(tx, email) is None:
                account = repository.insert(
                    tx, email, pending["name"], pending["language"], "customer", pending["password"], now
                )
                _tell(tx, "account.confirmed", account, {"role": account.role})
                return self._opened(tx, account, network, now)
        raise CodeRefused

    def sign_in(self, email: str, password: str, network: str, now: datetime) -> Opened:
        """Check the password; raises SignInRefused, after the same time, for whatever is wrong."""
        email = canonical_address(email)
        with self.database.transaction() as tx:
            spend(tx, self._password_limits(email, network))
            known = repository.find(tx, email)
        # Not in the transaction: it takes long, and connections are few.
        right = self.passwords.verify(password, known.password_hash if known else None)
        with self.database.transaction() as tx:
            found = repository.hold(tx, known.account.id) if known and right else None
            if known and found and not found.disabled and found.password_hash == known.password_hash:
                take_back(tx, _SIGN_IN, email)
                _tell(tx, "account.signed_in", found.account, {"with": "password"})
                return self._opened(tx, found.account, network, now)
        raise SignInRefused

    def request_reset(self, email: str, network: str, now: datetime) -> None:
        """Mail a code to the owner of an account; nobody can see whether there is one."""
        email = canonical_address(email)
        self._spend_code(email, network)
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            known = repository.find(tx, email)
            usable = known is not None and not known.disabled
            code = self._code(tx, email, "reset", {}, now, usable=usable)
            if known and usable:
                account = known.account
                shown = {"name": account.name} | self._shown(code)
                letters.write(tx, "reset", account.email, account.language, shown, now)
                _tell(tx, "account.reset_requested", account, {}, actor=GATEWAY)
            else:
                letters.withhold(tx, "reset", email, now)

    def reset(self, email: str, code: str, password: str, network: str, now: datetime) -> Opened:
        """Choose a new password with a mailed code; every session of the account ends. Raises CodeRefused."""
        email, password = canonical_address(email), acceptable_password(password)
        self._spend_try(network)
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            good = codes.redeem(tx, email, "reset", code, now=now, tries=self.settings.code_tries) is not None
            known = repository.find(tx, email)
            if good and known and not known.disabled:
                self._set_password(tx, known.account, password_hash, "account.password_reset", now)
                clear(tx, _SIGN_IN, email)
                return self._opened(tx, known.account, network, now)
        raise CodeRefused

    def change_password(self, account: Account, present: str, password: str, network: str, now: datetime) -> Opened:
        """Choose a new password with the present one; every other session ends. Raises SignInRefused."""
        password = acceptable_password(password)
        email = canonical_address(account.email)
        with self.database.transaction() as tx:
            spend(tx, self._password_limits(email, network))
            kept = repository.hold(tx, account.id).password_hash
        right = self.passwords.verify(present, kept)
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            found = repository.hold(tx, account.id)
            if right and not found.disabled and found.password_hash == kept:
                take_back(tx, _SIGN_IN, email)
                self._set_password(tx, account, password_hash, "account.password_changed", now)
                return self._opened(tx, account, network, now)
        raise SignInRefused

    def accept(self, email: str, code: str, password: str, language: str, network: str, now: datetime) -> Opened:
        """Take an invitation with its code: the address is proved, so the role is given and the password set.

        Who has an account already gets the role on it, and its other sessions end. Raises CodeRefused.
        """
        email, password = canonical_address(email), acceptable_password(password)
        self._spend_try(network)
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            invited = codes.redeem(tx, email, "invite", code, now=now, tries=self.settings.code_tries)
            known = repository.find(tx, email)
            if invited and not (known and known.disabled):
                role: Role = invited["role"]
                if known:
                    tx.execute(queries.set_role, {"id": known.account.id, "role": role})
                    account = repository.hold(tx, known.account.id).account
                    self._set_password(tx, account, password_hash, "account.password_reset", now)
                else:
                    account = repository.insert(tx, email, invited["name"], language, role, password_hash, now)
                    _tell(tx, "account.confirmed", account, {"role": role})
                _tell(tx, "account.role_given", account, {"role": role})
                clear(tx, _SIGN_IN, email)
                return self._opened(tx, account, network, now)
        raise CodeRefused

    def sign_out(self, token: str, now: datetime) -> None:
        """End one session, now."""
        with self.database.transaction() as tx:
            close_session(tx, token, now)
        self.wake()

    def sign_out_everywhere(self, account: Account) -> None:
        """End every session of an account, now."""
        with self.database.transaction() as tx:
            close_all_sessions(tx, account, "asked for")
        self.wake()

    def wake(self) -> None:
        """Have the streams hear at once of sessions that ended."""
        with self.database.read() as connection:
            wake(connection)

    def _spend_code(self, email: str, network: str) -> None:
        limits = self.settings
        with self.database.transaction() as tx:
            spend(
                tx,
                [
                    Limit(_CODE, email, limits.codes_per_address, _HOUR),
                    Limit(_CODE_NETWORK, network, limits.codes_per_network, _HOUR),
                ],
            )

    def _password_limits(self, email: str, network: str) -> list[Limit]:
        limits = self.settings
        return [
            Limit(_SIGN_IN, email, limits.sign_in_tries, limits.tries_window),
            Limit(_NETWORK, network, limits.network_tries, limits.tries_window),
        ]

    def _spend_try(self, network: str) -> None:
        with self.database.transaction() as tx:
            spend(tx, [Limit(_NETWORK, network, self.settings.network_tries, self.settings.tries_window)])

    def _code(
        self, tx: Connection, email: str, purpose: codes.Purpose, data: dict[str, Any], now: datetime, *, usable: bool
    ) -> str:
        return codes.make(tx, email, purpose, data, now=now, life=self.settings.code_life, usable=usable)

    def _shown(self, code: str) -> dict[str, Any]:
        return {"code": code, "minutes": self.settings.code_life // timedelta(minutes=1)}

    def _set_password(self, tx: Connection, account: Account, password_hash: str, kind: str, now: datetime) -> None:
        repository.set_password(tx, account, password_hash)
        tx.execute(queries.void_codes, {"email": account.email.lower(), "purpose": "reset", "now": now})
        close_all_sessions(tx, account, "the password was changed")
        letters.write(tx, "password_changed", account.email, account.language, {"name": account.name}, now)
        _tell(tx, kind, account, {})

    def _opened(self, tx: Connection, account: Account, network: str, now: datetime) -> Opened:
        take_back(tx, _NETWORK, network)
        limits = self.settings
        return Opened(account, open_session(tx, account, now, life=limits.session_life, most=limits.sessions_max))


def create(
    tx: Connection,
    email: str,
    name: str,
    role: Role,
    now: datetime,
    *,
    password_hash: str | None = None,
    language: str = "en",
) -> Account:
    """Make an account whose address needs no proof: the demo's people, and tests. A known one gets the role."""
    email = canonical_address(email)
    repository.hold_address(tx, email)
    known = repository.find(tx, email)
    if known is None:
        account = repository.insert(tx, email, name, language, role, password_hash, now)
        _tell(tx, "account.confirmed", account, {"role": role}, actor=GATEWAY)
        return account
    if known.account.role != role:
        tx.execute(queries.set_role, {"id": known.account.id, "role": role})
    return repository.hold(tx, known.account.id).account


def disable(tx: Connection, account: Account, now: datetime, *, actor: str) -> None:
    """Keep an account from signing in; its sessions end."""
    tx.execute(queries.disable, {"id": account.id, "now": now})
    close_all_sessions(tx, account, "the account was disabled", actor=actor)
    _tell(tx, "account.disabled", account, {}, actor=actor)


def forget_old(connection: Connection, now: datetime) -> None:
    """Forget codes and sessions that are over, and tries that no limit looks at any more."""
    connection.execute(queries.forget_codes, {"before": now})
    connection.execute(queries.forget_sessions, {"before": now})
    forget_before(connection, now - timedelta(days=1))


def _tell(tx: Connection, kind: str, account: Account, data: dict[str, Any], *, actor: str | None = None) -> None:
    append(
        tx,
        kind,
        {"account": account.public_id} | data,
        actor=actor or account.person_public_id,
        person_id=account.person_id,
    )
