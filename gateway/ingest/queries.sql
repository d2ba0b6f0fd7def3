-- name: insert_quarantine
-- Keep messages that could not be taken whole.
INSERT INTO quarantine (received_at, sender, topic, reason, detail, payload, size)
SELECT timestamptz 'epoch' + received_us * interval '1 microsecond', sender, topic, reason, detail, payload, size
FROM unnest(%(received)s::bigint[], %(senders)s::text[], %(topics)s::text[], %(reasons)s::text[], %(details)s::text[],
            %(payloads)s::bytea[], %(sizes)s::int[])
  WITH ORDINALITY AS n (received_us, sender, topic, reason, detail, payload, size, place)
ORDER BY place;

-- name: trim_senders
-- Drop the oldest messages of senders beyond their share; all refused of a batch are counted by reason and by sender.
WITH refused AS (
  SELECT sender, reason, messages, unkept, timestamptz 'epoch' + last_us * interval '1 microsecond' AS last_at
  FROM unnest(%(senders)s::text[], %(reasons)s::text[], %(messages)s::bigint[], %(unkept)s::bigint[], %(last)s::bigint[])
    AS n (sender, reason, messages, unkept, last_us)
), beyond AS (
  SELECT b.id FROM (SELECT DISTINCT sender FROM refused) AS s
  CROSS JOIN LATERAL (SELECT q.id FROM quarantine q WHERE q.sender = s.sender ORDER BY q.id DESC OFFSET %(share)s) AS b
), gone AS (
  DELETE FROM quarantine WHERE id = ANY (ARRAY(SELECT id FROM beyond)) RETURNING reason
), by_sender AS (
  INSERT INTO quarantine_sender AS c (sender, reason, messages, unkept, last_at)
  SELECT sender, reason, messages, unkept, last_at FROM refused ORDER BY sender, reason
  ON CONFLICT (sender, reason) DO UPDATE
  SET messages = c.messages + excluded.messages, unkept = c.unkept + excluded.unkept, last_at = excluded.last_at
)
INSERT INTO quarantine_count AS c (reason, messages, trimmed, last_at)
SELECT reason, sum(messages), sum(trimmed), max(last_at)
FROM (SELECT reason, messages, unkept AS trimmed, last_at FROM refused
      UNION ALL SELECT reason, 0, count(*), NULL FROM gone GROUP BY reason) AS each
GROUP BY reason ORDER BY reason
ON CONFLICT (reason) DO UPDATE
SET messages = c.messages + excluded.messages, trimmed = c.trimmed + excluded.trimmed,
    last_at = greatest(c.last_at, excluded.last_at);

-- name: keep_last
-- Keep the newest messages of units, each in the slot of the oldest; numbers go on where they stood.
WITH given AS (
  SELECT *, row_number() OVER (PARTITION BY unit_id ORDER BY place) AS nth
  FROM unnest(%(units)s::bigint[], %(received)s::bigint[], %(topics)s::text[], %(payloads)s::bytea[], %(sizes)s::int[],
              %(reasons)s::text[], %(details)s::text[], %(ignored)s::text[], %(conflicting)s::int[])
    WITH ORDINALITY AS n (unit_id, received_us, topic, payload, size, reason, detail, ignored, conflicting, place)
), numbered AS (
  SELECT g.*, g.nth + coalesce((SELECT max(k.number) FROM unit_message k WHERE k.unit_id = g.unit_id), 0) AS number
  FROM given g
)
INSERT INTO unit_message (unit_id, slot, number, received_at, topic, payload, size, reason, detail, ignored, conflicting)
SELECT unit_id, mod(number, 20), number, timestamptz 'epoch' + received_us * interval '1 microsecond', topic, payload, size,
       reason, detail, ignored::text[], conflicting
FROM numbered
ON CONFLICT (unit_id, slot) DO UPDATE
SET number = excluded.number, received_at = excluded.received_at, topic = excluded.topic, payload = excluded.payload,
    size = excluded.size, reason = excluded.reason, detail = excluded.detail, ignored = excluded.ignored,
    conflicting = excluded.conflicting;

-- name: trim_quarantine
-- Drop messages beyond the limit, of those senders who have most, each one's oldest; returns how many of each reason.
WITH placed AS (
  SELECT id, row_number() OVER (PARTITION BY sender ORDER BY id DESC) AS place FROM quarantine
), gone AS (
  DELETE FROM quarantine WHERE id IN (SELECT id FROM placed ORDER BY place, id DESC OFFSET %(keep)s) RETURNING reason
), counted AS (
  INSERT INTO quarantine_count AS c (reason, trimmed)
  SELECT reason, count(*) FROM gone GROUP BY reason ORDER BY reason
  ON CONFLICT (reason) DO UPDATE SET trimmed = c.trimmed + excluded.trimmed
)
SELECT reason, count(*) AS messages FROM gone GROUP BY reason ORDER BY reason;

-- name: forget_senders
-- Drop the counts of senders beyond the limit, those quiet longest first.
DELETE FROM quarantine_sender WHERE last_at <= (SELECT last_at FROM quarantine_sender ORDER BY last_at DESC OFFSET %(keep)s LIMIT 1);

-- name: quarantine_senders
-- Who had most messages refused: by sender and reason, those with most first.
SELECT sender, reason, messages, unkept, last_at FROM quarantine_sender
WHERE %(reason)s::text IS NULL OR reason = %(reason)s
ORDER BY messages DESC, sender LIMIT %(limit)s;

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
-- Have ingest try messages again that were kept whole; returns how many those are, and how many were cut.
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

-- name: ask_receipt_reset
-- Have ingest forget what was counted of a unit; returns it, without its row where nothing was counted yet.
WITH named AS (
  SELECT u.id FROM unit u JOIN product p ON p.id = u.product_id WHERE p.code = %(product)s AND u.serial = %(serial)s
), asked AS (
  UPDATE receipt r SET reset_at = now() FROM named n WHERE r.unit_id = n.id RETURNING r.unit_id, r.boot
)
SELECT n.id AS unit_id, a.boot FROM named n LEFT JOIN asked a ON a.unit_id = n.id;

-- name: receipts_to_forget
-- The units whose receipts an operator wants forgotten.
SELECT unit_id FROM receipt WHERE reset_at IS NOT NULL;

-- name: forget_receipts
-- Drop the receipts of units.
DELETE FROM receipt WHERE unit_id = ANY (%(units)s::bigint[]);

-- name: write_receipts
-- Keep what is counted of units, over what was.
INSERT INTO receipt (unit_id, topic, boot, taken)
SELECT unit_id, topic, boot, taken::int8multirange
FROM unnest(%(units)s::bigint[], %(topics)s::text[], %(boots)s::bigint[], %(taken)s::text[])
  AS n (unit_id, topic, boot, taken)
ON CONFLICT (unit_id) DO UPDATE SET topic = excluded.topic, boot = excluded.boot, taken = excluded.taken;

-- name: insert_journal
-- Write a batch into the journal; its number is taken once.
INSERT INTO ingest_journal (seq, at, revision, partitions, readings, messages, schema)
VALUES (%(seq)s, now(), %(revision)s, %(partitions)s, %(readings)s, %(messages)s, %(schema)s);

-- name: journal_entry
-- Revision, readings and messages of a batch, if it was committed.
SELECT revision, readings, messages FROM ingest_journal WHERE seq = %(seq)s;

-- name: journal_after
-- The batches behind a number, in order, each with the revision of the catalog that it was judged under.
SELECT seq, revision, partitions, readings, schema FROM ingest_journal WHERE seq > %(seq)s ORDER BY seq;

-- name: journal_messages
-- The entries of the last messages, newest batch first.
SELECT seq, messages, schema FROM ingest_journal ORDER BY seq DESC;

-- name: trim_journal
-- Drop the batches that are saved in every partition, but for those whose messages may still be redelivered.
DELETE FROM ingest_journal WHERE seq <= least(
  (SELECT min(seq) FROM partition_mark),
  (SELECT min(seq) - 1 FROM (
     SELECT seq, octet_length(messages) AS own,
            sum(octet_length(messages)) OVER (ORDER BY seq DESC) - octet_length(messages) AS newer
     FROM ingest_journal) AS held
   WHERE own > 0 AND newer < %(keep_bytes)s));

-- name: unit_messages
-- The last messages of a unit, the newest first.
SELECT number, received_at, topic, payload, size, reason, detail, ignored, conflicting
FROM unit_message WHERE unit_id = %(unit_id)s ORDER BY number DESC;
