"""A local server for FCM v1 with its OAuth flow, which refuses, hangs or drops for the phones that a test names."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.demo.outbox import write_service_account
from tests.dsl.ports import free_port

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
AUDIENCE = "https://oauth2.googleapis.com/token"  # whatever the account's token_uri says
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"} | {
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


REFUSALS: dict[str, tuple[int, str | None]] = {
    "unregistered": (404, "UNREGISTERED"),
    "mismatch": (403, "SENDER_ID_MISMATCH"),
    "invalid": (400, "INVALID_ARGUMENT"),
    "unauthorized": (401, None),
    "quota": (429, "QUOTA_EXCEEDED"),
    "unavailable": (503, "UNAVAILABLE"),
}


class Fcm:
    """`answers[phone]` is a list of what to do, used up in order; then it takes the message.

    "unregistered" | "mismatch" | "invalid" | "unauthorized" | "quota" | "quota:SECONDS" | "unavailable" | "hang"
    | "drop"
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.credentials = folder / "service-account.json"
        write_service_account(self.credentials, self.url)
        account = json.loads(self.credentials.read_text())
        self._public_key = load_pem_private_key(account["private_key"].encode(), None).public_key()
        self.answers: dict[str, list[str]] = {}
        self.taken: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.tokens = 0
        self.refuse_tokens = False
        self.on_accept: Callable[[], None] | None = None
        self.accepted = threading.Event()
        self.closing = threading.Event()

    def phones(self) -> list[str]:
        """The phones whose messages were taken, in order."""
        return [message.get("token") or message["fid"] for message in self.taken]

    def grant(self, assertion: str) -> str | None:
        """The OAuth flow: the assertion must be valid now, for us, and signed with the service account's key."""
        claims = jwt.decode(assertion, self._public_key, algorithms=["RS256"], audience=AUDIENCE)
        assert "messaging" in claims["scope"] or "cloud-platform" in claims["scope"]
        assert claims["exp"] > time.time()
        self.tokens += 1
        return None if self.refuse_tokens else f"access-{self.tokens}"


def handler(fcm: Fcm) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - one class over one server
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/token":
                token = fcm.grant(parse_qs(body.decode())["assertion"][0])
                if token is None:
                    return self._say(400, {"error": "invalid_grant"})
                return self._say(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})
            assert self.path == "/v1/projects/demo-project/messages:send"
            assert json.loads(body).get("validate_only") is not True
            message = json.loads(body)["message"]
            phone = message.get("token") or message["fid"]
            fcm.asked.append(phone)
            if self.headers["Authorization"] not in {f"Bearer access-{number}" for number in range(1, fcm.tokens + 1)}:
                return self._error(401)
            answers = fcm.answers.get(phone)
            return self._do(answers.pop(0) if answers else "take", message)

        def _do(self, what: str, message: dict[str, Any]) -> None:
            what, _, detail = what.partition(":")
            if what in REFUSALS:
                status, code = REFUSALS[what]
                return self._error(status, code, {"Retry-After": detail} if detail else {})
            fcm.taken.append(message)
            fcm.accepted.set()
            if fcm.on_accept:
                fcm.on_accept()
            if what == "hang":
                fcm.closing.wait(30)
            if what in {"drop", "hang"}:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return None
            return self._say(200, {"name": f"projects/demo-project/messages/{len(fcm.taken)}"})

        def _error(self, status: int, code: str | None = None, headers: dict[str, str] | None = None) -> None:
            error: dict[str, Any] = {"code": status, "message": f"said {code}", "status": STATUS[status]}
            if code:
                error["details"] = [{"@type": FCM_ERROR, "errorCode": code}]
            self._say(status, {"error": error}, headers)

        def _say(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: a worker that was killed leaves broken connections behind."""


@contextmanager
def fcm_server(folder: Path) -> Iterator[Fcm]:
    fcm = Fcm(folder)
    server = _Server(("127.0.0.1", fcm.port), handler(fcm))
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield fcm
    finally:
        fcm.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
