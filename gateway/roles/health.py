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
    """Returns a line about a role that works. Raises Unavailable with the reason when it does not."""
    return _api(settings) if role == "api" else _beat(url, role)


def _api(settings: Settings) -> str:
    """Ask over HTTP as a visitor does; the response needs the database as well."""
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host  # noqa: S104 - compared only
    # Each check is a new process, and importing httpx would take a third of the time of everything else.
    connection = http.client.HTTPConnection(host, settings.http_port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/readyz", headers={"Host": settings.http_allowed_hosts[0]})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"api does not answer ({error}).") from error
    finally:
        connection.close()
    readiness = _json(body)
    if "waiting_for" not in readiness:  # it cannot query the database; that another role waits is not api's fault
        raise Unavailable(f"api answers {response.status}.")
    waiting = ", ".join(f"{role} waits for {what}" for role, what in readiness["waiting_for"].items())
    return f"api answers; {waiting or 'every role works'}."


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _beat(url: str, role: str) -> str:
    """Check a role's last sign of life by the database's clock. Ingest does not work without the broker."""
    with connect(url, "gateway-health") as connection:
        beat = last_beat(connection, role)
    if beat is None:
        raise Unavailable(f"{role} never gave a sign of life.")
    if beat.age > SILENT_AFTER:
        raise Unavailable(f"{role} gave its last sign of life {beat.age.total_seconds():.0f} s ago.")
    if waiting_for := beat.detail.get("waiting_for"):
        raise Unavailable(f"{role} lives, and waits for {waiting_for}.")
    return f"{role} gave a sign of life {beat.age.total_seconds():.1f} s ago."
