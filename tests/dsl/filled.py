"""A small database with history: tables large enough for the planner to choose plans, filled by SQL."""

from datetime import UTC, date, datetime, time, timedelta

from gateway.store import Connection
from gateway.store.timeseries import TimeSeries

LAST_DAY = date(2026, 6, 30)
DAYS = 30
UNITS, PEOPLE = 20_000, 10_000

# Triggers and references are off; the ids fit together.
_FILL = """
SET session_replication_role = replica;
INSERT INTO product (code, model, brand, name) SELECT 'p' || n, 'M', 'B', '{"en": "P"}' FROM generate_series(1, 5) n;
INSERT INTO metric (name) SELECT 'm' || n FROM generate_series(1, 4) n;
INSERT INTO product_metric (product_id, metric_id, position, title, unit, low, high, cadence)
SELECT p, m, m, '{"en": "M"}', '1', 0, 1, '1s' FROM generate_series(1, 5) p, generate_series(1, 4) m;
INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware, firmware_reported_at)
SELECT 'u' || n, n %% 5 + 1, 'S' || n, 'S' || n, 'L' || n %% 500, '2.' || n %% 9,
       CASE WHEN n %% 4 > 0 THEN %(now)s::timestamptz END
FROM generate_series(1, %(units)s) n;
INSERT INTO person (public_id, name, email)
SELECT 'o' || n, 'Person', 'o' || n || '@example.org' FROM generate_series(1, %(people)s) n;
INSERT INTO ownership (unit_id, person_id, during)
SELECT n, n %% %(people)s + 1, tstzrange('2024-01-01', NULL) FROM generate_series(1, %(units)s) n;
INSERT INTO account (public_id, person_id, role, created_at)
SELECT 'a' || n, n, 'customer', %(now)s FROM generate_series(1, %(people)s) n;
INSERT INTO identity (issuer, subject, account_id) SELECT 'local', 'a' || n, n FROM generate_series(1, %(people)s) n;
INSERT INTO session (token_hash, account_id, created_at, seen_at, expires_at)
SELECT sha256(n::text::bytea), n, %(now)s, %(now)s, %(now)s + n * interval '1 minute'
FROM generate_series(1, %(people)s) n;
INSERT INTO known_browser (token_hash, account_id, seen_at, expires_at)
SELECT sha256(n::text::bytea), n, %(now)s, %(now)s + n * interval '1 minute' FROM generate_series(1, %(people)s) n;
INSERT INTO sign_in_code (email, purpose, code_hash, created_at, expires_at, used_at, data)
SELECT 'o' || n || '@example.org', 'confirm', '\\x00', %(now)s, %(now)s + n * interval '1 minute',
       CASE WHEN n %% 50 > 0 THEN %(now)s::timestamptz END, '{}' FROM generate_series(1, %(people)s) n;
INSERT INTO attempt (kind, key, at)
SELECT 'sign_in', 'o' || n, %(now)s + n * interval '1 second' FROM generate_series(1, 10000) n;
INSERT INTO letter (to_email, template, language, data, created_at, due_at, status, finished_at)
SELECT 'o', 'confirm', 'en', '{}', %(now)s, %(now)s, CASE WHEN n %% 500 > 0 THEN 'sent' ELSE 'waiting' END,
       CASE WHEN n %% 500 > 0 THEN %(now)s - n * interval '1 minute' END
FROM generate_series(1, 10000) n;
INSERT INTO unit_firmware (unit_id, slot, number, at, firmware, reported)
SELECT n / 2, n %% 2, n %% 2, %(now)s, '2.9', true FROM generate_series(1, 10000) n;
INSERT INTO unit_silence (unit_id, product_id) SELECT n, n %% 5 + 1 FROM generate_series(1, 5000) n;
INSERT INTO unit_pass (number, began_at, finished_at) VALUES (1, %(now)s, %(now)s);
INSERT INTO unit_figure (pass, product_id, lot, firmware, units, registered, silent)
SELECT n %% 2 + 1, n %% 5 + 1, 'L' || n, '2.' || n %% 9, 9, 5, 1 FROM generate_series(1, 5000) n;
INSERT INTO alarm_figure (product_id, rule_id, firmware, day, alarms)
SELECT n %% 5 + 1, 'r' || n %% 7, '2.' || n, %(now)s::date - n %% 90, 9 FROM generate_series(1, 5000) n;
INSERT INTO claim_code (unit_id, code_hash)
SELECT n, decode(repeat('00', 48), 'hex') FROM generate_series(1, %(units)s) n;
INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at, retired_at, retired_reason)
SELECT 'k' || n, n, 'token', 'k' || n, 'ios', %(now)s, CASE WHEN n %% 4 = 0 THEN %(now)s - n * interval '1 minute' END,
       CASE WHEN n %% 4 = 0 THEN 'x' END
FROM generate_series(1, 5000) n;
INSERT INTO suppression (email, at, reason)
SELECT 'o' || n || '@example.org', %(now)s, 'x' FROM generate_series(1, 2000) n;
INSERT INTO preference (person_id, channel, updated_at) SELECT n, 'email', %(now)s FROM generate_series(1, 5000) n;
INSERT INTO latest (unit_id, metric_id, time, value, received_at)
SELECT u, m, %(now)s, 1, %(now)s FROM generate_series(1, 5000) u, generate_series(1, 4) m;
INSERT INTO telemetry (unit_id, metric_id, time, value, received_at, late)
SELECT u, m, d, 1, d, false FROM generate_series(1, 1750) u, generate_series(1, 4) m,
       generate_series(%(begin)s::timestamptz, %(now)s, '1 day') d;
INSERT INTO conflicting_reading (unit_id, metric_id, time, value, received_at)
SELECT n, 1, %(now)s, 2, %(now)s FROM generate_series(1, 10000) n;
INSERT INTO conflicting_count (unit_id, readings, last_at) SELECT n, 1, %(now)s FROM generate_series(1, 10000) n;
INSERT INTO telemetry_waiting (time, unit_id, metric_id, value, received_at, late)
SELECT %(begin)s - d * interval '1 day', u, 1, 1, %(now)s, true
FROM generate_series(1, 1000) u, generate_series(10, 19) d;
INSERT INTO firmware_waiting (unit_id, firmware, reported_at, replayed)
SELECT n, '2.9', %(now)s, false FROM generate_series(1, 10000) n;
INSERT INTO unit_message (unit_id, slot, number, received_at, topic, payload, size)
SELECT u, s, s, %(now)s, 't', '', 0 FROM generate_series(1, 4000) u, generate_series(0, 4) s;
INSERT INTO receipt (unit_id, topic, boot, taken, reset_at)
SELECT n, 't', 0, '{}', CASE WHEN n %% 500 = 0 THEN %(now)s::timestamptz END FROM generate_series(1, 10000) n;
INSERT INTO quarantine (received_at, sender, topic, reason, detail, payload, size, retry_at)
SELECT %(now)s, 'p3/S' || n %% 400, 't', 'r' || n %% 50, '', '', 0, CASE WHEN n %% 500 = 0 THEN %(now)s::timestamptz END
FROM generate_series(1, 10000) n;
INSERT INTO quarantine_count (reason, messages) SELECT 'r' || n, 200 FROM generate_series(0, 49) n;
INSERT INTO quarantine_sender (sender, reason, messages, unkept, last_at)
SELECT 'p3/S' || n, 'r1', 1, 0, %(now)s - n * interval '1 second' FROM generate_series(1, 10000) n;
INSERT INTO catalog_revision (number, actor, what) SELECT n, 'a7', 'a rule' FROM generate_series(1, 1000) n
ON CONFLICT DO NOTHING;
INSERT INTO product_revision (product_id, revision, rules)
SELECT p, r * 300, '{1}' FROM generate_series(1, 500) p, generate_series(1, 3) r;
INSERT INTO product_revision_metric (product_id, revision, metric_id, position, title, unit, low, high, cadence)
SELECT p, r * 300, m, m, '{"en": "M"}', '1', 0, 1, '1s'
FROM generate_series(1, 500) p, generate_series(1, 3) r, generate_series(1, 4) m;
INSERT INTO product_suspension (product_id, product, since, reason, rules) VALUES (3, 'p3', %(now)s, 'x', '{1}');
INSERT INTO unjudged_batch (product_id, seq, at, readings)
SELECT 3, n, %(now)s - (10000 - n) * interval '1 second', '' FROM generate_series(1, 10000) n;
INSERT INTO ingest_journal (seq, at, readings, messages) SELECT n, %(now)s, '', '' FROM generate_series(1, 300) n;
INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)
SELECT 'r' || n / 2, n %% 2 + 1, n %% 5 + 1, '{"title": {"en": "R"}}', 'd', n %% 2 = 1 FROM generate_series(1, 40) n;
INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic, evidence,
                   cleared_at)
SELECT 'x' || n, n %% 40 + 1, n %% %(units)s + 1, 'warning', %(now)s - n * interval '1 minute', %(now)s, %(now)s, false,
       '{}', CASE WHEN n %% 100 > 0 THEN %(now)s::timestamptz END FROM generate_series(1, 50000) n;
INSERT INTO campaign (public_id, number, kind, state, product_id, content, audience, authors, created_at, edited_by,
                      edited_at, approved_by, published_at, units)
SELECT 'c' || n, 'R-2026-' || n, 'recall', 'published', n %% 5 + 1, '{}', '{}', '{1}', %(now)s, 1, %(now)s, 2, %(now)s,
       500
FROM generate_series(1, 40) n;
INSERT INTO campaign_unit (campaign_id, unit_id, standing, matched, due_at)
SELECT n %% 40 + 1, n, 'affected', 'lot', CASE WHEN n %% 500 = 0 THEN %(now)s::timestamptz END
FROM generate_series(1, %(units)s) n;
INSERT INTO campaign_candidate (campaign_id, unit_id, matched, found_at)
SELECT n %% 200 + 1, n, 'lot', %(now)s FROM generate_series(1, 4000) n;
INSERT INTO campaign_figure (campaign_id, figure, amount, is_sum)
SELECT n, 'units', 1, true FROM generate_series(1, 4000) n;
INSERT INTO campaign_figure (campaign_id, figure, amount) SELECT n %% 40 + 1, 'seen', 1 FROM generate_series(1, 400) n;
INSERT INTO ownership_change (unit_id, due_at)
SELECT n, %(now)s + n * interval '1 minute' FROM generate_series(1, 10000) n;
INSERT INTO campaign_number (kind, year, last) VALUES ('R', 2026, 40);
INSERT INTO notice (public_id, person_id, unit_id, rule_id, campaign_id, kind, owned_since, severity, state, text, why,
                    created_at, updated_at, read_at)
SELECT 'n' || n, (n %% %(units)s) %% %(people)s + 1, n %% %(units)s, CASE WHEN n %% 4 > 0 THEN 'r1' END,
       CASE WHEN n %% 4 = 0 THEN n %% 40 + 1 END, CASE WHEN n %% 4 > 0 THEN 'alarm' ELSE 'recall' END,
       CASE WHEN n %% 4 = 0 THEN %(now)s - n * interval '1 minute' END, 'warning',
       CASE WHEN n %% 20 > 0 THEN 'resolved' ELSE 'open' END, '{}', '{}', %(now)s - n * interval '1 minute', %(now)s,
       CASE WHEN n %% 10 > 0 THEN %(now)s::timestamptz END
FROM generate_series(1, 50000) n;
UPDATE notice SET is_held = id %% 500 = 2, visible_at = created_at;
INSERT INTO campaign_text (campaign_id, kind, language, document, schema)
SELECT n, k, l, '{}', 1
FROM generate_series(1, 40) n, unnest('{recall,withdrawal}'::text[]) k, unnest('{en,de}'::text[]) l;
INSERT INTO notice_alarm (notice_id, alarm_id, person_id)
SELECT n, n, n %% %(people)s + 1 FROM generate_series(1, 40000) n;
INSERT INTO alarm_due (alarm_id, due_at)
SELECT n, %(now)s + (n - 50) * interval '1 minute' FROM generate_series(1, 2000) n;
INSERT INTO ledger (at, alarm_id, person_id, notice_id, outcome, reason, steps)
SELECT %(now)s, n, 1, n, 'pass', 'x', '[]' FROM generate_series(1, 40000) n;
INSERT INTO outbox (notice_id, channel, due_at, status, reason, claimed_at)
SELECT n, c, %(now)s, CASE WHEN n %% 500 = 0 THEN 'waiting' WHEN n %% 500 = 1 THEN 'claimed' ELSE 'delivered' END, 'x',
       CASE WHEN n %% 500 = 1 THEN %(now)s::timestamptz END
FROM generate_series(1, 25000) n, unnest('{email,push}'::text[]) c;
INSERT INTO delivery_try (outbox_id, attempt, at, outcome, reason)
SELECT n, 1, %(now)s, 'delivered', 'x' FROM generate_series(1, 25000) n;
INSERT INTO engagement (person_id, notice_id, channel, kind, at)
SELECT n %% %(people)s + 1, n, 'email', 'opened', %(now)s FROM generate_series(1, 20000) n;
SELECT event_make_month(month::date)
FROM generate_series(%(now)s::timestamptz - interval '3 months', %(now)s, interval '1 month') AS month;
INSERT INTO event (id, at, kind, actor, unit_id, data)
SELECT n, %(now)s - (20000 - n) * interval '6 minutes', 'x', 'test', n, '{}' FROM generate_series(1, 20000) n;
INSERT INTO event_place (event_id, at, placed_at) SELECT id, at, at FROM event ORDER BY id;
INSERT INTO event_waiting (event_id, at) SELECT id, at FROM event ORDER BY id DESC LIMIT 500;
INSERT INTO event_reader (name, place) VALUES ('notify', 19900);
INSERT INTO event_dead_letter (reader, place, at, error, first_failed_at, last_failed_at, next_try_at)
SELECT 'notify', place, at, 'x', %(now)s, %(now)s, %(now)s + (place - 50) * interval '1 minute'
FROM event_place WHERE place <= 5000;
INSERT INTO job (public_id, kind, state, actor, arguments, phase, is_tidy, finished_at)
SELECT 'j' || n, 'units', CASE WHEN n %% 100 > 0 THEN 'done' ELSE 'waiting' END, 'test', '{}', 'check', n %% 100 > 0,
       CASE WHEN n %% 100 > 0 THEN %(now)s - n * interval '1 hour' END
FROM generate_series(1, 3000) n;
INSERT INTO import_unit (job_id, product_id, serial, file, line, public_id, printed)
SELECT 7, n %% 5 + 1, 'S' || n, 1, n, 'i' || n, 'S' || n FROM generate_series(1, 20000) n;
INSERT INTO import_unit (job_id, product_id, serial, file, line, public_id, printed)
SELECT 9, product_id, serial, file, line, public_id, printed FROM import_unit WHERE job_id = 7 AND line <= 20;
INSERT INTO import_owner (job_id, product_id, serial, since, file, line, unit, email, public_id, name)
SELECT 7, n %% 5 + 1, 'S' || n, %(now)s, 1, n, 'S' || n, 'o' || n || '@example.org', 'i' || n, 'Person'
FROM generate_series(1, 20000) n;
INSERT INTO import_owner (job_id, product_id, serial, since, file, line, unit, email, public_id, name)
SELECT 9, product_id, serial, since, file, line, unit, email, public_id, name FROM import_owner
WHERE job_id = 7 AND line <= 20;
INSERT INTO import_change (job_id, turn, unit_id, is_new, person_id, since)
SELECT 7, n / 1000, n, true, 77, %(now)s FROM generate_series(1, 20000) n;
INSERT INTO import_change (job_id, turn, unit_id, is_new, person_id, since)
SELECT 9, n / 10, n * 400 + 1, true, 77, %(now)s FROM generate_series(0, 19) n;
UPDATE account SET role = 'support' WHERE id %% 500 = 0;
INSERT INTO staff_act (at, actor, account_id, act)
SELECT %(now)s - (2000 - n) * interval '1 hour', 'o1', n, 'disabled' FROM generate_series(1, 2000) n;
INSERT INTO staff_look (at, account_id, unit_id, page)
SELECT %(now)s - (20000 - n) * interval '1 minute', n %% %(people)s + 1, n, 'record' FROM generate_series(1, 20000) n;
INSERT INTO staff_look (at, account_id, person_id, page)
SELECT %(now)s, n %% %(people)s + 1, n %% %(people)s + 1, 'record' FROM generate_series(1, 20000) n;
INSERT INTO staff_note (public_id, unit_id, person_id, kind, text, happened_at, written_by, written_at, draft)
SELECT 'n' || n, n %% 5000 + 1, n %% 5000 + 1, 'note', 'x', %(now)s, n %% %(people)s + 1,
       %(now)s - (20000 - n) * interval '1 minute', n FROM generate_series(1, 20000) n;
SELECT rollup_make_room(%(now)s::date);
INSERT INTO rollup_hour (unit_id, metric_id, begins, low, high, total, readings, received_from)
SELECT n, 1, date_trunc('hour', %(now)s::timestamptz) - h * interval '1 hour', 0, 1, 1, 2, %(now)s
FROM generate_series(1, 200) n, generate_series(1, 200) h;
INSERT INTO rollup_day (unit_id, metric_id, begins, low, high, total, readings, received_from)
SELECT n, 1, date_trunc('day', %(now)s::timestamptz) - d * interval '1 day', 0, 1, 1, 2, %(now)s
FROM generate_series(1, 1000) n, generate_series(1, 30) d;
INSERT INTO rollup_mark (closed_to, rolled_to) VALUES (%(now)s, %(now)s);
INSERT INTO rollup_touched (unit_id, metric_id, begins)
SELECT n, 1, %(now)s - n * interval '1 hour' FROM generate_series(1, 20000) n;
INSERT INTO installation_secret (name, value) VALUES ('links', '');
UPDATE partition_mark SET seq = 1;
INSERT INTO rule_snapshot (product_id, partition, seq, state)
SELECT p, n, 1, '' FROM generate_series(1, 5) p, generate_series(0, 63) n;
RESET session_replication_role;
"""


def fill(db: Connection) -> None:
    """Fill a migrated database, and update the planner's statistics."""
    days = [LAST_DAY - timedelta(days=back) for back in range(DAYS)]
    TimeSeries(db).ensure_days(days)
    now = datetime.combine(LAST_DAY, time(12), UTC)
    parameters = {"units": UNITS, "people": PEOPLE, "now": now, "begin": now - timedelta(days=DAYS - 1)}
    for statement in _FILL.split(";\n"):
        if statement.strip():
            db.execute(statement, parameters)
    db.execute("VACUUM ANALYZE")
