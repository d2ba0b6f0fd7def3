"""Errors are sent as problem+json (RFC 9457); each says what to do."""

import logging
from collections.abc import Iterable
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.accounts.model import NotSignedIn
from gateway.api.auth import needs_sign_in, signed_in
from gateway.api.models import Problem
from gateway.core.errors import BadInput, GatewayError, TooManyAttempts
from gateway.store import TROUBLES, DataError, Trouble, count_trouble, words_of

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
PROBLEMS_MAX = 20
PROBLEM_MAX_CHARS = 300
"""The limits on a problem, so that a response does not grow with the refused input."""


class Documented(FastAPI):
    """An application whose OpenAPI document gives problems the media type with which they are sent."""

    def openapi(self) -> dict[str, Any]:
        """Returns the document. FastAPI puts every model under the media type of the route's success."""
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for response in operation["responses"].values():
                    content = response.get("content", {})
                    for media_type, description in list(content.items()):
                        if description.get("schema", {}).get("$ref") == "#/components/schemas/Problem":
                            content[PROBLEM_JSON] = content.pop(media_type)
        return document


def add_problem_handlers(app: FastAPI) -> None:
    """Have `app` send every error as a problem."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    for trouble in TROUBLES:
        app.add_exception_handler(trouble, _database_trouble)
    app.add_exception_handler(DataError, _not_storable)


def first_problems(problems: Iterable[str], count: int) -> list[str]:
    """Returns the first problems, each cut, and the number of further ones."""
    texts = [cut(problem) for problem in islice(problems, PROBLEMS_MAX)]
    return texts if count <= PROBLEMS_MAX else [*texts, f"and {count - PROBLEMS_MAX:,} more"]


def cut(text: str) -> str:
    """Returns a text, or its first PROBLEM_MAX_CHARS: it may repeat what the client sent."""
    return text if len(text) <= PROBLEM_MAX_CHARS else f"{text[:PROBLEM_MAX_CHARS]}…"


def _response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), problem.status, headers, media_type=PROBLEM_JSON)


def _gateway_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GatewayError)  # noqa: S101 - registered for this class
    problems = first_problems(error.problems, len(error.problems)) if isinstance(error, BadInput) else []
    title = error.code.replace("_", " ").capitalize()
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooManyAttempts) else None
    problem = Problem(
        title=title,
        status=error.status,
        code=error.code,
        detail=error.message,
        problems=problems,
        parameters=error.parameters,
    )
    return _response(problem, headers)


def _bad_request(request: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request, for those who may make it: a stranger learns only that they are one."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    try:
        if needs_sign_in(request.scope.get("route")):
            signed_in(request)
    except NotSignedIn as stranger:
        return _gateway_error(request, stranger)
    except tuple(TROUBLES) as trouble:
        return _database_trouble(request, trouble)
    errors = error.errors()
    texts = (f"{'.'.join(cut(str(part)) for part in item['loc'][1:])}: {cut(item['msg'])}" for item in errors)
    problems = first_problems(texts, len(errors))
    detail = "Some of the request cannot be read; mend what is named and send it again."
    return _response(Problem(title="Bad input", status=422, code="bad_input", detail=detail, problems=problems))


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    code = "not_found" if error.status_code == 404 else "refused"
    return _response(
        Problem(title=str(error.detail), status=error.status_code, code=code, detail=f"{error.detail}."),
        dict(error.headers or {}),
    )


TROUBLE_TEXTS = {
    Trouble.CONFLICT: ("Somebody else changed the same at this moment, and nothing was changed here; try again.", 1),
    Trouble.DISK: ("The database's disk is full: nothing can be changed. Tell whoever runs this installation.", 60),
    Trouble.MEMORY: ("The database has no memory for that; try again in a minute.", 60),
    Trouble.CANCELLED: ("The database took too long and was stopped; ask for less at once, or try again later.", 30),
    Trouble.LOCK: ("Another change has hold of what this one needs, and goes on; try again in a minute.", 30),
    Trouble.READ_ONLY: ("The database can only be read at this moment; try again in a minute.", 30),
    Trouble.CROWDED: ("The database has no free connection; try again in a few seconds.", 5),
    Trouble.AWAY: ("The database does not answer; try again in a few seconds.", 5),
}
"""Each trouble of the database with the text for people, and the seconds after which they may try again."""


def _database_trouble(_request: Request, error: Exception) -> JSONResponse:
    trouble = count_trouble(error)
    log.warning("A request waits for %s (%s).", trouble.value, words_of(error))
    detail, retry_after_s = TROUBLE_TEXTS[trouble]
    parameters: dict[str, str | int] = {"trouble": trouble.name.lower()}
    problem = Problem(title="Unavailable", status=503, code="unavailable", detail=detail, parameters=parameters)
    return _response(problem, {"Retry-After": str(retry_after_s)})


def _not_storable(_request: Request, error: Exception) -> JSONResponse:
    log.warning("The database refuses a value (%s).", str(error).strip())
    detail = "A value in the request is none that can be stored, like a zero byte in a text; mend it and send it again."
    return _response(Problem(title="Bad input", status=422, code="bad_input", detail=detail))
