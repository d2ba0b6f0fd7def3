"""How fast notices leave by mail and by push, beside the library's own rate with the same finished messages.

`python -m bench.outbox --json`. Ours is the outbox on a real PostgreSQL with the senders of the worker role: claimed,
written, sent, recorded. Theirs is smtplib with as many connections as ours, and firebase-admin with as many sends at a
time. Each provider is a process of its own on loopback. `ratio` is the lower of ours over theirs in messages a second.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.library import firebase_s, smtplib_s
from bench.providers import provider
from bench.setup import database
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.core.errors import GatewayError, Unavailable
from gateway.demo.outbox import write_service_account
from gateway.notify import addresses
from gateway.notify.channels.email.mailer import Mailer
from gateway.notify.channels.push.sender import push_message
from gateway.notify.compose import notice_mail
from gateway.notify.send.deliveries import Claim
from gateway.notify.send.senders import Senders
from gateway.store import Connection, Database, connect

_OWNERS = """
INSERT INTO product (code, model, brand, name) VALUES ('bench', 'B 1', 'Brenhold', '{"en": "Bench"}');
INSERT INTO person (public_id, name, email)
SELECT 'p' || n, 'Person ' || n, 'p' || n || '@example.org' FROM generate_series(1, %(owners)s) n;
INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)
SELECT 'a' || id, id, 'customer', now(), now() FROM person;
INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at)
SELECT 'k' || id, id, 'token', 'phone-of-person-' || id, 'android', now() FROM person;
INSERT INTO unit (public_id, product_id, serial, printed)
SELECT 'u' || n, 1, 'S' || n, 'S' || n FROM generate_series(1, %(owners)s) n;
INSERT INTO ownership (unit_id, person_id, during) SELECT id, id, tstzrange('2024-01-01', NULL) FROM unit;
INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why, created_at, updated_at)
SELECT 'n' || id, id, id, 'hot', 'warning', 'open', '%(text)s', '%(why)s', now(), now() FROM unit;
"""
_TEXT = {"title": "Switch the pump off", "body": "It is 95 °C, which is too hot.", "action": "Let it cool for an hour."}
_WHY = {
    "rule": "hot", "version": 1, "sentence": "temp_c above 90 °C for 30 s", "metric": "temp_c", "unit": "°C",
    "limit": 90, "plain": "We tell you when “Temperature” is above 90 °C for 30 s.", "title": "Temperature",
    "value": 95.0, "extreme": 96.0, "onset": "2026-11-01T12:00:00+00:00", "raised_at": "2026-11-01T12:00:30+00:00",
    "cleared_at": None,
    "cleared_value": None, "told_because": "the unit is yours since 2024-01-01",
    "sent_because": "we start with it, until we know what reaches you",
}  # fmt: skip
_CHANNELS = {"email": "smtp", "push": "fcm"}
_WARM = 200
_WAIT_S = 600
_LOOK_S = 0.1
"""Seconds between two looks at the end: each is a statement beside those that are measured."""


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.outbox", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000, help="in each round and channel (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (default %(default)s)")
    parser.add_argument("--channel", choices=_CHANNELS, action="append", help="only this one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    try:
        result = _measured(given.channel or list(_CHANNELS), given.messages, given.rounds)
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(result) if given.json else json.dumps(result, indent=2))


def _measured(channels: list[str], messages: int, rounds: int) -> dict[str, Any]:
    load = os.getloadavg()[0]
    results = {}
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name, database() as url:
        with connect(url, "bench") as db:
            _fill(db, messages)
        for channel in channels:
            kind = _CHANNELS[channel]
            with provider(kind) as port:
                results[channel] = _channel(url, channel, _settings(kind, port, Path(name)), messages, rounds)
    return {
        "ratio": min(result["ratio"] for result in results.values()),
        **results,
        "messages": messages,
        "rounds": rounds,
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def _settings(kind: str, port: int, folder: Path) -> Settings:
    if kind == "smtp":
        return Settings(smtp_url=f"smtp://127.0.0.1:{port}", mail_from="Brenhold <support@example.com>")
    credentials, server = folder / "service-account.json", f"http://127.0.0.1:{port}"
    write_service_account(credentials, server)
    return Settings(fcm_credentials=credentials, fcm_url=server)


def _fill(db: Connection, owners: int) -> None:
    documents = {"text": json.dumps(_TEXT), "why": json.dumps(_WHY)}
    for statement in _OWNERS.strip().split(";\n"):
        db.execute(statement % ({"owners": owners} | documents))
    db.execute("VACUUM ANALYZE")


def _channel(url: str, channel: str, settings: Settings, messages: int, rounds: int) -> dict[str, Any]:
    """Both rates, in turns: what else runs on the machine meets both."""
    ours: list[float] = []
    theirs: list[float] = []
    with Database(url, "bench") as pool, connect(url, "bench") as db:
        senders = Senders(settings, pool, system_clock)
        claims = _finished(db, senders, channel, messages)
        library = _library(channel, settings, db, claims)
        with senders.running():
            _send(db, senders, channel, min(_WARM, messages))
            for _ in range(rounds):
                ours.append(messages / _send(db, senders, channel, messages))
                theirs.append(messages / library())
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "messages_per_s": round(statistics.median(ours)),
        "library_per_s": round(statistics.median(theirs)),
        "ratios": [round(ratio, 3) for ratio in ratios],
    }


def _send(db: Connection, senders: Senders, channel: str, messages: int) -> float:
    """Make so many deliveries due, and return the seconds until each of them was recorded as delivered."""
    db.execute("DELETE FROM delivery_try")
    db.execute("DELETE FROM outbox")
    with db.transaction():
        _make_due(db, channel, messages)
        began = time.perf_counter()
    senders.wake()
    while db.execute("SELECT FROM outbox WHERE status IN ('waiting', 'claimed') LIMIT 1").rowcount:
        if time.perf_counter() - began > _WAIT_S:
            raise Unavailable(f"The deliveries by {channel} did not end.")
        time.sleep(_LOOK_S)
    seconds = time.perf_counter() - began
    row = db.execute("SELECT count(*) AS n FROM outbox WHERE status = 'delivered' AND attempts = 1").fetchone()
    if row is None or row["n"] != messages:
        raise Unavailable(f"Of {messages} deliveries by {channel} not all went out at the first try.")
    return seconds


def _make_due(db: Connection, channel: str, messages: int) -> None:
    db.execute(
        "INSERT INTO outbox (notice_id, channel, due_at, reason)"
        " SELECT id, %s, now(), 'bench' FROM notice ORDER BY id LIMIT %s",
        [channel, messages],
    )


def _finished(db: Connection, senders: Senders, channel: str, messages: int) -> list[Claim]:
    """The deliveries of a round, as a claim that is rolled back gives them."""
    with db.transaction(force_rollback=True):
        _make_due(db, channel, messages)
        return senders.outbox.claim(db, channel, system_clock(), messages)


def _library(channel: str, settings: Settings, db: Connection, claims: list[Claim]) -> Callable[[], float]:
    """What sends the same messages by the library alone, and returns the seconds."""
    links = addresses.links(db, settings.public_url, settings.link_secret)
    if channel == "email":
        mailer = Mailer.of(settings, system_clock)
        mails = [
            notice_mail(claim.delivery, claim.addresses[0].value, claim.delivery.person, links, settings.maker)
            for claim in claims
        ]
        finished = [(mail.to, mailer.message(mail)) for mail in mails]
        return lambda: smtplib_s(settings, finished)
    pushes = [push_message(claim.delivery, claim.addresses[0], links) for claim in claims]
    return lambda: firebase_s(settings, pushes)


if __name__ == "__main__":
    main()
