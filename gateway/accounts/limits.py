"""The limits on sign-in and codes: whose tries count for a limit, and whom a reached limit stops.

Anybody can name an address. So the tries of unknown browsers stop unknown browsers only: the browser that asked for a
code, and a browser that the account was used from, each have their own limits (docs/adr/0027).
"""

from dataclasses import dataclass
from datetime import timedelta

from gateway.accounts import codes
from gateway.config import Settings
from gateway.core.errors import TooManyAttempts
from gateway.store import Connection, Database
from gateway.store.attempts import Limit, clear, spend, spend_either, take_back

_HOUR = timedelta(hours=1)
_SIGN_IN = "sign-in"
_MAILED = "code"


@dataclass(frozen=True, slots=True)
class Asker:
    """Where a request comes from."""

    network: str
    browser: str | None
    """The browser's key in the limits; None unless the account in question was used from it before."""


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """Each method counts one try before it is made, and raises TooManyAttempts when there are none left.

    Some return the limits that they counted on, for `take_back` when the try succeeded.
    """

    settings: Settings
    database: Database

    def password(self, email: str, asker: Asker) -> list[Limit]:
        """Count a try of a password for an address."""
        most, window = self.settings.sign_in_tries, self.settings.tries_window
        if asker.browser:
            return self._spend([Limit("sign-in browser", asker.browser, most, window)])
        return self._spend([Limit(_SIGN_IN, email, most, window), self._network(asker)])

    def present_password(self, account_id: int) -> list[Limit]:
        """Count a try of the present password by the person who is signed in; only they can reach this limit."""
        limits = self.settings
        return self._spend([Limit("password", str(account_id), limits.sign_in_tries, limits.tries_window)])

    def network_try(self, asker: Asker) -> list[Limit]:
        """Count a try of a code by its network only; nothing else is known of the asker."""
        return self._spend([self._network(asker)])

    def ticket_try(self, ticket: str) -> list[Limit]:
        """Count a try of a code in the browser that asked for one."""
        limits = self.settings
        return self._spend([Limit("code ticket", codes.digest(ticket), limits.code_tries, limits.code_life)])

    def open_try(self, purpose: codes.Purpose, email: str, asker: Asker) -> list[Limit]:
        """Count a try of a code in a browser that did not ask for it."""
        limits = self.settings
        if asker.browser:
            return self._spend([Limit("code browser", asker.browser, limits.code_tries, limits.code_life)])
        return self._spend(
            [
                Limit(f"{purpose} from network", f"{email} {asker.network}", limits.code_tries, limits.code_life),
                Limit(f"{purpose} from anywhere", email, limits.code_tries_per_address, _HOUR),
                self._network(asker),
            ]
        )

    def reset_mail(self, email: str, asker: Asker) -> bool:
        """Whether to mail a code to reset a password; if not, the code mailed just now is still valid."""
        limits = self.settings
        if asker.browser:
            self._spend([Limit("mail browser", asker.browser, limits.codes_per_address, _HOUR)])
            return True
        return self._wait_for_mail("reset", email, asker, limits.code_life / 2) is None

    def sign_up_mail(self, email: str, asker: Asker) -> None:
        """Count a sign-up, which causes a mail to its address."""
        wait = self._wait_for_mail("confirm", email, asker, self.settings.code_life)
        if wait:
            raise TooManyAttempts(wait)

    def take_back(self, tx: Connection, limits: list[Limit]) -> None:
        """Undo the count of a try that succeeded."""
        for limit in limits:
            take_back(tx, limit.kind, limit.key)

    def forget_tries(self, tx: Connection, email: str) -> None:
        """Forget the tries with an address, whoever made them: its owner has proved who they are."""
        for kind in (_SIGN_IN, _MAILED, f"{_MAILED} reset"):
            clear(tx, kind, email)

    def _wait_for_mail(self, purpose: codes.Purpose, email: str, asker: Asker, pause: timedelta) -> timedelta | None:
        """Returns how long to wait; None when a mail may go: some an hour, and beyond them one after each pause."""
        limits = self.settings
        with self.database.transaction() as tx:
            spend(tx, [Limit("code network", asker.network, limits.codes_per_network, _HOUR)])
            hourly = Limit(_MAILED, email, limits.codes_per_address, _HOUR)
            return spend_either(tx, [hourly, Limit(f"{_MAILED} {purpose}", email, 1, pause)])

    def _network(self, asker: Asker) -> Limit:
        limits = self.settings
        return Limit("sign-in network", asker.network, limits.network_tries, limits.tries_window)

    def _spend(self, limits: list[Limit]) -> list[Limit]:
        with self.database.transaction() as tx:
            spend(tx, limits)
        return limits
