"""Sign up, confirm, sign in, reset: limits come first, and known and unknown addresses get the same response.

Each method has its own transactions: the count of a wrong try is committed before the try is refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.accounts import browsers, codes, letters, repository
from gateway.accounts.administrators import administrator_left
from gateway.accounts.limits import Asker, SignInLimits
from gateway.accounts.model import (
    Account,
    CodeRefused,
    OpenedSession,
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

    `network` is the network of the request, and `browser` the token of a browser that an account was used from.
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
                letters.write(tx, "confirm", email, language, {"name": name} | self._code_data(code), now)
                append(tx, "account.signed_up", {})
        return ticket

    def confirm(
        self, email: str, code: str, ticket: str, network: str, now: datetime, *, browser: str | None = None
    ) -> OpenedSession:
        """Make the account of the sign-up that this browser began; raises CodeRefused."""
        email = canonical_address(email)
        counted_limits = self._ticket_try(email, "confirm", ticket, now)
        if counted_limits is None:
            self.limits.network_try(Asker(network, None))
            raise CodeRefused
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            pending = codes.redeem(tx, email, "confirm", code, ticket, now)
            if pending and repository.find(tx, email) is None:
                account = repository.insert(
                    tx, email, pending["name"], pending["language"], "customer", pending["password"], now
                )
                _append_event(tx, "account.confirmed", account, {"role": account.role})
                return self._open_session(tx, account, counted_limits, browser, now)
        raise CodeRefused

    def sign_in(
        self, email: str, password: str, network: str, now: datetime, *, browser: str | None = None
    ) -> OpenedSession:
        """Check the password. Raises SignInRefused, after the same time whatever is wrong."""
        email = canonical_address(email)
        counted_limits = self.limits.password(email, self._asker(email, network, browser, now))
        with self.database.read() as connection:
            stored = repository.find(connection, email)
        # Not in the transaction: it takes long, and connections are few.
        is_right = self.passwords.verify(password, stored.password_hash if stored else None)
        with self.database.transaction() as tx:
            locked_account = repository.hold(tx, stored.account.id) if stored and is_right else None
            if (
                stored
                and locked_account
                and not locked_account.disabled
                and locked_account.password_hash == stored.password_hash
            ):
                _append_event(tx, "account.signed_in", locked_account.account, {"with": "password"})
                return self._open_session(tx, locked_account.account, counted_limits, browser, now)
        raise SignInRefused

    def request_reset(self, email: str, network: str, now: datetime, *, browser: str | None = None) -> str | None:
        """Mail a code to the owner of an account; nobody can see whether there is one.

        Returns the browser's ticket; None when nothing was mailed, since the newest code is still valid.
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
                data = {"name": account.name} | self._code_data(code)
                letters.write(tx, "reset", account.email, account.language, data, now)
                _append_event(tx, "account.reset_requested", account, {}, actor=GATEWAY)
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
    ) -> OpenedSession:
        """Choose a new password with a mailed code; every session of the account ends. Raises CodeRefused.

        The code that this browser asked for is tried first: nobody else can spend its tries. Then the newest codes.
        """
        email, password = canonical_address(email), acceptable_password(password)
        asker = self._asker(email, network, browser, now)
        ticket_limits = self._ticket_try(email, "reset", ticket, now)
        open_limits = self.limits.open_try("reset", email, asker) if ticket_limits is None else None
        password_hash = self.passwords.hash(password)
        session = None
        if ticket_limits is not None:
            session = self._reset(email, code, ticket, password_hash, ticket_limits, browser, now)
            open_limits = None if session else self._open_try_if_free(email, asker)
        if open_limits is not None:
            session = self._reset(email, code, None, password_hash, open_limits, browser, now)
        if session is None:
            raise CodeRefused
        return session

    def change_password(
        self, account: Account, present: str, password: str, now: datetime, *, browser: str | None = None
    ) -> OpenedSession:
        """Choose a new password with the present one; every other session ends. Raises SignInRefused."""
        password = acceptable_password(password)
        counted_limits = self.limits.present_password(account.id)
        with self.database.transaction() as tx:
            stored_hash = repository.hold(tx, account.id).password_hash
        is_right = self.passwords.verify(present, stored_hash)
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            locked_account = repository.hold(tx, account.id)
            if is_right and not locked_account.disabled and locked_account.password_hash == stored_hash:
                self._set_password(tx, account, password_hash, "account.password_changed", now)
                return self._open_session(tx, account, counted_limits, browser, now)
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
    ) -> OpenedSession:
        """Accept an invitation with its code: the code proves the address, so the role is given and the password set.

        An account that exists gets the role, and its other sessions end. Raises CodeRefused; LastAdministrator where
        the role would take the last administrator.
        """
        email, password = canonical_address(email), acceptable_password(password)
        counted_limits = self.limits.open_try("invite", email, self._asker(email, network, browser, now))
        password_hash = self.passwords.hash(password)
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            invitation = codes.redeem_open(tx, email, "invite", code, now)
            stored = repository.find(tx, email)
            if invitation and not (stored and stored.disabled):
                role: Role = invitation["role"]
                if stored:
                    with administrator_left(tx):
                        tx.execute(queries.set_role, {"id": stored.account.id, "role": role})
                    account = repository.hold(tx, stored.account.id).account
                    self._set_password(tx, account, password_hash, "account.password_reset", now)
                else:
                    account = repository.insert(tx, email, invitation["name"], language, role, password_hash, now)
                    _append_event(tx, "account.confirmed", account, {"role": role})
                _append_event(tx, "account.role_given", account, {"role": role})
                return self._open_session(tx, account, counted_limits, browser, now)
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
        """Have the event streams close at once for sessions that ended."""
        with self.database.read() as connection:
            wake(connection)

    @property
    def limits(self) -> SignInLimits:
        """The limits on sign-in and codes."""
        return SignInLimits(self.settings, self.database)

    def _asker(self, email: str, network: str, browser: str | None, now: datetime) -> Asker:
        if not browser:
            return Asker(network, None)
        with self.database.read() as connection:
            return Asker(network, browsers.key_of(connection, browser, email, now))

    def _ticket_try(self, email: str, purpose: codes.Purpose, ticket: str, now: datetime) -> list[Limit] | None:
        """Count a try of the browser that asked for a code. Returns None when it did not, or has no try left."""
        with self.database.read() as connection:
            is_asked = codes.is_asked_by(connection, email, purpose, ticket, now)
        try:
            return self.limits.ticket_try(ticket) if is_asked else None
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
        counted_limits: list[Limit],
        browser: str | None,
        now: datetime,
    ) -> OpenedSession | None:
        with self.database.transaction() as tx:
            repository.hold_address(tx, email)
            if ticket is None:
                code_data = codes.redeem_open(tx, email, "reset", code, now)
            else:
                code_data = codes.redeem(tx, email, "reset", code, ticket, now)
            stored = repository.find(tx, email)
            if code_data is None or stored is None or stored.disabled:
                return None
            self._set_password(tx, stored.account, password_hash, "account.password_reset", now)
            return self._open_session(tx, stored.account, counted_limits, browser, now)

    def _code(
        self, tx: Connection, email: str, purpose: codes.Purpose, data: dict[str, Any], now: datetime, *, usable: bool
    ) -> str:
        return codes.make(tx, email, purpose, data, now=now, life=self.settings.code_life, usable=usable)

    def _code_data(self, code: str) -> dict[str, Any]:
        return {"code": code, "minutes": self.settings.code_life // timedelta(minutes=1)}

    def _set_password(self, tx: Connection, account: Account, password_hash: str, kind: str, now: datetime) -> None:
        repository.set_password(tx, account, password_hash)
        tx.execute(queries.void_codes, {"email": account.email.lower(), "purpose": "reset", "now": now})
        close_all_sessions(tx, account, "the password was changed")
        browsers.forget_all(tx, account)
        self.limits.forget_tries(tx, account.email.lower())
        letters.write(tx, "password_changed", account.email, account.language, {"name": account.name}, now)
        _append_event(tx, kind, account, {})

    def _open_session(
        self, tx: Connection, account: Account, counted_limits: list[Limit], browser: str | None, now: datetime
    ) -> OpenedSession:
        self.limits.take_back(tx, counted_limits)
        limits = self.settings
        browser_token = browsers.remember(tx, browser, account, now, life=limits.browser_life, most=limits.browsers_max)
        token = open_session(tx, account, now, life=limits.session_life, most=limits.sessions_max)
        return OpenedSession(account, token, browser_token)


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
    """Create an account without proof of its address, for the demo and for tests. One that exists gets the role."""
    email = canonical_address(email)
    repository.hold_address(tx, email)
    stored = repository.find(tx, email)
    if stored is None:
        account = repository.insert(tx, email, name, language, role, password_hash, now)
        _append_event(tx, "account.confirmed", account, {"role": role}, actor=GATEWAY)
        return account
    if stored.account.role != role:
        tx.execute(queries.set_role, {"id": stored.account.id, "role": role})
    return repository.hold(tx, stored.account.id).account


def disable(tx: Connection, account: Account, now: datetime, *, actor: str) -> None:
    """Disable an account: it cannot sign in, and its sessions end."""
    tx.execute(queries.disable, {"id": account.id, "now": now})
    close_all_sessions(tx, account, "the account was disabled", actor=actor)
    _append_event(tx, "account.disabled", account, {}, actor=actor)


def _append_event(
    tx: Connection, kind: str, account: Account, data: dict[str, Any], *, actor: str | None = None
) -> None:
    append(
        tx,
        kind,
        {"account": account.public_id} | data,
        actor=actor or account.person_public_id,
        person_id=account.person_id,
    )
