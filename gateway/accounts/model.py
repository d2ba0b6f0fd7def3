"""An account, its roles, and the session that a sign-in opens."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from email_validator import EmailNotValidError, validate_email

from gateway.core.errors import BadInput, GatewayError
from gateway.core.mailbox import plain

Role = Literal["customer", "support", "product_manager", "administrator"]
StaffRole = Literal["support", "product_manager", "administrator"]

STAFF: tuple[StaffRole, ...] = ("support", "product_manager", "administrator")

PASSWORD_MIN = 12
PASSWORD_MAX = 200


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in, with their role."""

    id: int
    public_id: str
    person_id: int
    person_public_id: str
    name: str
    email: str
    language: str
    time_zone: str | None
    """The one they chose, else the one of the maker's file."""
    role: Role


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session: its account, its token, and the token by which the browser is recognised from now on.

    Both tokens are stored nowhere else.
    """

    account: Account
    token: str
    browser: str


class NotSignedIn(GatewayError):
    """The request has no session, or one that has ended."""

    code = "not_signed_in"
    status = 401

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class Forbidden(GatewayError):
    """The account that is signed in has no role that may do this."""

    code = "forbidden"
    status = 403

    def __init__(self) -> None:
        super().__init__("Your account may not do this. Ask an administrator.")


class SignInRefused(GatewayError):
    """The address is unknown, the password is wrong or the account is disabled; the message is the same for all."""

    code = "sign_in_refused"
    status = 401

    def __init__(self) -> None:
        super().__init__("The address or the password is wrong. Check both, or reset the password.")


class CodeRefused(GatewayError):
    """The code is wrong, used, too old or void, or the address is unknown; the message is the same for all."""

    code = "code_refused"
    status = 400

    def __init__(self) -> None:
        super().__init__("The code is wrong or no longer good. Check it, or ask for a new one.")


def canonical_address(text: str) -> str:
    """Returns an address as it is compared and stored: stripped, in lower case. Raises BadInput."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise BadInput(f"This is not an e-mail address: {error}", code="bad_address") from error


def new_address(text: str) -> str:
    """The canonical form of an address that codes are to be mailed to; raises BadInput where some servers refuse it."""
    address = canonical_address(text)
    try:
        return plain(address)
    except ValueError as error:
        raise BadInput(f"This address cannot be used: {error}.", code="bad_address") from error


def acceptable_password(text: str) -> str:
    """A password in the one form it is hashed in; raises BadInput when it is too short or too long."""
    password = unicodedata.normalize("NFC", text)
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        problem = f"password: write {PASSWORD_MIN} to {PASSWORD_MAX} characters, for example four words"
        raise BadInput("This password cannot be taken.", [problem], code="bad_password")
    return password
