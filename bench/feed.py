"""What an owner's pages cost in a large store, as a ratio to a request that only checks the same session.

The store is filled by SQL, which takes some minutes for a million units. The api role serves it on loopback, and one
client asks for the pages of random owners.
"""

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.progress import progress_ratio
from bench.roles import running
from bench.search import search_ratios, searched
from bench.setup import WAIT_S, database
from bench.timed import took_ms
from gateway.core.errors import GatewayError, Unavailable
from gateway.roles.process import free_port
from gateway.store import Connection, connect

LARGEST = 400
"""Units of one owner; the others have 1 to 40."""
CAMPAIGNS = 10
WARM_UP = 50
SEED = 7

# Triggers and references are off; the ids fit together. Every fifth notice is of a campaign.
_FILL = """
SET session_replication_role = replica;
INSERT INTO product (code, model, brand, name) SELECT 'p' || n, 'M', 'B', '{"en": "Pump"}' FROM generate_series(1, 5) n;
INSERT INTO metric (name) SELECT 'm' || n FROM generate_series(1, 3) n;
INSERT INTO product_metric (product_id, metric_id, position, title, unit, low, high, normal_low, normal_high, cadence)
SELECT p, m, m, '{"en": "Temperature", "de": "Temperatur"}', '°C', 0, 100, 10, 90, '60s'
FROM generate_series(1, 5) p, generate_series(1, 3) m;
INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)
SELECT 'r' || n, 1, n, '{"title": {"en": "Too hot"}}', 'd', true FROM generate_series(1, 5) n;
INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware, order_number)
SELECT 'u' || n, n %% 5 + 1, replace(printed, '-', ''), printed, 'L' || n %% 500, '2.' || n %% 9, '2024-' || 40000 + n
FROM (SELECT n, (%(models)s::text[])[n %% 5 + 1] || '-' || 20 + n %% 6 || '-' ||
                lpad((n * 7919 %% 10000000)::text, 7, '0')
      FROM generate_series(1::bigint, %(units)s) n) u (n, printed);
INSERT INTO ownership (unit_id, person_id, during)
SELECT upto - n, person, tstzrange('2024-01-01', NULL)
FROM (SELECT person, units, sum(units) OVER (ORDER BY person) AS upto
      FROM (SELECT n AS person, CASE n WHEN 1 THEN %(largest)s ELSE 1 + n * 17 %% 40 END AS units
            FROM generate_series(1, %(units)s) n) s) o, generate_series(0, units - 1) n
WHERE upto <= %(units)s;
INSERT INTO person (id, public_id, name, email, phone, address, customer_number) OVERRIDING SYSTEM VALUE
SELECT n, 'o' || n,
       (%(first)s::text[])[n * 13 %% 20 + 1] || ' ' || (%(last)s::text[])[n * 7 %% 10 + 1]
         || chr(97 + n %% 26) || chr(97 + n / 26 %% 26),
       'o' || n || '@example.org', '+49 30 ' || lpad((n::bigint * 7907 %% 10000000)::text, 7, '0'),
       (%(streets)s::text[])[n %% 5 + 1] || ' ' || n %% 99 + 1 || ', '
         || 10000 + n %% 89999 || ' ' || (%(towns)s::text[])[n %% 7 + 1],
       'K-' || 100000 + n
FROM generate_series(1, %(units)s + 1) n;
INSERT INTO account (id, public_id, person_id, role, confirmed_at, created_at) OVERRIDING SYSTEM VALUE
SELECT id, 'a' || id, id, CASE WHEN id > %(units)s THEN 'support' ELSE 'customer' END, now(), now() FROM person;
INSERT INTO session (token_hash, account_id, created_at, seen_at, expires_at)
SELECT sha256(('token-' || id)::bytea), id, now(), now(), now() + interval '30 days' FROM account;
INSERT INTO latest (unit_id, metric_id, time, value, received_at)
SELECT u, m, now(), 20, now() FROM generate_series(1, %(units)s) u, generate_series(1, 3) m;
INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic, evidence,
                   cleared_at)
SELECT 'x' || n, n %% 5 + 1, n, 'warning', now() - interval '1 hour', now() - interval '1 hour', now(), false, '{}',
       CASE WHEN n %% 20 > 0 THEN now() END FROM generate_series(1, %(units)s) n;
INSERT INTO campaign (public_id, number, kind, state, product_id, content, audience, authors, created_at, edited_by,
                      edited_at, approved_by, published_at, units)
SELECT 'c' || n, 'R-2026-' || n, CASE WHEN n > 2 THEN 'update' ELSE 'recall' END, 'published', n %% 5 + 1, %(content)s,
       '{"by": "lots", "lots": ["L1"]}', '{1}', now(), 1, now(), 2, now(), %(units)s / 5
FROM generate_series(1, %(campaigns)s) n;
INSERT INTO campaign_unit (campaign_id, unit_id, standing, matched, person_id, owned_since)
SELECT c.id, o.unit_id, 'affected', 'lot', o.person_id, lower(o.during)
FROM campaign c JOIN unit u ON u.product_id = c.product_id JOIN ownership o ON o.unit_id = u.id;
INSERT INTO notice (public_id, person_id, unit_id, rule_id, campaign_id, kind, owned_since, severity, state, text, why,
                    created_at, updated_at, read_at, acknowledged_at)
SELECT 'n' || row_number() OVER (ORDER BY n, c.id, o.unit_id), o.person_id, o.unit_id,
       CASE WHEN c.id IS NULL THEN 'r1' END, c.id, coalesce(c.kind, 'alarm'),
       CASE WHEN c.id IS NOT NULL THEN lower(o.during) END, CASE c.kind WHEN 'recall' THEN 'safety' ELSE 'warning' END,
       CASE WHEN c.id IS NULL AND o.unit_id %% 20 > 0 THEN 'resolved' ELSE 'open' END,
       CASE WHEN c.id IS NULL THEN %(text)s::jsonb END,
       CASE WHEN c.id IS NULL THEN %(alarm_why)s::jsonb ELSE %(campaign_why)s::jsonb END,
       now() - (%(per_unit)s - n) * interval '3 days', now(), CASE WHEN n < %(per_unit)s THEN now() END,
       CASE WHEN o.unit_id %% 4 > 0 THEN now() END
FROM ownership o
JOIN unit u ON u.id = o.unit_id
CROSS JOIN generate_series(1, %(per_unit)s) n
LEFT JOIN campaign c ON c.product_id = u.product_id AND c.id = (u.id + 4) %% 5 + CASE n WHEN 2 THEN 1 WHEN 3 THEN 6 END;
INSERT INTO campaign_text (campaign_id, kind, language, document, schema)
SELECT id, kind, 'en', %(document)s, 1 FROM campaign;
INSERT INTO outbox (notice_id, channel, due_at, status, reason, finished_at)
SELECT n.id, d.channel, n.created_at, 'delivered', 'nothing spoke against it', n.created_at
FROM notice n, unnest('{push,email}'::text[]) AS d (channel) WHERE d.channel = 'push' OR n.id %% 5 = 0;
INSERT INTO campaign_figure (campaign_id, figure, amount, is_sum)
SELECT c.id, f, 1000, true
FROM campaign c, unnest('{units,registered,due,closed,notified,seen,acknowledged}'::text[]) f;
INSERT INTO campaign_figure (campaign_id, channel, figure, amount, is_sum)
SELECT c.id, d, f, 1000, true
FROM campaign c, unnest('{feed,email,push}'::text[]) d,
     unnest('{waiting,claimed,delivered,failed,skipped,opened}'::text[]) f;
INSERT INTO campaign_figure (campaign_id, figure, amount)
SELECT c.id, 'seen', 1 FROM campaign c, generate_series(1, 49);
RESET session_replication_role
"""
_TEXT = {"en": "The pump may catch fire", "de": "Die Pumpe kann Feuer fangen"}
_CONTENT = {
    "kind": "recall", "title": _TEXT, "hazard": _TEXT, "action": "unplug", "action_text": _TEXT,
    "remedies": ["refund"], "remedy_text": {}, "contact": {"phone": "0800", "email": None, "url": None},
}  # fmt: skip
_NOTICE = {"title": "Switch the pump off", "body": "It is 97 °C, and the limit is 90 °C.", "action": "Let it cool."}
_ALARM_WHY = {
    "rule": "r1", "version": 1, "sentence": "Raise *Too hot* when the temperature is above 90 °C for 10 s",
    "plain": "The temperature was above 90 °C for 10 s", "metric": "m1", "title": "Temperature", "value": 97.0,
    "extreme": 99.0, "unit": "°C", "limit": 90.0, "onset": "2026-01-01T00:00:00Z",
    "raised_at": "2026-01-01T00:00:10Z", "cleared_at": "2026-01-01T01:00:00Z", "cleared_value": 60.0,
    "told_because": "owner since 2024-01-01",
}  # fmt: skip
_CAMPAIGN_WHY = {
    "number": "R-2026-1", "matched": "lot L1", "owned_since": "2024-01-01T00:00:00Z",
}  # fmt: skip
_DOCUMENT = {
    "text": _NOTICE,
    "details": {
        "number": "R-2026-1", "hazard": "The motor overheats.", "action": "unplug", "action_text": "Unplug it now.",
        "remedies": ["refund"], "remedy_text": "We bring a new one.", "contact": _CONTENT["contact"],
        "published_at": "2026-01-01T00:00:00Z",
    },
}  # fmt: skip


_NAMES = {
    "models": ["HP90", "AC24", "RM500", "XT7", "ZZ1"],
    "first": ["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hannes", "Ines", "Jürgen", "Karl", "Lena",
              "Moritz", "Nina", "Oskar", "Paula", "Quentin", "Ronja", "Sönke", "Tilda"],
    "last": ["Schmidt", "Müller", "Weiß", "Novak", "Groß", "Öztürk", "Bäcker", "Horvat", "Petersen", "Roth"],
    "streets": ["Bahnhofstraße", "Gartenweg", "Lindenallee", "Mühlgasse", "Am Markt"],
    "towns": ["Berlin", "Hamburg", "München", "Köln", "Dresden", "Ulm", "Kiel"],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who is signed in, and one of their units."""

    person_id: int
    unit: str

    @property
    def cookie(self) -> dict[str, str]:
        """Their session, as a browser sends it."""
        return {"Cookie": f"session=token-{self.person_id}"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print the result as one JSON object last."""
    parser = argparse.ArgumentParser(prog="bench.feed", description=__doc__)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--notices-per-unit", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400, help="of each page")
    parser.add_argument("--json", action="store_true", help="only the result")
    given = parser.parse_args(arguments)
    try:
        with database() as url, tempfile.TemporaryDirectory() as folder:
            result = _measure(url, Path(folder), given)
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(result, indent=None if given.json else 2))


def _measure(url: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    if given.units < LARGEST + 40:
        raise Unavailable(f"There must be {LARGEST + 40} units or more: one owner has {LARGEST} of them.")
    begun = time.monotonic()
    with connect(url, "bench") as db:
        _fill(db, given.units, given.notices_per_unit)
        counts = db.execute("SELECT (SELECT count(*) FROM ownership) AS registered, count(*) AS notices FROM notice")
        result: dict[str, Any] = {"units": given.units, **(counts.fetchone() or {})}
        result["fill_s"] = round(time.monotonic() - begun, 1)
        owners = _owners(db, given.requests)
        port = free_port()
        with running("api", folder, database_url=url, http_port=port, public_url=f"http://127.0.0.1:{port}") as role:
            role.wait(lambda: is_ready(port), WAIT_S, pause=0.1)
            result |= _ratios(port, owners)
            result |= search_ratios(port, searched(db, given.requests), Owner(given.units + 1, "").cookie)
        return result | progress_ratio(db, 1)


def _fill(db: Connection, units: int, per_unit: int) -> None:
    parameters = {
        "units": units, "per_unit": per_unit, "campaigns": CAMPAIGNS, "largest": LARGEST,
        "content": json.dumps(_CONTENT), "text": json.dumps(_NOTICE), "alarm_why": json.dumps(_ALARM_WHY),
        "campaign_why": json.dumps(_CAMPAIGN_WHY), "document": json.dumps(_DOCUMENT),
    } | _NAMES  # fmt: skip
    for statement in _FILL.strip().split(";\n"):
        db.execute(statement, parameters)  # type: ignore[call-overload]
    db.execute("VACUUM ANALYZE")


def _owners(db: Connection, requests: int) -> list[Owner]:
    """Random owners, and the one with the most units."""
    rows = db.execute("SELECT min(unit_id) AS unit, person_id FROM ownership GROUP BY person_id ORDER BY person_id")
    everybody = [Owner(row["person_id"], f"u{row['unit']}") for row in rows]
    return [everybody[0], *random.Random(SEED).choices(everybody, k=requests - 1)]


def is_ready(port: int) -> bool:
    """Whether the server on this port of loopback returns a sign of life."""
    try:
        return took_ms(http.client.HTTPConnection("127.0.0.1", port), "/healthz", {}) > 0
    except OSError:
        return False


def _ratios(port: int, owners: Sequence[Owner]) -> dict[str, Any]:
    """Asks for each page of each owner in turn. Returns the medians, and the worst ratio to the session's check."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    paths = {"session": "/api/me", "my_products": "/api/my/units", "feed": "/api/my/feed?limit=30", "unit": None}
    took: dict[str, list[float]] = {name: [] for name in paths}
    warm_up = owners[:WARM_UP]
    for owner in [*warm_up, *owners]:
        for name, path in paths.items():
            took[name].append(took_ms(client, path or f"/api/my/units/{owner.unit}", owner.cookie))
    p50 = {name: statistics.median(times[len(warm_up) :]) for name, times in took.items()}
    session = p50.pop("session")
    ratios = {name: round(page / session, 2) for name, page in p50.items()}
    return {
        "ratio_p50": max(ratios.values()),
        "ratios": ratios,
        "session_p50_ms": round(session, 2),
        "p50_ms": {name: round(each, 2) for name, each in p50.items()},
        "largest_owner_ms": {name: round(times[len(warm_up)], 2) for name, times in took.items()},
    }


if __name__ == "__main__":
    main()
