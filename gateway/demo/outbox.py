"""The demo's mail server and Firebase: both accept everything and write it to a file that /demo/outbox shows.

`python -m gateway.demo.outbox FILE SMTP_PORT FCM_PORT` is the child process; SIGTERM ends it.
"""

import json
import re
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import formataddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.config import Settings
from gateway.roles.process import free_port

PROJECT = "demo-project"
_FILE_MAX_BYTES = 3_000_000
_BODY_MAX_BYTES = 64_000
_SHOWN_HEADERS = ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Importance")


@dataclass(frozen=True, slots=True)
class DemoOutbox:
    """The ports of the two servers, and the file they write."""

    file: Path
    smtp_port: int
    fcm_port: int

    def command(self) -> list[str | Path]:
        """The command that starts the child process."""
        ports = [str(self.smtp_port), str(self.fcm_port)]
        return [sys.executable, "-m", "gateway.demo.outbox", self.file, *ports]

    def is_ready(self) -> bool:
        """Whether both servers answer."""
        try:
            for port in (self.smtp_port, self.fcm_port):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True


def set_up(settings: Settings) -> tuple[Settings, DemoOutbox | None]:
    """Settings that send to the demo's servers, unless the operator names real ones."""
    named_settings = settings.model_fields_set
    if {"smtp_url", "fcm_credentials"} & named_settings:
        return settings, None
    outbox = DemoOutbox(settings.data_dir / "outbox.jsonl", free_port(), free_port())
    fcm = f"http://127.0.0.1:{outbox.fcm_port}"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    account = settings.data_dir / "demo-fcm.json"
    write_service_account(account, fcm)
    changes: dict[str, Any] = {
        "smtp_url": f"smtp://127.0.0.1:{outbox.smtp_port}",
        "mail_from": _sender(settings.maker_name),
        "fcm_credentials": account,
        "fcm_url": fcm,
        "demo_outbox": outbox.file,
    }
    if "public_url" not in named_settings:
        changes["public_url"] = f"http://{settings.http_host}:{settings.http_port}"
    return settings.model_copy(update=changes), outbox


def _sender(maker: str) -> str:
    domain = re.sub(r"[^a-z0-9]+", "-", maker.lower()).strip("-") or "maker"
    return formataddr((maker, f"products@{domain}.example"))


def write_service_account(path: Path, url: str) -> None:
    """Write a service account like Firebase's, with a new key and tokens from `url`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.touch(0o600)
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "demo",
        "private_key": pem.decode(),
        "client_email": f"demo@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{url}/token",
    }
    path.write_text(json.dumps(account), "utf-8")


class OutboxFile:
    """The file of caught messages, a JSON object a line; when it gets too long, the older half is deleted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.touch(0o600)  # it contains sign-in codes

    def add(self, kind: str, item: dict[str, Any]) -> None:
        """Write one line; call it before answering the sender."""
        line = json.dumps({"kind": kind, "at": datetime.now(UTC).isoformat()} | item) + "\n"
        with self._lock:
            self._trim()
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)

    def _trim(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < _FILE_MAX_BYTES:
            return
        lines = self._path.read_text("utf-8").splitlines(keepends=True)
        shorter = self._path.with_suffix(".new")
        shorter.touch(0o600)
        shorter.write_text("".join(lines[len(lines) // 2 :]), "utf-8")
        shorter.replace(self._path)


class MailCatcher:
    """The handler of aiosmtpd, which accepts every mail."""

    def __init__(self, outbox_file: OutboxFile) -> None:
        self._file = outbox_file

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd
        """Write a mail to the file and accept it."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(raw, policy=policy.default)
        text = message.get_body(("plain",))
        self._file.add(
            "mail",
            {
                "sender": str(message["From"]),
                "to": envelope.rcpt_tos,
                "subject": str(message["Subject"]),
                "text": str(text.get_content()) if text else "",
                "headers": [(name, str(message[name])) for name in _SHOWN_HEADERS if message[name]],
            },
        )
        return f"250 2.0.0 caught as {time.time_ns():x}"


class PushCatcher(BaseHTTPRequestHandler):
    """Speaks the part of OAuth and FCM v1 that firebase-admin uses."""

    outbox_file: OutboxFile
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Return a token, or accept a push."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _BODY_MAX_BYTES))
        if self.path == "/token":
            self._answer({"access_token": "demo", "expires_in": 3600, "token_type": "Bearer"})
            return
        try:
            message = json.loads(body)["message"]
            notification = message["notification"]
            push = {"title": notification["title"], "body": notification["body"], "data": message.get("data", {})}
            token = message.get("token") or message["fid"]
        except (ValueError, KeyError, TypeError):
            self._answer({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "unreadable"}}, 400)
            return
        self.outbox_file.add("push", push | {"to": token})
        self._answer({"name": f"projects/{PROJECT}/messages/{time.time_ns():x}"})

    def log_message(self, *_: object) -> None:
        """Log nothing, since the file has every message."""

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def main(file: Path, smtp_port: int, fcm_port: int) -> None:
    """Serve until a signal ends the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    outbox_file = OutboxFile(file)
    mail = Controller(MailCatcher(outbox_file), hostname="127.0.0.1", port=smtp_port)
    mail.start()
    handler = type("Handler", (PushCatcher,), {"outbox_file": outbox_file})
    server = ThreadingHTTPServer(("127.0.0.1", fcm_port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.shutdown()
    mail.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
