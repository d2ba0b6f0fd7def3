"""Sign up, confirm, sign in, reset: limits come first, and known and unknown addresses are answered alike.

Each act makes its own transactions: what a wrong try counts is committed before it is refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.accounts import browsers, codes, letters, repository
from gateway.accounts.limits import Asker, SignInLimits
from gateway.accounts.model import (
    Account,
    CodeRefused,
    Opened,
    Role,
    SignInRefused,
    acceptable_password,
    canonical_address,
    new_address,
)
from gateway.accounts.passwords import Passwords
from gateway.accounts.repository import queries
from gateway.accounts.sessions import close_all_sessions, close_session, open_session, session_account
from gateway.config import Settings
from gateway.core.errors import TooManyAttempts
from gateway.events import GATEWAY, append
from gateway.store import Connection, Database
from gateway.store.attempts import Limit
from gateway.store.wakeup import wake

__all__ = ["Accounts", "close_all_sessions", "close_session", "create", "disable", "open_session", "session_account"]


@dataclass(frozen=True, slots=True)
class Accounts:
    """What people do with their accounts.

    `network` is where a request comes from, and `browser` the token of a browser that an account was used from.
    """

    settings: Settings
    database: Database
    passwords: Passwords

    def sign_up(self, email: str, name: str, password: str, language: str, network: str, now: datetime) -> str:
        """Mail a code to a new address, or tell its owner that there is an account; returns the browser's ticket."""
        email, password = new_address(email), acceptable_password(password)
        self.limits.sign_up_mail(email, Asker(network, None))
        password_hash = self.passwords.hash(password)
        ticket = codes.new_ticket()
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            stored = repository.find(tx, email)
            pending = {"ticket": codes.digest(ticket), "name": name, "language": language, "password": password_hash}
            code = self._code(tx, email, "confirm", pending, now, usable=stored is None)
            if stored:
                account = stored.account
                letters.write(tx, "account_exists", account.email, account.language, {"name": account.name}, now)
                append(tx, "account.sign_up_repeated", {}, person_id=account.person_id)
            else:
                letters.write(tx, "confirm", email, language, {"name": name} | self._shown(code), now)
                append(tx, "account.signed_up", {})
        return ticket

    def confirm(
        self, email: str, code: str, ticket: str, network: str, now: datetime, *, browser: str | None = None
    ) -> Opened:
        """Make the account of the sign-up that this browser began; raises CodeRefused."""
        email = canonical_address(email)
        counted = self._ticket_try(email, "confirm", ticket, now)
        if counted is None:
            self.limits.network_try(Asker(network, None))
            raise CodeRefused
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            pending = codes.redeem(tx, email, "confirm", code, ticket, now)
            if pending and repository.find(tx, email) is None:
                account = repository.insert(
                    tx, email, pending["name"], pending["language"], "customer", pending["password"], now
                )
                _tell(tx, "account.confirmed", account, {"role": account.role})
                return self._opened(tx, account, counted, browser, now)
        raise CodeRefused

    def sign_in(self, email: str, password: str, network: str, now: datetime, *, browser: str | None = None) -> Opened:
        """Check the password; raises SignInRefused, after the same time, for whatever is wrong."""
        email = canonical_address(email)
        counted = self.limits.password(email, self._asker(email, network, browser, now))
        with self.database.read() as connection:
            stored = repository.find(connection, email)
        # Not in the transaction: it takes long, and connections are few.
        right = self.passwords.verify(password, stored.password_hash if stored else None)
        with self.database.transaction() as tx:
            held = repository.hold(tx, stored.account.id) if stored and right else None
            if stored and held and not held.disabled and held.password_hash == stored.password_hash:
                _tell(tx, "account.signed_in", held.account, {"with": "password"})
                return self._opened(tx, held.account, counted, browser, now)
        raise SignInRefused

    def request_reset(self, email: str, network: str, now: datetime, *, browser: str | None = None) -> str | None:
        """Mail a code to the owner of an account; nobody can see whether there is one.

        Returns the browser's ticket. None when nothing was mailed: the newest code that was is good for it, too.
        """
        email = canonical_address(email)
        if not self.limits.reset_mail(email, self._asker(email, network, browser, now)):
            return None
        ticket = codes.new_ticket()
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            stored = repository.find(tx, email)
            usable = stored is not None and not stored.disabled
            code = self._code(tx, email, "reset", {"ticket": codes.digest(ticket)}, now, usable=usable)
            if stored and usable:
                account = stored.account
                data = {"name": account.name} | self._shown(code)
                letters.write(tx, "reset", account.email, account.language, data, now)
                _tell(tx, "account.reset_requested", account, {}, actor=GATEWAY)
            else:
                letters.withhold(tx, "reset", email, now)
        return ticket

    def reset(
        self,
        email: str,
        code: str,
        password: str,
        network: str,
        now: datetime,
        *,
        ticket: str = "",
        browser: str | None = None,
    ) -> Opened:
        """Choose a new password with a mailed code; every session of the account ends. Raises CodeRefused.

        The code that this browser asked for is looked at first: its tries are nobody else's. Then the newest ones.
        """
        email, password = canonical_address(email), acceptable_password(password)
        asker = self._asker(email, network, browser, now)
        with_ticket = self._ticket_try(email, "reset", ticket, now)
        openly = self.limits.open_try("reset", email, asker) if with_ticket is None else None
        password_hash = self.passwords.hash(password)
        opened = None
        if with_ticket is not None:
            opened = self._reset(email, code, ticket, password_hash, with_ticket, browser, now)
            openly = None if opened else self._open_try_if_free(email, asker)
        if openly is not None:
            opened = self._reset(email, code, None, password_hash, openly, browser, now)
        if opened is None:
            raise CodeRefused
        return opened

    def change_password(
        self, account: Account, present: str, password: str, now: datetime, *, browser: str | None = None
    ) -> Opened:
        """Choose a new password with the present one; every other session ends. Raises SignInRefused."""
        password = acceptable_password(password)
        counted = self.limits.present_password(account.id)
        with self.database.transaction() as tx:
            stored_hash = repository.hold(tx, account.id).password_hash
        right = self.passwords.verify(present, stored_hash)
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            held = repository.hold(tx, account.id)
            if right and not held.disabled and held.password_hash == stored_hash:
                self._set_password(tx, account, password_hash, "account.password_changed", now)
                return self._opened(tx, account, counted, browser, now)
        raise SignInRefused

    def accept(
        self,
        email: str,
        code: str,
        password: str,
        language: str,
        network: str,
        now: datetime,
        *,
        browser: str | None = None,
    ) -> Opened:
        """Take an invitation with its code: the address is proved, so the role is given and the password set.

        Who has an account already gets the role on it, and its other sessions end. Raises CodeRefused.
        """
        email, password = canonical_address(email), acceptable_password(password)
        counted = self.limits.open_try("invite", email, self._asker(email, network, browser, now))
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            invited = codes.redeem_open(tx, email, "invite", code, now)
            stored = repository.find(tx, email)
            if invited and not (stored and stored.disabled):
                role: Role = invited["role"]
                if stored:
                    tx.execute(queries.set_role, {"id": stored.account.id, "role": role})
                    account = repository.hold(tx, stored.account.id).account
                    self._set_password(tx, account, password_hash, "account.password_reset", now)
                else:
                    account = repository.insert(tx, email, invited["name"], language, role, password_hash, now)
                    _tell(tx, "account.confirmed", account, {"role": role})
                _tell(tx, "account.role_given", account, {"role": role})
                return self._opened(tx, account, counted, browser, now)
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

    @property
    def limits(self) -> SignInLimits:
        """The limits on all of this."""
        return SignInLimits(self.settings, self.database)

    def _asker(self, email: str, network: str, browser: str | None, now: datetime) -> Asker:
        if not browser:
            return Asker(network, None)
        with self.database.read() as connection:
            return Asker(network, browsers.key_of(connection, browser, email, now))

    def _ticket_try(self, email: str, purpose: codes.Purpose, ticket: str, now: datetime) -> list[Limit] | None:
        """One try of the browser that asked for a code; None when it did not, or has no try left."""
        with self.database.read() as connection:
            asked = codes.asked_here(connection, email, purpose, ticket, now)
        try:
            return self.limits.ticket_try(ticket) if asked else None
        except TooManyAttempts:
            return None

    def _open_try_if_free(self, email: str, asker: Asker) -> list[Limit] | None:
        try:
            return self.limits.open_try("reset", email, asker)
        except TooManyAttempts:
            return None

    def _reset(
        self,
        email: str,
        code: str,
        ticket: str | None,
        password_hash: str,
        counted: list[Limit],
        browser: str | None,
        now: datetime,
    ) -> Opened | None:
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            if ticket is None:
                good = codes.redeem_open(tx, email, "reset", code, now)
            else:
                good = codes.redeem(tx, email, "reset", code, ticket, now)
            stored = repository.find(tx, email)
            if good is None or stored is None or stored.disabled:
                return None
            self._set_password(tx, stored.account, password_hash, "account.password_reset", now)
            return self._opened(tx, stored.account, counted, browser, now)

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
        browsers.forget_all(tx, account)
        self.limits.proved(tx, account.email.lower())
        letters.write(tx, "password_changed", account.email, account.language, {"name": account.name}, now)
        _tell(tx, kind, account, {})

    def _opened(
        self, tx: Connection, account: Account, counted: list[Limit], browser: str | None, now: datetime
    ) -> Opened:
        self.limits.take_back(tx, counted)
        limits = self.settings
        known_as = browsers.remember(tx, browser, account, now, life=limits.browser_life, most=limits.browsers_max)
        token = open_session(tx, account, now, life=limits.session_life, most=limits.sessions_max)
        return Opened(account, token, known_as)


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
    stored = repository.find(tx, email)
    if stored is None:
        account = repository.insert(tx, email, name, language, role, password_hash, now)
        _tell(tx, "account.confirmed", account, {"role": role}, actor=GATEWAY)
        return account
    if stored.account.role != role:
        tx.execute(queries.set_role, {"id": stored.account.id, "role": role})
    return repository.hold(tx, stored.account.id).account


def disable(tx: Connection, account: Account, now: datetime, *, actor: str) -> None:
    """Keep an account from signing in; its sessions end."""
    tx.execute(queries.disable, {"id": account.id, "now": now})
    close_all_sessions(tx, account, "the account was disabled", actor=actor)
    _tell(tx, "account.disabled", account, {}, actor=actor)


def _tell(tx: Connection, kind: str, account: Account, data: dict[str, Any], *, actor: str | None = None) -> None:
    append(
        tx,
        kind,
        {"account": account.public_id} | data,
        actor=actor or account.person_public_id,
        person_id=account.person_id,
    )
