"""The requests and responses of the account endpoints."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr, StringConstraints

from gateway.accounts.model import PASSWORD_MAX, PASSWORD_MIN, Role
from gateway.accounts.rights import Right
from gateway.text import codes, offered

Email = Annotated[EmailStr, Field(max_length=254)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Code = Annotated[str, Field(min_length=8, max_length=20, description="Eight digits; spaces and dashes do not matter.")]
Language = Annotated[
    str, AfterValidator(offered), Field(json_schema_extra=lambda schema: schema.update(enum=[*codes()]))
]
"""A language that there are words for."""
NewPassword = Annotated[SecretStr, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=PASSWORD_MAX)]


class _RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignUp(_RequestBody):
    """A new customer; nothing exists until the mailed code is told."""

    email: Email
    name: Name
    password: NewPassword
    language: Language = "en"


class Confirm(_RequestBody):
    """The code that was mailed to the address, told by the browser that signed up."""

    email: Email
    code: Code


class SignIn(_RequestBody):
    """An address and its password."""

    email: Email
    password: Password


class ResetRequest(_RequestBody):
    """Whose password was forgotten."""

    email: Email


class Reset(_RequestBody):
    """A new password, with the code that was mailed to the address."""

    email: Email
    code: Code
    password: NewPassword


class PasswordChange(_RequestBody):
    """A new password, with the present one."""

    present: Password
    password: NewPassword


class Acceptance(_RequestBody):
    """An invitation's code, and the password to sign in with from now on."""

    email: Email
    code: Code
    password: NewPassword
    language: Language = "en"


class CodeSent(BaseModel):
    """Look into the mailbox: the same response whether there is an account."""

    minutes: int = Field(description="How long the code is good.")


class Me(BaseModel):
    """Who is signed in."""

    id: str = Field(description="The account.")
    person: str = Field(description="The person, as events and notices name it.")
    name: str
    email: str
    language: str
    time_zone: str = Field(description="In which times are shown to this person: an IANA name.")
    role: Role
    rights: list[Right] = Field(description="What the role may do beyond its own My Products; none for a customer.")
