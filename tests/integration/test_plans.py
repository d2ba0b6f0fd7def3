"""The plan of every named query on a filled store: by an index, without compiling, and on the asked days only.

A query without a plan check or a stated reason fails here, so that a new one cannot be forgotten.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.store import load_queries
from gateway.store.timeseries import TimeSeries
from tests.dsl.filled import LAST_DAY, UNITS, fill
from tests.dsl.plans import nodes, plan_of

pytestmark = pytest.mark.both

MANY = 1_000
"""Rows of a table that is not read as a whole."""
NOW = datetime.combine(LAST_DAY, time(12), UTC)
SINCE, UNTIL = NOW - timedelta(days=9), NOW - timedelta(days=7)
EARLIER = NOW - timedelta(days=400)

REASONS = {
    "table": "makes a temporary table",
    "start": "read as a whole, once at a start or after an import",
    "bounded": "of a table that has ten thousand rows at most, for a page, a metric or hourly maintenance",
    "staff": "counts or keeps what may be every unit or owner, because a person asked for that",
    "timescale": "asks what only TimescaleDB has",
}
EXEMPT = {
    "readings.stage": "table",
    "readings.stage_latest": "table",
    "ingest.receipts": "start",
    "ingest.quarantine_counts": "bounded",
    "ingest.quarantine_senders": "bounded",
    "ingest.refuse_again": "bounded",
    "ingest.trim_quarantine": "bounded",
    "events.count_dead_letters": "bounded",
    "notify.alarms_of_new_owners": "start",
    "registrations.registry_at": "start",
    "rules.in_force_at": "start",
    "store.chunk_spans": "timescale",
    "store.count_chunks": "timescale",
    "store.failed_timescale_jobs": "timescale",
    "store.make_hypertable": "timescale",
    "campaigns.count": "staff",
    "campaigns.freeze": "staff",
    "campaigns.freeze_cleared": "staff",
    "campaigns.choices": "staff",
    "support.products.refused": "bounded",
}

UNIT_IDS = list(range(1, UNITS, UNITS // 50))
SERIALS = [f"S{n}" for n in UNIT_IDS]
FIFTY = len(UNIT_IDS)
PARAMETERS: dict[str, Any] = {
    # One of each
    "account_id": 77, "campaign_id": 7, "id": 77, "metric_id": 1, "notice_id": 77,
    "person_id": 77, "product_id": 3, "unit_id": 77,
    "code": "p3", "email": "o77@example.org", "metric": "m1", "notice": "n77", "number": "R-2026-7",
    "product": "p3", "public_id": "u77", "rule_id": "r1", "serial": "S77", "subject": "a77", "token_hash": b"\x07",
    "to_email": "o77@example.org", "unit": "u77", "value": "x", "name": "notify",
    # Lists of units
    "after_serial": "", "began_at": NOW, "cadences": 30, "final": 1, "first": 0, "lot": "L7", "pass": 2,
    "registered": True, "rule": "r1", "severities": ["warning"], "words": "S777",
    "scanned": "S777", "phone": "030 123456", "word1": "Weiss", "word2": "S777", "word3": "",
    "pattern": "%s777%", "pattern1": "%o777%", "pattern2": "%%", "pattern3": "%%", "alarm": 77,
    "text1": "o777", "text2": "", "text3": "",
    # Several
    "ids": [7, 8], "unit_ids": UNIT_IDS, "units": UNIT_IDS, "serials": SERIALS, "typed": SERIALS, "lots": ["L7"],
    "codes": ["p3"] * FIFTY, "firmwares": ["2.9"] * FIFTY, "formers": [3, 4], "in_force": [1, 2], "metric_ids": [1, 2],
    "channels": ["email"], "taken": [7, 8], "ats": [NOW] * FIFTY, "moments": [NOW] * FIFTY, "boots": [1] * FIFTY,
    "details": [""] * FIFTY, "media_type": "image/png", "payloads": [b""] * FIFTY,
    "product_ids": [3] * FIFTY, "reasons": ["r7"] * FIFTY,
    "received": [1] * FIFTY, "sizes": [1] * FIFTY, "topics": ["t"] * FIFTY,
    "clear": ["lot"], "conflicting": [0] * FIFTY, "ignored": ["{}"] * FIFTY, "kinds": ["units"], "last": [1] * FIFTY,
    "person_ids": UNIT_IDS, "places": [7, 8], "products": ["p3"], "replayed": [False] * FIFTY, "rules": [1, 2],
    "senders": ["p3/S7"] * FIFTY, "unkept": [0] * FIFTY, "alarm_ids": [7, 8], "rule_ids": ["r1"] * FIFTY,
    "sinces": [SINCE] * FIFTY, "notice_ids": [7, 8], "rows": "[]", "outbox_ids": UNIT_IDS,
    "emails": ["o77@example.org"] * FIFTY,
    # A job with few rows beside large ones
    "job": 9, "turn": 1, "after_product": 0, "upto_product": 5, "upto_serial": "S9", "upto": "p",
    # Times and places
    "now": NOW, "at": NOW, "since": SINCE, "until": UNTIL, "begin": SINCE, "end": UNTIL, "after": 100, "before": 20_000,
    "after_time": SINCE, "after_metric": 1, "place": 19_900, "seq": 290, "keep": 9_000, "keep_bytes": 1_000,
    "limit": 50, "count": 50, "most": 200_000, "cleared_at": NOW, "due_at": NOW, "expires_at": NOW,
    "finished_at": NOW, "longer_than": timedelta(seconds=5), "window": timedelta(hours=1), "newer": 4,
    "lease": NOW, "raised_at": NOW, "used_at": None,
    "tries": 1, "known_at": NOW, "known_ats": [NOW] * FIFTY, "ahead": 3, "bytes": 1_000_000, "batches": 50,
    "day": LAST_DAY, "next_try_at": NOW,
    "pause": timedelta(minutes=1),
    "revision": 990, "share": 100, "year": 2026,
    # Lists of the staff
    "severity": "warning", "versions": [1, 2], "assignee": None, "unassigned": True, "newest": False,
    "rank": 2, "minus": -40_000, "looked": 10_000, "of_unit": 1_000, "of_one": 1_000,
    "persons": None, "alarm_id": 77, "acts": 1, "acknowledged_at": NOW, "acknowledged_by": 7,
    "assignee_id": None, "verdict": None, "resolved_at": None,
    # Whatever else is written
    "actor": "test", "arguments": "{}", "attempts": 1, "audience": "{}", "done": 1, "error": "x",
    "fresh": b"", "owner": "w1", "phase": "check", "push": True, "reader": "notify", "result": "{}", "schema": 1,
    "total": 7, "what": "test", "below": "2.3", "brand": "B", "cadence": "1s", "channel": "email",
    "clearing": "{}", "code_hash": b"", "content": "{}", "data": "{}", "digest": "d", "document": "{}",
    "evidence": "{}",
    "detail": "{}", "key": "o77", "lock": 1, "roles": ["worker"], "sign_of_life": "x", "user": "gateway_owner",
    "former": 3, "gtin": None, "high": 1.0, "historic": False, "kind": "opened",
    "language": "en", "low": 0.0, "messages": b"", "model": "M", "normal_high": None, "normal_low": None,
    "partition": 1, "password_hash": "x", "platform": "ios", "position": 1,
    "purpose": "confirm", "readings": b"", "reason": "r7", "receipts": False, "role": "customer",
    "safety": True, "standing": "affected", "state": "published", "status": "delivered",
    "supersedes": 7, "template": "confirm", "ticket": None, "time_zone": "Europe/Berlin", "title": "{}",
    "version": 1, "partitions": [1], "withdraws": None, "alarms": 100, "support_until": None,
    "staff": None, "person": "o77", "page": "record", "draft": "d77", "text": "x", "direction": None, "minutes": None,
    "happened_at": NOW, "prefix": "S77%", "found": [77, 78], "account": None, "act": "role",
    # Rolling up
    "to": NOW, "rolled_to": NOW, "rolling_to": NOW, "deleted_to": NOW, "after_unit": 77, "metrics": [1] * FIFTY,
    "untils": [SINCE + timedelta(hours=1)] * FIFTY, "keep_raw": None, "keep_hour": None, "keep_day": None,
    "hours": LAST_DAY, "days": LAST_DAY, "levels": ["raw"], "level": "raw",
}  # fmt: skip
"""By name; what a query calls otherwise stands in `OTHERS`."""
ALARMS: dict[str, Any] = {"versions": [1] * FIFTY, "units": UNIT_IDS, "onsets": [NOW] * FIFTY}
OTHERS: dict[str, dict[str, Any]] = {
    "alarms.insert_act": {"act": "comment", "text": "x", "value": None},
    "alarms.page": {"units": None, "low": 0, "high": 11},
    "alarms.counts": {"units": None},
    "alarms.hold": {"public_id": "x77"},
    "alarms.record": {"public_id": "x77"},
    "alarms.units_of_words": {"begin": "S77%"},
    "alarms.versions_of": {"title": "%R%"},
    "notify.counted": {"units": None, "alarms": True, "title": None, "low": 0, "high": 6},
    "notify.listed": {"units": None, "alarms": True, "title": None, "low": 0, "high": 6},
    "notify.records": {"public_id": "n77"},
    "notify.units_begun": {"begin": "S77%"},
    "registrations.set_picture": {"content": b""},
    "accounts.forget_browsers": {"before": EARLIER},
    "accounts.forget_codes": {"before": EARLIER},
    "accounts.forget_sessions": {"before": EARLIER},
    "campaigns.count_lines": {"kind": None, "product": None},
    "campaigns.lines": {"kind": None, "product": None, "state": None},
    "campaigns.forget_candidates": {"before": EARLIER},
    "campaigns.publish": {"units": 50},
    "catalog.drop_unjudged": {"before": EARLIER},
    "catalog.keep_unjudged": {"products": [3], "readings": [b""]},
    "events.drop_places": {"before": EARLIER},
    "events.read_kinds": {"last": 20_000, "kinds": ["x"]},
    "jobs.advance": {"lease": timedelta(minutes=1), "place": "{}"},
    "jobs.create": {"lease": timedelta(minutes=1)},
    "jobs.forget": {"before": EARLIER},
    "jobs.renew": {"lease": timedelta(minutes=1)},
    "jobs.take": {"lease": timedelta(minutes=1)},
    "readings.raise_floors": {"products": [3], "days": [LAST_DAY]},
    "readings.trim_conflicting": {"before": EARLIER},
    "ingest.trim_senders": {"messages": [1] * FIFTY},
    "support.products.drop_figures": {"first": 2, "final": 1},
    "support.products.forget_alarm_figures": {"before": EARLIER.date()},
    "support.units.candidates": {"products": [3]},
    "support.units.count": {"products": [3], "most": 2_001, "prefix": "S77%", "firmware": "2.4"},
    "support.units.facts": {"ids": UNIT_IDS, "products": None, "lot": None, "firmware": None},
    "support.units.by_serial": {"products": None, "lot": None, "firmware": None, "most": 200, "prefix": None},
    "support.units.in_alarm": {"most": 200, "products": None},
    "support.units.in_campaigns": {"kind": "recall", "products": [3], "most": 200},
    "support.units.in_order": {"products": None, "most": 200},
    "support.units.notices": {"limit": 10},
    "support.units.saved": {"ids": UNIT_IDS},
    "support.units.shown": {"ids": UNIT_IDS, "unit": None},
    "support.units.silent": {"products": None, "most": 200},
    "notify.abandoned": {"before": NOW},
    "notify.bring_forward": {"channels": ["email"] * 2, "reasons": ["r7"] * 2},
    "notify.channels.email.addresses": {"person_ids": [7, 8]},
    "notify.channels.push.retire": {"ids": [7, 8], "reasons": ["r7"] * 2},
    "notify.reaches": {"person_ids": [7, 8]},
    "notify.insert_next": {"channels": ["email"] * 2, "reasons": ["r7"] * 2},
    "notify.insert_tries": {
        "keys": [None] * FIFTY,
        "attempts": [1] * FIFTY,
        "outcomes": ["retry"] * FIFTY,
        "provider_ids": [None] * FIFTY,
    },
    "notify.settle": {
        "ids": UNIT_IDS,
        "claims": [NOW] * FIFTY,
        "statuses": ["delivered"] * FIFTY,
        "due": [None] * FIFTY,
        "finished": [NOW] * FIFTY,
        "provider_ids": [None] * FIFTY,
    },
    "notify.skip": {"ids": UNIT_IDS},
    "support.search.campaigns": {"words": "S777"},
    "support.search.compared": {"words": "S777"},
    "support.search.notices": {"notice": 77},
    "support.search.people_begun": {"words": "S777"},
    "support.search.units_begun": {"words": "S777"},
    "notify.link_alarms": {"person_ids": [7, 8]},
    "notify.show": {"reasons": ["r", None]},
    "notify.forget_engagements": {"before": EARLIER},
    "notify.forget_ledger": {"before": EARLIER},
    "notify.forget_letters": {"before": EARLIER},
    "notify.forget_notices": {"before": EARLIER},
    "notify.forget_phones": {"before": EARLIER},
    "notify.forget_tries": {"before": EARLIER},
    "registrations.bring_languages": {"after": ""},
    "registrations.bring_people": {"after": ""},
    "registrations.name_place": {"place": "Cellar"},
    "registrations.next_people": {"after": ""},
    "registrations.upsert_product": {"name": "{}", "serial_hint": "{}", "code_hint": "{}"},
    "rules.clear_alarms": ALARMS | {"cleared_at": [NOW] * FIFTY, "clearings": ["{}"] * FIFTY},
    "rules.forget_alarms": {"before": EARLIER},
    "rules.insert_alarms": ALARMS
    | {"public_ids": [f"new{n}" for n in range(FIFTY)], "severities": ["warning"] * FIFTY, "raised_at": [NOW] * FIFTY}
    | {"historic": [False] * FIFTY, "evidence": ["{}"] * FIFTY},
    "store.forget_tries": {"before": EARLIER},
    "accounts.forget_acts": {"before": EARLIER},
    "support.forget_looks": {"before": EARLIER},
    "support.people_ids": {"language": None},
    "support.recalled_people_ids": {"language": None},
    "support.forget_notes": {"before": EARLIER},
    "support.looks": {"unit": None},
    "support.count_looks": {"unit": None, "most": 10_001},
    "support.trim_notes": {"most": 1_000},
}

INDEXES = {
    "jobs.take": "job_open",
    "ingest.retry_asked": "quarantine_retry",
    "alarms.page": "alarm_by_urgency",
    "notify.listed": "notice_by_urgency",
    "support.units.by_serial": "unit_serial",
}
"""Below a limit any index looks well; without these a search for what is not there would walk a table to its end."""
EVERY_DAY = {"readings.mark_conflicting_waiting"}
"""Planned with every day and run on the days of its readings, by the key; seldom: while readings wait for a day."""


def named_queries() -> Iterator[tuple[str, str, str]]:
    """Package, name and text of every named query."""
    for file in sorted(Path(gateway.__file__).parent.rglob("queries.sql")):
        parts = file.parent.relative_to(Path(gateway.__file__).parent).parts
        queries = load_queries(".".join(["gateway", *parts]))
        for name in queries.sentences:
            yield ".".join(parts), name, getattr(queries, name).as_string()


def wrong_in(plan: dict[str, Any], large: set[str], days: set[str]) -> list[str]:
    """What makes a plan too dear. A partial index may be read whole: it holds what is waiting or open."""
    found = ["it is compiled"] if "JIT" in plan else []
    for node, limited in nodes(plan["Plan"]):
        table = node.get("Relation Name", "")
        if node["Node Type"].endswith("Scan") and re.fullmatch(r"telemetry_\d{8}", table) and table not in days:
            found.append(f"{table} was not asked for")
        if table not in large:
            continue
        if node["Node Type"] == "Seq Scan":
            found.append(f"reads all of {table}")
        whole = node["Node Type"] in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
        if whole and not limited and node["Index Name"] in large:
            found.append(f"reads all of {table} through {node['Index Name']}")
    return found


def day_partitions(arguments: dict[str, Any]) -> set[str]:
    begin, end = (
        arguments.get(first, arguments.get(second)) for first, second in (("since", "begin"), ("until", "end"))
    )
    if begin is None or end is None:
        return set()
    count = (end - begin).days + 2
    every = (begin.date() + timedelta(days=n) for n in range(count))
    return {f"telemetry_{day:%Y%m%d}" for day in every if day <= end.date()}


def test_every_query_finds_what_it_needs_by_an_index_and_on_the_asked_days(db, subtests):
    if TimeSeries(db).is_hypertable:
        pytest.skip("this server has TimescaleDB, whose plans look otherwise")
    fill(db)
    readings = load_queries("gateway.readings")
    db.execute(readings.stage)
    db.execute(readings.stage_latest)
    large = {row["name"] for row in db.execute("SELECT relname AS name FROM pg_class WHERE reltuples >= %s", [MANY])}
    assert large >= {"unit", "person", "ownership", "alarm", "notice", "outbox", "event_202606", "event_place"}
    assert large >= {"telemetry_20260601", "import_unit", "import_owner", "job", "alarm_due", "known_browser"}
    for package, name, text in named_queries():
        key = f"{package}.{name}"
        if key in EXEMPT:
            assert EXEMPT[key] in REASONS
            continue
        with subtests.test(key):
            given = PARAMETERS | OTHERS.get(key, {})
            arguments = {each: given[each] for each in re.findall(r"%\((\w+)\)[sb]", text)}
            plan = plan_of(db, name, text, arguments)
            days = large if key in EVERY_DAY else day_partitions(arguments)
            assert wrong_in(plan, large, days) == []
            used = {node.get("Index Name") for node, _ in nodes(plan["Plan"])}
            assert INDEXES.get(key) in used | {None}


def test_what_an_owner_has_of_one_unit_is_looked_up_by_unit_and_owner(db):
    """Else each of 400 units would read all 400 ownerships, and a page of them cost 40,000."""
    fill(db)
    db.execute("SET session_replication_role = replica")
    db.execute("UPDATE ownership SET person_id = 77 WHERE unit_id <= 400")
    db.execute("ANALYZE ownership")
    text = load_queries("gateway.registrations").my_units.as_string()
    arguments = {"after": 0, "unit": None, "limit": 100}
    plan = plan_of(db, "my_units", text, arguments)
    of_units = [node for node, _ in nodes(plan["Plan"]) if node.get("Subplan Name", "").startswith("SubPlan")]
    scans = [scan for node in of_units for scan, _ in nodes(node) if scan.get("Relation Name") == "ownership"]
    assert len(scans) == 4, "of readings, alarms, campaigns and checks"
    assert [scan for scan in scans if "unit_id" not in scan.get("Index Cond", "")] == []


def test_no_exemption_and_no_parameter_is_of_a_query_that_is_gone():
    texts = {f"{package}.{name}": text for package, name, text in named_queries()}
    assert set(EXEMPT) | set(OTHERS) | set(INDEXES) | EVERY_DAY <= set(texts)
    named = {key: set(re.findall(r"%\((\w+)\)[sb]", text)) for key, text in texts.items()}
    assert set(PARAMETERS) <= set[str]().union(*named.values())
    assert [key for key, given in OTHERS.items() if not set(given) <= named[key]] == []


def test_a_plan_that_is_too_dear_is_seen(db):
    """What the check above stands on."""
    db.execute("CREATE TABLE telemetry_20200101 AS SELECT n FROM generate_series(1, 2000) n")
    db.execute("ANALYZE telemetry_20200101")
    table, index = "telemetry_20200101", "telemetry_20200101_n_idx"
    text = "SELECT count(*) FROM telemetry_20200101 WHERE n = %(n)s"
    whole = plan_of(db, "count", text, {"n": 7})
    assert wrong_in(whole, {table}, {table}) == [f"reads all of {table}"]
    assert wrong_in(whole, set(), set()) == [f"{table} was not asked for"]
    db.execute("CREATE INDEX ON telemetry_20200101 (n)")
    db.execute("VACUUM ANALYZE telemetry_20200101")
    assert wrong_in(plan_of(db, "count", text, {"n": 7}), {table, index}, {table}) == []
    db.execute("SET enable_seqscan = off")
    db.execute("SET enable_bitmapscan = off")
    walked = plan_of(db, "count", "SELECT count(*) FROM telemetry_20200101", {})
    assert wrong_in(walked, {table, index}, {table}) == [f"reads all of {table} through {index}"]
    first = plan_of(db, "first", "SELECT n FROM telemetry_20200101 ORDER BY n LIMIT 1", {})
    assert wrong_in(first, {table, index}, {table}) == []
    assert wrong_in(walked | {"JIT": {"Functions": 3}}, set(), {table}) == ["it is compiled"]
