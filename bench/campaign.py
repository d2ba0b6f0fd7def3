"""How long a recall takes: the live count, the approval, and the notices of all owners, for a fleet made by SQL."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.setup import database
from gateway.campaigns import publish, service
from gateway.campaigns.model import Draft
from gateway.campaigns.progress import progress
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.core.errors import GatewayError
from gateway.roles.worker import Worker
from gateway.store import Connection, Database, connect

_FLEET = """
INSERT INTO product (code, model, brand, name) VALUES ('bench', 'B 1', 'Brenhold', '{"en": "Bench"}');
INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware)
SELECT 'u' || n, 1, 'S' || n, 'S' || n, 'L' || n %% 50, '2.' || n %% 9 || '.' || n %% 7
FROM generate_series(1, %(units)s) n;
INSERT INTO person (public_id, name, email)
SELECT 'p' || n, 'Person ' || n, 'p' || n || '@example.org' FROM generate_series(1, %(owners)s) n;
INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)
SELECT 'a' || id, id, 'customer', now(), now() FROM person;
INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at)
SELECT 'k' || id, id, 'token', 'k' || id, 'ios', now() FROM person WHERE id %% 2 = 0;
INSERT INTO ownership (unit_id, person_id, during)
SELECT id, id, tstzrange('2024-01-01', NULL) FROM unit WHERE id <= %(owners)s;
INSERT INTO person (public_id, name, email) VALUES ('drafts', 'Drafts', 'd@x'), ('approves', 'Approves', 'a@x');
"""
_CHANNELS = ("email",)
_TEXT = {"en": "Text"}
_RECALL = {
    "kind": "recall", "title": _TEXT, "hazard": _TEXT, "action": "unplug", "action_text": _TEXT,
    "remedies": ["refund"], "remedy_text": {}, "contact": {"phone": "0800", "email": None, "url": None},
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, and print the times as one line of JSON."""
    parser = argparse.ArgumentParser(prog="bench.campaign", description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--owners", type=int, default=5_000)
    options = parser.parse_args(arguments)
    try:
        with database() as url:
            print(json.dumps(_measure(url, options.units, options.owners)))
    except GatewayError as error:
        sys.exit(f"bench: {error}")


def _measure(url: str, units: int, owners: int) -> dict[str, Any]:
    with connect(url, "bench") as db, Database(url, "bench") as pool:
        make_fleet(db, units, owners)
        db.execute("VACUUM ANALYZE")
        result: dict[str, Any] = {"units": units, "owners": owners}
        audiences: dict[str, dict[str, Any]] = {
            "lots": {"by": "lots", "lots": [f"L{n}" for n in range(50)]},
            "firmware": {"by": "firmware", "below": "3"},
            "serials": {"by": "serials", "serials": [f"s-{n}" for n in range(1, 10_001)]},
        }
        for name, audience in audiences.items():
            draft = draft_of(audience)
            result[f"count_{name}_ms"] = min(_took(lambda d=draft: _count(db, d)) for _ in range(12))
        result["approve_s"] = round(_took(lambda: publish_recall(db, draft_of(audiences["lots"]))) / 1000, 2)
        worker = Worker(Settings(smtp_url="smtp://127.0.0.1:1"), pool, system_clock)
        approved_at = time.monotonic()
        while db.execute(
            "SELECT 1 FROM campaign_unit WHERE unit_id <= %s AND due_at <= now() LIMIT 1", [owners]
        ).rowcount:
            worker.turn()
        result["owners_told_s"] = round(time.monotonic() - approved_at, 1)
        while worker.turn():
            pass
        result["all_looked_at_s"] = round(time.monotonic() - approved_at, 1)
        notices = db.execute("SELECT count(*) AS n FROM notice").fetchone()
        result["notices"] = notices["n"] if notices else 0
        result["progress_ms"] = _took(lambda: progress(db, [1], system_clock()))
    return result


def make_fleet(db: Connection, units: int, owners: int) -> None:
    """Units of one product, the first of them with an owner each."""
    for statement in _FLEET.strip().split(";\n"):
        db.execute(statement % {"units": units, "owners": owners})  # type: ignore[call-overload]


def draft_of(audience: dict[str, Any]) -> Draft:
    """A recall for an audience."""
    content = {"product": "bench", "content": _RECALL, "audience": audience, "supersedes": None}
    return Draft.model_validate(content)


def _count(db: Connection, draft: Draft) -> None:
    service.count(db, draft.product, draft.audience, "recall", None, _CHANNELS, system_clock())


def publish_recall(db: Connection, draft: Draft) -> None:
    """Draft as one manager and approve as another."""
    people = {row["name"]: row for row in db.execute("SELECT id, public_id, name FROM person ORDER BY id DESC LIMIT 2")}
    drafts, approves = (service.Writer(people[name]["id"], name) for name in ("Drafts", "Approves"))
    with db.transaction():
        campaign = service.draft(db, drafts, draft, system_clock())
    count = service.count(db, draft.product, draft.audience, "recall", None, _CHANNELS, system_clock())
    with db.transaction():
        publish.approve(db, approves, campaign, count.units, 1, _CHANNELS, system_clock())


def _took(act: Callable[[], object]) -> float:
    """The milliseconds that a call takes."""
    started_at = time.perf_counter()
    act()
    return round((time.perf_counter() - started_at) * 1000, 1)


if __name__ == "__main__":
    main()
