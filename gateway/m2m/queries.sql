-- name: stage
-- A place for the readings of one batch that may be there already.
CREATE TEMPORARY TABLE IF NOT EXISTS staged (
  place int, time timestamptz, unit_id bigint, metric_id smallint, value float8, received_at timestamptz, late boolean
) ON COMMIT DELETE ROWS;

-- name: insert_staged
-- Store the staged readings that are not there; of two in one batch the first to arrive stands.
INSERT INTO telemetry (time, unit_id, metric_id, value, received_at, late)
SELECT time, unit_id, metric_id, value, received_at, late FROM staged ORDER BY place
ON CONFLICT (unit_id, metric_id, time) DO NOTHING;

-- name: insert_conflicting
-- Keep the staged readings that say otherwise than what stands for their unit, metric and time.
INSERT INTO conflicting_reading (unit_id, metric_id, time, value, received_at)
SELECT s.unit_id, s.metric_id, s.time, s.value, s.received_at
FROM staged s
JOIN telemetry t ON t.unit_id = s.unit_id AND t.metric_id = s.metric_id AND t.time = s.time
WHERE t.value <> s.value
ON CONFLICT DO NOTHING;

-- name: stage_latest
-- A place for the newest readings of one batch.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_latest (
  time timestamptz, unit_id bigint, metric_id smallint, value float8, received_at timestamptz
) ON COMMIT DELETE ROWS;

-- name: upsert_latest
-- Keep the newest reading of each unit and metric.
INSERT INTO latest (unit_id, metric_id, time, value, received_at)
SELECT unit_id, metric_id, time, value, received_at FROM staged_latest
ON CONFLICT (unit_id, metric_id) DO UPDATE
SET time = excluded.time, value = excluded.value, received_at = excluded.received_at
WHERE latest.time < excluded.time;

-- name: insert_quarantine
-- Keep messages that could not be taken whole, and count them by reason, with the time of the last.
WITH kept AS (
  INSERT INTO quarantine (received_at, topic, reason, detail, payload, size)
  SELECT timestamptz 'epoch' + received_us * interval '1 microsecond', topic, reason, detail, payload, size
  FROM unnest(%(received)s::bigint[], %(topics)s::text[], %(reasons)s::text[], %(details)s::text[], %(payloads)s::bytea[],
              %(sizes)s::int[])
    WITH ORDINALITY AS n (received_us, topic, reason, detail, payload, size, place)
  ORDER BY place
  RETURNING reason, received_at
)
INSERT INTO quarantine_count AS c (reason, messages, last_at)
SELECT reason, count(*), max(received_at) FROM kept GROUP BY reason ORDER BY reason
ON CONFLICT (reason) DO UPDATE
SET messages = c.messages + excluded.messages, last_at = greatest(c.last_at, excluded.last_at);

-- name: keep_last
-- Keep the newest messages of units, each in the slot of the oldest; numbers go on where they stood.
WITH given AS (
  SELECT *, row_number() OVER (PARTITION BY unit_id ORDER BY place) AS nth
  FROM unnest(%(units)s::bigint[], %(received)s::bigint[], %(topics)s::text[], %(payloads)s::bytea[], %(sizes)s::int[],
              %(reasons)s::text[], %(details)s::text[])
    WITH ORDINALITY AS n (unit_id, received_us, topic, payload, size, reason, detail, place)
), numbered AS (
  SELECT g.*, g.nth + coalesce((SELECT max(k.number) FROM unit_message k WHERE k.unit_id = g.unit_id), 0) AS number
  FROM given g
)
INSERT INTO unit_message (unit_id, slot, number, received_at, topic, payload, size, reason, detail)
SELECT unit_id, mod(number, 20), number, timestamptz 'epoch' + received_us * interval '1 microsecond', topic, payload, size,
       reason, detail
FROM numbered
ON CONFLICT (unit_id, slot) DO UPDATE
SET number = excluded.number, received_at = excluded.received_at, topic = excluded.topic, payload = excluded.payload,
    size = excluded.size, reason = excluded.reason, detail = excluded.detail;

-- name: trim_quarantine
-- Drop the oldest messages beyond the limit and count them by reason; answers how many went for each reason.
WITH gone AS (
  DELETE FROM quarantine WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC OFFSET %(keep)s LIMIT 1)
  RETURNING reason
), counted AS (
  INSERT INTO quarantine_count AS c (reason, trimmed)
  SELECT reason, count(*) FROM gone GROUP BY reason ORDER BY reason
  ON CONFLICT (reason) DO UPDATE SET trimmed = c.trimmed + excluded.trimmed
)
SELECT reason, count(*) AS messages FROM gone GROUP BY reason ORDER BY reason;

-- name: quarantine_page
-- Quarantined messages, of one reason or of all, the newest first.
SELECT id, received_at, topic, reason, detail, payload, size, retry_at
FROM quarantine WHERE id < %(before)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id DESC LIMIT %(limit)s;

-- name: quarantined
-- One quarantined message.
SELECT id, received_at, topic, reason, detail, payload, size, retry_at FROM quarantine WHERE id = %(id)s;

-- name: quarantine_counts
-- By reason: how many were refused on arrival and when last, how many are here, how many went for want of room.
SELECT reason, coalesce(c.messages, 0) AS messages, coalesce(q.here, 0) AS here, coalesce(c.trimmed, 0) AS trimmed, c.last_at
FROM quarantine_count c
FULL JOIN (SELECT reason, count(*) AS here FROM quarantine GROUP BY reason) q USING (reason)
ORDER BY reason;

-- name: ask_retry
-- Have ingest try messages again that were kept whole; answers how many those are, and how many were cut.
WITH chosen AS (
  SELECT id, size = octet_length(payload) AS whole FROM quarantine
  WHERE (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s)) AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  FOR UPDATE
), asked AS (
  UPDATE quarantine q SET retry_at = now() FROM chosen c WHERE q.id = c.id AND c.whole
)
SELECT count(*) FILTER (WHERE whole) AS asked, count(*) FILTER (WHERE NOT whole) AS cut FROM chosen;

-- name: purge
-- Drop messages for good.
DELETE FROM quarantine
WHERE (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s)) AND (%(reason)s::text IS NULL OR reason = %(reason)s);

-- name: retry_asked
-- The messages that somebody wants tried again, the oldest first.
SELECT id, received_at, topic, payload FROM quarantine WHERE retry_at IS NOT NULL ORDER BY id LIMIT %(limit)s;

-- name: drop_taken
-- Drop the messages that were taken at another try.
DELETE FROM quarantine WHERE id = ANY (%(taken)s);

-- name: refuse_again
-- Let messages stay that were refused again, each with its new reason.
UPDATE quarantine q SET reason = n.reason, detail = n.detail, retry_at = NULL
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(details)s::text[]) AS n (id, reason, detail)
WHERE q.id = n.id;

-- name: receipts
-- What was counted of every unit whose product asks for receipts.
SELECT r.unit_id, r.topic, r.boot, r.taken
FROM receipt r JOIN unit u ON u.id = r.unit_id JOIN product p ON p.id = u.product_id
WHERE p.receipts ORDER BY r.unit_id;

-- name: write_receipts
-- Keep what is counted of units, over what was.
INSERT INTO receipt (unit_id, topic, boot, taken)
SELECT unit_id, topic, boot, taken::int8multirange
FROM unnest(%(units)s::bigint[], %(topics)s::text[], %(boots)s::bigint[], %(taken)s::text[])
  AS n (unit_id, topic, boot, taken)
ON CONFLICT (unit_id) DO UPDATE SET topic = excluded.topic, boot = excluded.boot, taken = excluded.taken;

-- name: insert_journal
-- Write a batch into the journal; its number is taken once.
INSERT INTO ingest_journal (seq, at, readings, messages, schema)
VALUES (%(seq)s, now(), %(readings)s, %(messages)s, %(schema)s);

-- name: journal_entry
-- Readings and messages of a batch, if it was committed.
SELECT readings, messages FROM ingest_journal WHERE seq = %(seq)s;

-- name: journal_after
-- The batches behind a number, in order.
SELECT seq, readings, schema FROM ingest_journal WHERE seq > %(seq)s ORDER BY seq;

-- name: journal_messages
-- The entries of the last messages, newest batch first.
SELECT seq, messages, schema FROM ingest_journal ORDER BY seq DESC;

-- name: trim_journal
-- Drop the batches that snapshots have made needless, but for those whose messages may still be redelivered.
DELETE FROM ingest_journal WHERE seq <= %(seq)s AND seq < (
  SELECT min(seq) FROM (
    SELECT seq, sum(octet_length(messages)) OVER (ORDER BY seq DESC) - octet_length(messages) AS newer
    FROM ingest_journal) AS held
  WHERE newer < %(keep_bytes)s);
