"""An account, its roles, and what a sign-in returns."""

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
    """A person who can sign in, and as what."""

    id: int
    public_id: str
    person_id: int
    person_public_id: str
    name: str
    email: str
    language: str
    role: Role


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened: whose, its token, and the token by which the browser is known from now on.

    Both tokens are kept nowhere else.
    """

    account: Account
    token: str
    browser: str


class NotSignedIn(GatewayError):
    """The request carries no session, or one that is over."""

    code = "not_signed_in"
    status = 401

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class Forbidden(GatewayError):
    """Signed in, but not as somebody who may do this."""

    code = "forbidden"
    status = 403

    def __init__(self) -> None:
        super().__init__("Your account may not do this. Ask an administrator.")


class SignInRefused(GatewayError):
    """The same words for an unknown address, a wrong password, a disabled account."""

    code = "sign_in_refused"
    status = 401

    def __init__(self) -> None:
        super().__init__("The address or the password is wrong. Check both, or reset the password.")


class CodeRefused(GatewayError):
    """The same words for a wrong code, one that is used, too old or void, and for an unknown address."""

    code = "code_refused"
    status = 400

    def __init__(self) -> None:
        super().__init__("The code is wrong or no longer good. Check it, or ask for a new one.")


def canonical_address(written: str) -> str:
    """An address as it is compared and kept: without spaces around it, in lower case; raises BadInput."""
    try:
        return validate_email(written.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise BadInput(f"This is not an e-mail address: {error}") from error


def new_address(written: str) -> str:
    """The canonical form of an address that codes are to be mailed to; raises BadInput where not every server mails."""
    address = canonical_address(written)
    try:
        return plain(address)
    except ValueError as error:
        raise BadInput(f"This address cannot be used: {error}.") from error


def acceptable_password(written: str) -> str:
    """A password in the one form it is hashed in; raises BadInput when it is too short or too long."""
    password = unicodedata.normalize("NFC", written)
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        problem = f"password: write {PASSWORD_MIN} to {PASSWORD_MAX} characters, for example four words"
        raise BadInput("This password cannot be taken.", [problem])
    return password
