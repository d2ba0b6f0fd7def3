"""Errors that people see: each has a stable code, a message that says what to do, and an HTTP status."""

from pydantic import ValidationError


class GatewayError(Exception):
    """The base of every error the gateway raises on purpose; the edge turns it into problem+json or one line."""

    code = "error"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(GatewayError):
    """What was asked for is not here, or not visible to the asker: both look alike."""

    code = "not_found"
    status = 404


class BadInput(GatewayError):
    """Input that cannot be taken; `problems` names each place (field, or file and line) and what to write instead."""

    code = "bad_input"
    status = 422

    def __init__(self, message: str, problems: list[str] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []

    def __str__(self) -> str:
        return "\n  ".join([self.message, *self.problems])


class Unavailable(GatewayError):
    """Something the gateway stands on (database, broker, port, folder) cannot be used; the message says what to do."""

    code = "unavailable"
    status = 503


def problems_of(error: ValidationError, where: str) -> list[str]:
    """One line for each field that pydantic refused: where, which field, and what is wrong with it."""
    return [
        f"{where}: {'.'.join(map(str, problem['loc'])) or 'the whole'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    ]
