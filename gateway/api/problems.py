"""Errors leave as problem+json (RFC 9457), each saying what to do."""

import logging
from collections.abc import Iterable
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.api.models import Problem
from gateway.core.errors import BadInput, GatewayError, TooManyAttempts
from gateway.store import TROUBLES, DataError, Trouble, count_trouble, words_of

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
PROBLEMS_MAX = 20
PROBLEM_MAX_CHARS = 300
"""What an answer says of refused input does not grow with the input."""


class Documented(FastAPI):
    """An application whose OpenAPI document gives problems the media type with which they are sent."""

    def openapi(self) -> dict[str, Any]:
        """The document; FastAPI puts every model under the type of the route's good answer."""
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for answer in operation["responses"].values():
                    content = answer.get("content", {})
                    for media_type, described in list(content.items()):
                        if described.get("schema", {}).get("$ref") == "#/components/schemas/Problem":
                            content[PROBLEM_JSON] = content.pop(media_type)
        return document


def add_problem_handlers(app: FastAPI) -> None:
    """Have every error of `app` answered as a problem."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    for trouble in TROUBLES:
        app.add_exception_handler(trouble, _database_cannot)
    app.add_exception_handler(DataError, _not_storable)


def bounded(problems: Iterable[str], count: int) -> list[str]:
    """The first problems, each cut, and how many more there are."""
    named = [cut(each) for each in islice(problems, PROBLEMS_MAX)]
    return named if count <= PROBLEMS_MAX else [*named, f"and {count - PROBLEMS_MAX:,} more"]


def cut(text: str) -> str:
    """A text, or its beginning where it is long: it may repeat what was sent."""
    return text if len(text) <= PROBLEM_MAX_CHARS else f"{text[:PROBLEM_MAX_CHARS]}…"


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), problem.status, headers, media_type=PROBLEM_JSON)


def _gateway_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GatewayError)  # noqa: S101 - registered for this class
    problems = bounded(error.problems, len(error.problems)) if isinstance(error, BadInput) else []
    title = error.code.replace("_", " ").capitalize()
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooManyAttempts) else None
    return _answer(
        Problem(title=title, status=error.status, code=error.code, detail=error.message, problems=problems), headers
    )


def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    errors = error.errors()
    named = (f"{'.'.join(cut(str(part)) for part in each['loc'][1:])}: {cut(each['msg'])}" for each in errors)
    problems = bounded(named, len(errors))
    detail = "Some of the request cannot be read; mend what is named and send it again."
    return _answer(Problem(title="Bad input", status=422, code="bad_input", detail=detail, problems=problems))


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    code = "not_found" if error.status_code == 404 else "refused"
    return _answer(
        Problem(title=str(error.detail), status=error.status_code, code=code, detail=f"{error.detail}."),
        dict(error.headers or {}),
    )


CANNOT = {
    Trouble.CONFLICT: ("Somebody else changed the same at this moment, and nothing was changed here; try again.", 1),
    Trouble.DISK: ("The database's disk is full: nothing can be changed. Tell whoever runs this installation.", 60),
    Trouble.MEMORY: ("The database has no memory for that; try again in a minute.", 60),
    Trouble.CANCELLED: ("The database took too long and was stopped; ask for less at once, or try again later.", 30),
    Trouble.LOCK: ("Another change has hold of what this one needs, and goes on; try again in a minute.", 30),
    Trouble.READ_ONLY: ("The database can only be read at this moment; try again in a minute.", 30),
    Trouble.CROWDED: ("The database has no free connection; try again in a few seconds.", 5),
    Trouble.AWAY: ("The database does not answer; try again in a few seconds.", 5),
}
"""What to tell people, and after how many seconds they may try again."""


def _database_cannot(_request: Request, error: Exception) -> JSONResponse:
    trouble = count_trouble(error)
    log.warning("A request waits for %s (%s).", trouble.value, words_of(error))
    detail, retry_after_s = CANNOT[trouble]
    problem = Problem(title="Unavailable", status=503, code="unavailable", detail=detail)
    return _answer(problem, {"Retry-After": str(retry_after_s)})


def _not_storable(_request: Request, error: Exception) -> JSONResponse:
    log.warning("The database refuses a value (%s).", str(error).strip())
    detail = "A value in the request is none that can be stored, like a zero byte in a text; mend it and send it again."
    return _answer(Problem(title="Bad input", status=422, code="bad_input", detail=detail))
