"""Errors that people see: each has a stable code, a message that says what to do, and an HTTP status."""

from datetime import timedelta
from math import ceil

from pydantic import ValidationError


class GatewayError(Exception):
    """The base of every error the gateway raises on purpose; the edge turns it into problem+json or one line."""

    code = "error"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, **parameters: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.parameters = parameters
        """What a text of this code names, in any language; the message says it in English."""


class NotFound(GatewayError):
    """What was asked for does not exist, or the asker may not see it; the error is the same for both."""

    code = "not_found"
    status = 404


class BadInput(GatewayError):
    """Input that is refused; `problems` names each place (field, or file and line) and what to write instead."""

    code = "bad_input"
    status = 422

    def __init__(self, message: str, problems: list[str] | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.problems = problems or []

    def __str__(self) -> str:
        return "\n  ".join([self.message, *self.problems])


class Unavailable(GatewayError):
    """Something that the gateway needs (database, broker, port, folder) cannot be used; the message says what to do."""

    code = "unavailable"
    status = 503


class TooManyAttempts(GatewayError):
    """A limit on tries is reached; the message says when to try again."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.retry_after_s = max(1, ceil(wait.total_seconds()))
        minutes = ceil(self.retry_after_s / 60)
        span = f"{minutes} minutes" if minutes > 1 else "a minute"
        super().__init__(f"That was tried too often. Try again in {span}.", minutes=minutes)


def problems_of(error: ValidationError, where: str) -> list[str]:
    """One line for each field that pydantic refused: where, which field, and what is wrong with it."""
    return [
        f"{where}: {'.'.join(map(str, problem['loc'])) or 'the whole'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    ]
