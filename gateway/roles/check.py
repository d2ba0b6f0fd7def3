"""`gateway check`: measures what the gateway needs, and says what to change where there is a problem."""

import ipaddress
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from gateway.catalog.model import Suspension
from gateway.catalog.repository import suspensions
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.errors import BadInput
from gateway.core.finding import Finding, ok, problem, warning
from gateway.core.pictures import read_picture
from gateway.events import probe as event_log
from gateway.m2m import probe as broker
from gateway.notify.channels.registry import CHANNELS
from gateway.readings import rollups
from gateway.roles.files import file_limit
from gateway.store import Connection, connect
from gateway.store import probe as database
from gateway.store.waits import LOCK_AFTER, lock_waits

_ROLLED_UP_WITHIN = timedelta(hours=3)


def check(settings: Settings, clock: Clock) -> list[Finding]:
    """Look at everything; nothing stays changed anywhere."""
    return [
        *_database(settings, clock),
        *broker.probe(
            broker.Broker(
                *settings.mqtt_address,
                settings.mqtt_credentials,
                settings.mqtt_receive_maximum,
                settings.mqtt_session_expiry,
            )
        ),
        *(kind.check(settings, clock) for kind in CHANNELS.values()),
        public_url(settings),
        file_limit(settings),
        logo(settings),
        data_dir(settings),
    ]


def as_text(findings: list[Finding]) -> str:
    """A line for each finding, and below it what to change."""
    lines = []
    for found in findings:
        lines.append(f"{found.state:8} {found.name}: {found.measured}")
        if found.change:
            lines.append(f"{'':8} -> {found.change}")
    counts = [sum(found.state == state for found in findings) for state in ("problem", "warning")]
    return "\n".join([*lines, f"{counts[0]} problems, {counts[1]} warnings."])


def as_json(findings: list[Finding]) -> str:
    """The same for programs."""
    return json.dumps({"ok": is_well(findings), "findings": [asdict(found) for found in findings]}, indent=2)


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing is a problem."""
    return all(found.state != "problem" for found in findings)


def _database(settings: Settings, clock: Clock) -> list[Finding]:
    if settings.database_url is None:
        text = "none is named (`gateway demo` would start its own)"
        return [problem("database", text, "GATEWAY_DATABASE_URL=postgresql://USER:PASSWORD@HOST/DATABASE")]
    findings = database.probe(settings.database_url, clock)
    if any(each.state == "problem" and each.name in {"database", "rights", "schema"} for each in findings):
        return findings
    with connect(settings.database_url, "gateway-check") as connection:
        return [
            *findings,
            *events(connection, clock),
            rolled_up(rollups.mark(connection), clock()),
            products(suspensions(connection)),
        ]


def events(connection: Connection, clock: Clock) -> list[Finding]:
    """The event log, and which of our sessions wait for a lock."""
    findings = event_log.probe(connection, clock().date())
    waits = lock_waits(connection, LOCK_AFTER)
    change = "end that session's transaction, or the session: SELECT pg_terminate_backend(NUMBER)"
    if not waits:
        return [*findings, ok("locks", "no session of ours waits for one")]
    return findings + [warning("locks", f"{wait.who} waits for {wait}", change) for wait in waits]


def rolled_up(mark: rollups.Mark | None, now: datetime) -> Finding:
    """How far readings are rolled up; after an upgrade that takes its time, and charts read raw readings meanwhile."""
    if mark is None or mark.rolled_to is None:
        return ok("rollups", "not begun: ingest and worker begin when they run")
    behind = rollups.closing(now) - mark.rolled_to
    text = f"up to {mark.rolled_to:%Y-%m-%d %H:%M}"
    if behind < _ROLLED_UP_WITHIN:
        return ok("rollups", text)
    change = "nothing, where it goes on (the worker's log says so); else see that a worker runs"
    return warning("rollups", f"{text}, {behind / rollups.DAY:.1f} days behind", change)


def products(suspended: Sequence[Suspension]) -> Finding:
    """A suspended product's readings are stored, and raise nothing until it is judged again."""
    if not suspended:
        return ok("products", "all are judged")
    text = "; ".join(
        f"{each.product} is suspended since {each.since:%Y-%m-%d %H:%M} ({each.reason})" for each in suspended
    )
    return problem("products", text, "correct its product file or rules; docs/operating.md, Suspended products")


def public_url(settings: Settings) -> Finding:
    """The address in mails must be one that people reach, over TLS, and that the pages answer to."""
    parts = urlsplit(settings.public_url)
    host = parts.hostname or ""
    if host not in settings.http_allowed_hosts and "*" not in settings.http_allowed_hosts:
        change = f"GATEWAY_HTTP_ALLOWED_HOSTS must have {host}, or GATEWAY_PUBLIC_URL is another"
        return problem("public url", f"{settings.public_url}: requests to {host} are refused", change)
    if _is_loopback(host):
        text = f"{settings.public_url} is only reached on this machine; links in mails lead there"
        return warning("public url", text, "GATEWAY_PUBLIC_URL: the address that people type")
    if parts.scheme != "https":
        text = f"{settings.public_url}: passwords and sessions travel in clear"
        return warning("public url", text, "put a proxy with TLS in front, and https:// in GATEWAY_PUBLIC_URL")
    return ok("public url", settings.public_url)


def logo(settings: Settings) -> Finding:
    """The role api does not start with a logo that it cannot show."""
    if settings.maker_logo is None:
        return ok("logo", "none is named; pages show a plain mark")
    try:
        picture = read_picture(settings.maker_logo, "GATEWAY_MAKER_LOGO")
    except BadInput as error:
        return problem("logo", str(error), "GATEWAY_MAKER_LOGO: a file with an SVG, PNG, WebP or JPEG")
    return ok("logo", f"{settings.maker_logo}, {picture.media_type}")


def data_dir(settings: Settings) -> Finding:
    """Only the embedded servers write there."""
    if settings.database_url is not None and "mqtt_url" in settings.model_fields_set:
        return ok("data dir", "not needed: database and broker are named")
    folder = settings.data_dir.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return problem("data dir", f"{folder} cannot be written", "GATEWAY_DATA_DIR, or the folder's owner and mode")
    return ok("data dir", f"{folder} can be {'written' if there == folder else 'made'}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
