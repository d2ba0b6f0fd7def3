"""Whether one role works, for health checks of containers and supervisors."""

import http.client
import json
from typing import Any

from gateway.config import Settings
from gateway.core.errors import Unavailable
from gateway.store import connect
from gateway.store.beat import SILENT_AFTER, last_beat

_ANSWER_S = 5.0


def health(settings: Settings, url: str, role: str) -> str:
    """How the role is; raises Unavailable, with the reason, where it does not do its work."""
    return _api(settings) if role == "api" else _beat(url, role)


def _api(settings: Settings) -> str:
    """Ask as a visitor does: the answer takes the database as well."""
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host  # noqa: S104 - compared only
    # Each check is a process of its own: to import httpx takes a third as long again as all else.
    connection = http.client.HTTPConnection(host, settings.http_port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/readyz", headers={"Host": settings.http_allowed_hosts[0]})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"api does not answer ({error}).") from error
    finally:
        connection.close()
    told = _json(body)
    if "waiting_for" not in told:  # it cannot ask the database; that another role waits is no fault of api
        raise Unavailable(f"api answers {answer.status}.")
    waiting = ", ".join(f"{role} waits for {what}" for role, what in told["waiting_for"].items())
    return f"api answers; {waiting or 'every role works'}."


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _beat(url: str, role: str) -> str:
    """Its sign of life, by the database's clock. Ingest without the broker does not do its work."""
    with connect(url, "gateway-health") as connection:
        beat = last_beat(connection, role)
    if beat is None:
        raise Unavailable(f"{role} never gave a sign of life.")
    if beat.age > SILENT_AFTER:
        raise Unavailable(f"{role} gave its last sign of life {beat.age.total_seconds():.0f} s ago.")
    if waiting_for := beat.detail.get("waiting_for"):
        raise Unavailable(f"{role} lives, and waits for {waiting_for}.")
    return f"{role} gave a sign of life {beat.age.total_seconds():.1f} s ago."
