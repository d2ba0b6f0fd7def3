-- name: upsert_product
-- Create or update a product.
INSERT INTO product (code, model, brand, gtin, name, receipts, serial_hint, code_hint, support_until,
                     keep_raw, keep_hour, keep_day)
VALUES (%(code)s, %(model)s, %(brand)s, %(gtin)s, %(name)s, %(receipts)s, %(serial_hint)s, %(code_hint)s,
        %(support_until)s, %(keep_raw)s, %(keep_hour)s, %(keep_day)s)
ON CONFLICT (code) DO UPDATE
SET model = excluded.model, brand = excluded.brand, gtin = excluded.gtin, name = excluded.name,
    receipts = excluded.receipts, serial_hint = excluded.serial_hint, code_hint = excluded.code_hint,
    support_until = excluded.support_until, keep_raw = excluded.keep_raw, keep_hour = excluded.keep_hour,
    keep_day = excluded.keep_day, updated_at = now()
RETURNING id;

-- name: picture
-- A product's picture.
SELECT i.media_type, i.content FROM product_picture i JOIN product p ON p.id = i.product_id WHERE p.code = %(code)s;

-- name: set_picture
-- Store a product's picture.
INSERT INTO product_picture (product_id, media_type, content) VALUES (%(product_id)s, %(media_type)s, %(content)s)
ON CONFLICT (product_id) DO UPDATE SET media_type = excluded.media_type, content = excluded.content;

-- name: drop_picture
-- Delete a product's picture.
DELETE FROM product_picture WHERE product_id = %(product_id)s;

-- name: claim_hints
-- Products with these words in code, model or a name, and where to find serial and claim code, if their files say so.
SELECT code, model, name, serial_hint, code_hint FROM product
WHERE %(words)s::text = '' OR strpos(lower(code || ' ' || model), lower(%(words)s)) > 0
   OR EXISTS (SELECT FROM jsonb_each_text(name) AS n WHERE strpos(lower(n.value || ' ' || model), lower(%(words)s)) > 0)
ORDER BY code LIMIT %(limit)s;

-- name: product_with_metrics
-- One product with its metric registry, to compare it with a product file.
SELECT p.id, p.code, p.model, p.brand, p.gtin, p.name, p.receipts, p.serial_hint, p.code_hint,
       p.support_until, p.keep_raw, p.keep_hour, p.keep_day,
       (SELECT json_agg(json_build_object('name', m.name, 'title', r.title, 'unit', r.unit, 'low', r.low,
               'high', r.high, 'normal_low', r.normal_low, 'normal_high', r.normal_high,
               'cadence', extract(epoch FROM r.cadence)::float8) ORDER BY r.position)
        FROM product_metric r JOIN metric m ON m.id = r.metric_id WHERE r.product_id = p.id) AS metrics
FROM product p WHERE p.code = %(code)s;

-- name: metric_id
-- The id of a metric name, created if it is new.
WITH made AS (
  INSERT INTO metric (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING RETURNING id
)
SELECT id FROM made UNION ALL SELECT id FROM metric WHERE name = %(name)s LIMIT 1;

-- name: drop_other_metrics
-- Delete the metrics of a product that its file no longer names.
DELETE FROM product_metric WHERE product_id = %(product_id)s AND NOT metric_id = ANY(%(metric_ids)s::smallint[]);

-- name: upsert_metric
-- Create or update one metric of a product.
INSERT INTO product_metric (product_id, metric_id, position, title, unit, low, high, normal_low, normal_high, cadence)
VALUES (%(product_id)s, %(metric_id)s, %(position)s, %(title)s, %(unit)s, %(low)s, %(high)s, %(normal_low)s,
        %(normal_high)s, %(cadence)s)
ON CONFLICT (product_id, metric_id) DO UPDATE
SET position = excluded.position, title = excluded.title, unit = excluded.unit, low = excluded.low,
    high = excluded.high, normal_low = excluded.normal_low, normal_high = excluded.normal_high,
    cadence = excluded.cadence;

-- name: products
-- Every product.
SELECT id, code, model, name, receipts, updated_at, keep_raw FROM product ORDER BY id;

-- name: registry
-- The metrics of all products.
SELECT r.product_id, m.id, m.name, r.title, r.unit, r.low, r.high, r.normal_low, r.normal_high, r.cadence
FROM product_metric r JOIN metric m ON m.id = r.metric_id
ORDER BY r.product_id, r.position;

-- name: products_at
-- The products at a revision of the catalog.
SELECT id, code, model, name, receipts, updated_at, keep_raw FROM product p
WHERE EXISTS (SELECT FROM product_revision r WHERE r.product_id = p.id AND r.revision <= %(revision)s)
ORDER BY id;

-- name: registry_at
-- The metrics of all products at a revision of the catalog.
SELECT r.product_id, m.id, m.name, r.title, r.unit, r.low, r.high, r.normal_low, r.normal_high, r.cadence
FROM (SELECT product_id, max(revision) AS revision FROM product_revision WHERE revision <= %(revision)s
      GROUP BY product_id) AS newest
JOIN product_revision_metric r USING (product_id, revision)
JOIN metric m ON m.id = r.metric_id
ORDER BY r.product_id, r.position;

-- name: take_firmware
-- Store the reported firmware of units; reports for locked units wait. Returns the units that had another firmware.
WITH reported AS (
  SELECT * FROM unnest(%(units)s::bigint[], %(firmwares)s::text[], %(ats)s::timestamptz[], %(replayed)s::boolean[])
    AS n (id, firmware, at, replayed)
), free AS MATERIALIZED (
  SELECT u.id, u.firmware, u.firmware_reported_at FROM unit u
  WHERE u.id = ANY (%(units)s) ORDER BY u.id FOR NO KEY UPDATE OF u SKIP LOCKED
), changes AS (
  SELECT f.id, r.firmware, r.at, f.firmware AS before FROM free f JOIN reported r USING (id)
  WHERE NOT r.replayed
     OR (f.firmware_reported_at IS NULL
         -- OFFSET 0 forces a look-up for each unit, else every batch reads the whole table of waiting reports.
         AND NOT EXISTS (SELECT FROM firmware_waiting w WHERE w.unit_id = r.id AND NOT w.replayed OFFSET 0))
), held AS (
  INSERT INTO firmware_waiting AS w (unit_id, firmware, reported_at, replayed)
  SELECT r.id, r.firmware, r.at, r.replayed FROM reported r
  WHERE NOT EXISTS (SELECT FROM free f WHERE f.id = r.id) ORDER BY r.id
  ON CONFLICT (unit_id) DO UPDATE
  SET firmware = excluded.firmware, reported_at = excluded.reported_at, replayed = excluded.replayed
  WHERE w.replayed OR NOT excluded.replayed
), settled AS (
  DELETE FROM firmware_waiting w USING free f, reported r
  WHERE w.unit_id = ANY (%(units)s) AND w.unit_id = f.id AND r.id = f.id AND (w.replayed OR NOT r.replayed)
)
UPDATE unit u SET firmware = w.firmware, firmware_reported_at = w.at FROM changes w WHERE u.id = w.id
RETURNING u.id, u.firmware, w.before;

-- name: firmware_waiting
-- The waiting reports, after a unit, in the order of units.
SELECT unit_id, firmware, reported_at, replayed FROM firmware_waiting WHERE unit_id > %(after)s ORDER BY unit_id LIMIT %(limit)s;

-- name: units_by_key
-- Units by product code and canonical serial.
SELECT u.id, u.public_id, p.code AS product_code, u.serial
FROM unnest(%(codes)s::text[], %(serials)s::text[]) AS k (code, serial)
JOIN product p ON p.code = k.code
JOIN unit u ON u.product_id = p.id AND u.serial = k.serial;

-- name: unit_keys
-- Product code and canonical serial of units by id.
SELECT u.id, p.code AS product_code, u.serial FROM unit u JOIN product p ON p.id = u.product_id
WHERE u.id = ANY (%(units)s::bigint[]);

-- name: owners_at
-- Who owns units at a moment.
SELECT k.unit_id, p.* FROM unnest(%(unit_ids)s::bigint[]) AS k (unit_id)
CROSS JOIN LATERAL (  -- OFFSET 0: looked up unit by unit
  SELECT p.id AS person_id, p.public_id, p.name, p.email, p.language, lower(o.during) AS since
  FROM ownership o JOIN person p ON p.id = o.person_id
  WHERE o.unit_id = k.unit_id AND o.during @> %(at)s::timestamptz OFFSET 0) p;

-- name: wait_briefly
-- Wait at most 2 s for a unit that an import is changing: many waiting requests would take all connections.
SELECT set_config('lock_timeout', '2s', true);

-- name: claimable
-- The units with a serial, in one product or in all, locked while a claim is decided.
SELECT u.id AS unit_id, u.public_id AS id, u.printed, p.code AS product, p.name, p.model, c.code_hash, c.spent_at
FROM unit u
JOIN product p ON p.id = u.product_id
LEFT JOIN claim_code c ON c.unit_id = u.id
WHERE u.serial = %(serial)s AND (%(product)s::text IS NULL OR p.code = %(product)s::text)
ORDER BY u.id
FOR NO KEY UPDATE OF u;

-- name: owners_from
-- The owners of units at a time or later.
SELECT unit_id, person_id FROM ownership
WHERE unit_id = ANY(%(unit_ids)s::bigint[]) AND (upper_inf(during) OR upper(during) > %(at)s);

-- name: begin_claimed
-- Create the ownership of a claimed unit.
INSERT INTO ownership (unit_id, person_id, during, how)
VALUES (%(unit_id)s, %(person_id)s, tstzrange(%(since)s, NULL), 'claim');

-- name: spend_code
-- Mark a claim code as used.
UPDATE claim_code SET spent_at = %(at)s WHERE unit_id = %(unit_id)s;

-- name: free_code
-- Mark a claim code as unused, since its owner gave the unit up.
UPDATE claim_code SET spent_at = NULL WHERE unit_id = %(unit_id)s;

-- name: hold_own
-- A person's unit, locked while its ownership changes.
SELECT u.id, u.printed FROM unit u
WHERE u.public_id = %(unit)s AND EXISTS (
  SELECT FROM ownership o WHERE o.unit_id = u.id AND o.person_id = %(person_id)s AND o.during @> %(at)s::timestamptz)
FOR NO KEY UPDATE OF u;

-- name: end_own
-- End a person's present ownership of a unit, at the earliest just after its begin.
UPDATE ownership SET during = tstzrange(lower(during), greatest(%(until)s, lower(during) + interval '1 microsecond'))
WHERE unit_id = %(unit_id)s::bigint AND person_id = %(person_id)s AND during @> %(until)s::timestamptz
RETURNING unit_id;

-- name: name_place
-- Store the place of a person's unit.
UPDATE ownership o SET place = %(place)s FROM unit u
WHERE u.public_id = %(unit)s AND o.unit_id = u.id AND o.person_id = %(person_id)s
  AND o.during @> %(at)s::timestamptz;

-- name: owners_when
-- The people who owned units at both of two times: when an event was written, and the time that it is about.
SELECT n.place, o.person_id
FROM unnest(%(units)s::bigint[], %(ats)s::timestamptz[], %(moments)s::timestamptz[])
  WITH ORDINALITY AS n (unit_id, at, moment, place)
JOIN ownership o ON o.unit_id = n.unit_id AND o.during @> n.at AND o.during @> n.moment;

-- name: my_units
-- The person's units with newest readings and active alarms as JSON, in a steady order; one of them by its public id.
SELECT u.unit_id AS row, u.id, u.serial, u.product_code AS code, u.product_name AS name, u.model, u.place, u.since,
       u.firmware, u.lot, u.last_seen, u.cadence,
       (SELECT jsonb_agg(jsonb_build_object('metric', l.metric, 'title', l.title, 'unit', l.measure, 'value', l.value,
               'at', l.at, 'normal', CASE WHEN l.normal_low IS NOT NULL
                                          THEN jsonb_build_array(l.normal_low, l.normal_high) END)
               ORDER BY l.position)
        FROM my_latest l WHERE l.unit = u.id) AS readings,
       (SELECT jsonb_agg(jsonb_build_object('title', a.title, 'severity', a.severity, 'onset', a.onset)
               ORDER BY a.onset)
        FROM my_alarm a WHERE a.unit = u.id AND a.cleared_at IS NULL) AS alarms,
       (SELECT array_agg(DISTINCT n.kind) FROM my_notice n
        WHERE n.unit = u.id AND n.state = 'open' AND n.kind IN ('recall', 'update')) AS campaigns,
       (SELECT jsonb_agg(jsonb_build_object('number', k.number, 'content', k.content, 'schema', k.schema,
               'published_at', k.published_at) ORDER BY k.number)
        FROM my_check k WHERE k.unit = u.id) AS checks
FROM my_unit u
WHERE u.unit_id > %(after)s AND (%(unit)s::text IS NULL OR u.id = %(unit)s::text)
ORDER BY u.unit_id
LIMIT %(limit)s;

-- name: my_unit_facts
-- More of one of the person's units: how long it is supported, whether no recall concerns it, its rules and newest alarms.
SELECT f.support_until, CASE WHEN f.is_recall_free THEN now() END AS recall_free_at,
       (SELECT jsonb_agg(jsonb_build_object('document', r.document, 'schema', r.schema) ORDER BY r.rule)
        FROM my_rule r WHERE r.unit = f.unit) AS rules,
       (SELECT jsonb_agg(to_jsonb(a)) FROM (
          SELECT id, metric, title, severity, onset, cleared_at FROM my_alarm
          WHERE unit = f.unit AND is_for_owner ORDER BY row DESC LIMIT %(alarms)s) a) AS history
FROM my_unit_facts f
WHERE f.unit = %(unit)s;

-- name: my_measure
-- The unit of measurement of a metric of the person's unit; no row when it has no such metric.
SELECT measure FROM my_latest WHERE unit = %(unit)s AND metric = %(metric)s;

-- name: my_metric
-- The ids by which readings of the person's unit are looked up.
SELECT unit_id, metric_id FROM my_metric WHERE unit = %(unit)s AND metric = %(metric)s LIMIT 1;

-- name: my_readings
-- As `readings`, for the person's unit: only readings measured and received while it was theirs.
WITH selected AS MATERIALIZED (
  SELECT time, value FROM my_reading
  WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND time >= %(since)s AND time < %(until)s
  ORDER BY time DESC LIMIT %(most)s
), span AS (
  SELECT count(*) AS readings, extract(epoch FROM min(time))::float8 AS first, extract(epoch FROM max(time))::float8 AS last
  FROM selected
), parted AS (
  -- The newest reading gets an interval of its own, so that it is always returned.
  SELECT a.time, a.value, width_bucket(extract(epoch FROM a.time)::float8, s.first, s.last,
                                       greatest(1, (%(limit)s::int - 1) / 2)) AS part
  FROM selected a, span s WHERE s.readings > %(limit)s
), ranked AS (
  SELECT time, value, row_number() OVER (PARTITION BY part ORDER BY value, time) AS from_lowest,
         row_number() OVER (PARTITION BY part ORDER BY value DESC, time) AS from_highest
  FROM parted
)
SELECT time, value FROM selected WHERE (SELECT readings FROM span) <= %(limit)s
UNION ALL
SELECT time, value FROM ranked WHERE from_lowest = 1 OR from_highest = 1
ORDER BY time DESC
LIMIT %(limit)s;

-- name: my_rolled_to
-- How far readings are rolled up, for who owns something.
SELECT rolled_to FROM my_rolled;

-- name: my_hours
-- A metric of the person's unit by hour between two times, the oldest first.
SELECT begins, low, high, total, readings FROM my_rollup_hour
WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND begins >= %(since)s AND begins < %(until)s
ORDER BY begins;

-- name: my_days
-- A metric of the person's unit by day between two times, the oldest first.
SELECT begins, low, high, total, readings FROM my_rollup_day
WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND begins >= %(since)s AND begins < %(until)s
ORDER BY begins;

-- name: my_recent_hours
-- The same by hour, counted from their readings: of what is not rolled up yet.
SELECT date_bin('1 hour', time, timestamptz '2000-01-01 00:00Z') AS begins, min(value) AS low, max(value) AS high,
       sum(least(greatest(value, -1e290), 1e290)) AS total, count(*)::int AS readings
FROM (SELECT time, value FROM my_reading
      WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND time >= %(since)s AND time < %(until)s
      ORDER BY time DESC LIMIT %(most)s) AS newest
GROUP BY 1 ORDER BY 1;

-- name: my_messages
-- The last messages of the person's unit, the newest first.
SELECT number, received_at, topic, payload, size, reason, detail, ignored, conflicting FROM my_message
WHERE unit = %(unit)s
ORDER BY number DESC;

-- name: my_feed
-- The person's notices below a row number and all that are pinned, the newest first, with deliveries.
WITH page AS (
  SELECT row FROM my_notice_row WHERE is_pinned
  UNION ALL
  (SELECT row FROM my_notice_row WHERE row < %(before)s AND NOT is_pinned ORDER BY row DESC LIMIT %(limit)s)
)
SELECT n.*, n.kind = 'recall' AND n.state = 'open' AND n.acknowledged_at IS NULL AS is_pinned,
       (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'at', d.at,
               'reason', d.reason) ORDER BY d.at, d.channel)
        FROM my_delivery d WHERE d.notice = n.id) AS deliveries
FROM my_notice n
WHERE n.row = ANY (ARRAY(SELECT row FROM page))
ORDER BY n.row DESC;

-- name: my_one
-- One of the person's notices by its public id, with its deliveries.
SELECT n.*, (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'at', d.at,
                     'reason', d.reason) ORDER BY d.at, d.channel)
             FROM my_delivery d WHERE d.notice = n.id) AS deliveries
FROM my_notice n
WHERE n.id = %(notice)s;

-- name: my_unread
-- The number of the person's notices that they have not read.
SELECT count(*) AS unread FROM my_notice_row WHERE read_at IS NULL;

-- name: codes_by_key
-- The stored claim codes of units by product and canonical serial.
SELECT k.place, c.code_hash
FROM unnest(%(product_ids)s::int[], %(serials)s::text[]) WITH ORDINALITY AS k (product_id, serial, place)
JOIN unit u ON u.product_id = k.product_id AND u.serial = k.serial
JOIN claim_code c ON c.unit_id = u.id;

-- name: next_units
-- The last key of the next staged units after a key, and the number of these units.
SELECT product_id, serial, count(*) OVER () AS rows FROM (
  SELECT product_id, serial FROM import_unit
  WHERE job_id = %(job)s AND (product_id, serial) > (%(after_product)s::int, %(after_serial)s::text)
  ORDER BY product_id, serial LIMIT %(limit)s) staged
ORDER BY product_id DESC, serial DESC LIMIT 1;

-- name: units_twice
-- Staged units that are earlier in the files, too.
SELECT file, line, printed, first_file, first_line FROM (
  SELECT file, line, printed, row_number() OVER w AS nth, first_value(file) OVER w AS first_file,
         first_value(line) OVER w AS first_line
  FROM import_unit
  WHERE job_id = %(job)s AND (product_id, serial) > (%(after_product)s::int, %(after_serial)s::text)
    AND (product_id, serial) <= (%(upto_product)s::int, %(upto_serial)s::text)
  WINDOW w AS (PARTITION BY product_id, serial ORDER BY file, line)) staged
WHERE nth > 1;

-- name: change_units
-- Update existing units from the staged rows; empty cells change nothing outside `clear`, and reported firmware stays.
WITH changed AS (
  UPDATE unit u
  SET printed = s.printed,
      firmware = CASE WHEN u.firmware_reported_at IS NOT NULL THEN u.firmware
                      WHEN 'firmware' = ANY (%(clear)s::text[]) THEN s.firmware ELSE coalesce(s.firmware, u.firmware) END,
      lot = CASE WHEN 'lot' = ANY (%(clear)s::text[]) THEN s.lot ELSE coalesce(s.lot, u.lot) END,
      made_on = CASE WHEN 'made_on' = ANY (%(clear)s::text[]) THEN s.made_on ELSE coalesce(s.made_on, u.made_on) END,
      hardware = CASE WHEN 'hardware' = ANY (%(clear)s::text[]) THEN s.hardware ELSE coalesce(s.hardware, u.hardware) END,
      region = CASE WHEN 'region' = ANY (%(clear)s::text[]) THEN s.region ELSE coalesce(s.region, u.region) END,
      sold_on = CASE WHEN 'sold_on' = ANY (%(clear)s::text[]) THEN s.sold_on ELSE coalesce(s.sold_on, u.sold_on) END,
      support_until = CASE WHEN 'support_until' = ANY (%(clear)s::text[]) THEN s.support_until
                           ELSE coalesce(s.support_until, u.support_until) END,
      order_number = CASE WHEN 'order_number' = ANY (%(clear)s::text[]) THEN s.order_number
                          ELSE coalesce(s.order_number, u.order_number) END,
      is_test = coalesce(s.is_test, u.is_test AND NOT 'test' = ANY (%(clear)s::text[]))
  FROM import_unit s
  WHERE s.job_id = %(job)s AND (s.product_id, s.serial) > (%(after_product)s::int, %(after_serial)s::text)
    AND (s.product_id, s.serial) <= (%(upto_product)s::int, %(upto_serial)s::text)
    AND u.product_id = s.product_id AND u.serial = s.serial
    AND (s.printed <> u.printed
      OR s.firmware IS DISTINCT FROM u.firmware AND u.firmware_reported_at IS NULL
         AND (s.firmware IS NOT NULL OR 'firmware' = ANY (%(clear)s::text[]))
      OR s.lot IS DISTINCT FROM u.lot AND (s.lot IS NOT NULL OR 'lot' = ANY (%(clear)s::text[]))
      OR s.made_on IS DISTINCT FROM u.made_on AND (s.made_on IS NOT NULL OR 'made_on' = ANY (%(clear)s::text[]))
      OR s.hardware IS DISTINCT FROM u.hardware AND (s.hardware IS NOT NULL OR 'hardware' = ANY (%(clear)s::text[]))
      OR s.region IS DISTINCT FROM u.region AND (s.region IS NOT NULL OR 'region' = ANY (%(clear)s::text[]))
      OR s.sold_on IS DISTINCT FROM u.sold_on AND (s.sold_on IS NOT NULL OR 'sold_on' = ANY (%(clear)s::text[]))
      OR s.support_until IS DISTINCT FROM u.support_until
         AND (s.support_until IS NOT NULL OR 'support_until' = ANY (%(clear)s::text[]))
      OR s.order_number IS DISTINCT FROM u.order_number
         AND (s.order_number IS NOT NULL OR 'order_number' = ANY (%(clear)s::text[]))
      OR coalesce(s.is_test, u.is_test AND NOT 'test' = ANY (%(clear)s::text[])) <> u.is_test)
  RETURNING u.id
)
INSERT INTO import_change (job_id, turn, unit_id, is_new) SELECT %(job)s, %(turn)s, id, false FROM changed;

-- name: count_reported
-- The number of staged units with another firmware than their device reported.
SELECT count(*) AS units FROM import_unit s
JOIN unit u ON u.product_id = s.product_id AND u.serial = s.serial
WHERE s.job_id = %(job)s AND (s.product_id, s.serial) > (%(after_product)s::int, %(after_serial)s::text)
  AND (s.product_id, s.serial) <= (%(upto_product)s::int, %(upto_serial)s::text)
  AND u.firmware_reported_at IS NOT NULL AND s.firmware <> u.firmware;

-- name: create_units
-- Create the staged units that do not exist.
WITH created AS (
  INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware, made_on, hardware, region, sold_on,
                    support_until, order_number, is_test)
  SELECT s.public_id, s.product_id, s.serial, s.printed, s.lot, s.firmware, s.made_on, s.hardware, s.region, s.sold_on,
         s.support_until, s.order_number, coalesce(s.is_test, false)
  FROM import_unit s
  WHERE s.job_id = %(job)s AND (s.product_id, s.serial) > (%(after_product)s::int, %(after_serial)s::text)
    AND (s.product_id, s.serial) <= (%(upto_product)s::int, %(upto_serial)s::text)
    AND NOT EXISTS (SELECT FROM unit u WHERE u.product_id = s.product_id AND u.serial = s.serial)
  ORDER BY s.product_id, s.serial
  RETURNING id
)
INSERT INTO import_change (job_id, turn, unit_id, is_new) SELECT %(job)s, %(turn)s, id, true FROM created;

-- name: keep_codes
-- Store the staged claim codes; a new code is unused.
INSERT INTO claim_code (unit_id, code_hash)
SELECT u.id, s.code_hash FROM import_unit s
JOIN unit u ON u.product_id = s.product_id AND u.serial = s.serial
WHERE s.job_id = %(job)s AND (s.product_id, s.serial) > (%(after_product)s::int, %(after_serial)s::text)
  AND (s.product_id, s.serial) <= (%(upto_product)s::int, %(upto_serial)s::text) AND s.code_hash IS NOT NULL
ON CONFLICT (unit_id) DO UPDATE SET code_hash = excluded.code_hash, spent_at = NULL;

-- name: next_owners
-- The last key of the next staged owners after a key, and the number of these owners.
SELECT product_id, serial, count(*) OVER () AS rows FROM (
  SELECT product_id, serial FROM import_owner
  WHERE job_id = %(job)s AND (product_id, serial) > (%(after_product)s::int, %(after_serial)s::text)
  ORDER BY product_id, serial LIMIT %(limit)s) staged
ORDER BY product_id DESC, serial DESC LIMIT 1;

-- name: next_people
-- The last address of the next staged owners after an address, and the number of these owners.
SELECT email, count(*) OVER () AS rows FROM (
  SELECT email FROM import_owner WHERE job_id = %(job)s AND email > %(after)s ORDER BY email LIMIT %(limit)s) staged
ORDER BY email DESC LIMIT 1;

-- name: owners_refused
-- Staged owners whose ownership cannot begin, and since when somebody else owns the unit.
SELECT file, line, unit, verdict, owned_since
FROM import_owner_plan(%(job)s, %(after_product)s::int, %(after_serial)s::text,
                       %(upto_product)s::int, %(upto_serial)s::text)
WHERE verdict NOT IN ('begins', 'known');

-- name: bring_people
-- Create or update people, one for each address: the last line with a value counts; empty cells change nothing outside `clear`.
WITH staged AS MATERIALIZED (
  SELECT s.email, (array_agg(s.public_id))[1] AS public_id,
         (array_agg(s.name ORDER BY s.file DESC, s.line DESC))[1] AS name,
         (array_agg(s.phone ORDER BY s.file DESC, s.line DESC) FILTER (WHERE s.phone IS NOT NULL))[1] AS phone,
         (array_agg(s.address ORDER BY s.file DESC, s.line DESC) FILTER (WHERE s.address IS NOT NULL))[1] AS address,
         (array_agg(s.country ORDER BY s.file DESC, s.line DESC) FILTER (WHERE s.country IS NOT NULL))[1] AS country,
         (array_agg(s.time_zone ORDER BY s.file DESC, s.line DESC)
          FILTER (WHERE s.time_zone IS NOT NULL))[1] AS time_zone,
         (array_agg(s.customer_number ORDER BY s.file DESC, s.line DESC)
          FILTER (WHERE s.customer_number IS NOT NULL))[1] AS customer_number,
         (array_agg(s.contract_level ORDER BY s.file DESC, s.line DESC)
          FILTER (WHERE s.contract_level IS NOT NULL))[1] AS contract_level,
         (array_agg(s.language ORDER BY s.file DESC, s.line DESC) FILTER (WHERE s.language IS NOT NULL))[1] AS language
  FROM import_owner s
  WHERE s.job_id = %(job)s AND s.email > %(after)s AND s.email <= %(upto)s
  GROUP BY s.email
), changed AS (
  UPDATE person p
  SET name = s.name,
      phone = CASE WHEN 'phone' = ANY (%(clear)s::text[]) THEN s.phone ELSE coalesce(s.phone, p.phone) END,
      address = CASE WHEN 'address' = ANY (%(clear)s::text[]) THEN s.address ELSE coalesce(s.address, p.address) END,
      country = CASE WHEN 'country' = ANY (%(clear)s::text[]) THEN s.country ELSE coalesce(s.country, p.country) END,
      time_zone = CASE WHEN 'time_zone' = ANY (%(clear)s::text[]) THEN s.time_zone
                  ELSE coalesce(s.time_zone, p.time_zone) END,
      customer_number = CASE WHEN 'customer_number' = ANY (%(clear)s::text[]) THEN s.customer_number
                        ELSE coalesce(s.customer_number, p.customer_number) END,
      contract_level = CASE WHEN 'contract_level' = ANY (%(clear)s::text[]) THEN s.contract_level
                       ELSE coalesce(s.contract_level, p.contract_level) END
  FROM staged s
  WHERE p.email = s.email AND (s.name <> p.name
    OR s.phone IS DISTINCT FROM p.phone AND (s.phone IS NOT NULL OR 'phone' = ANY (%(clear)s::text[]))
    OR s.address IS DISTINCT FROM p.address AND (s.address IS NOT NULL OR 'address' = ANY (%(clear)s::text[]))
    OR s.country IS DISTINCT FROM p.country AND (s.country IS NOT NULL OR 'country' = ANY (%(clear)s::text[]))
    OR s.time_zone IS DISTINCT FROM p.time_zone AND (s.time_zone IS NOT NULL OR 'time_zone' = ANY (%(clear)s::text[]))
    OR s.customer_number IS DISTINCT FROM p.customer_number
       AND (s.customer_number IS NOT NULL OR 'customer_number' = ANY (%(clear)s::text[]))
    OR s.contract_level IS DISTINCT FROM p.contract_level
       AND (s.contract_level IS NOT NULL OR 'contract_level' = ANY (%(clear)s::text[])))
  RETURNING p.id
), created AS (
  INSERT INTO person (public_id, name, email, phone, address, country, time_zone, customer_number, contract_level, language)
  SELECT s.public_id, s.name, s.email, s.phone, s.address, s.country, s.time_zone, s.customer_number, s.contract_level,
         coalesce(s.language, 'en')
  FROM staged s
  WHERE NOT EXISTS (SELECT FROM person p WHERE p.email = s.email)
  ON CONFLICT (email) DO NOTHING
  RETURNING id
)
SELECT (SELECT count(*) FROM created) AS created, (SELECT count(*) FROM changed) AS changed;

-- name: bring_languages
-- Set the staged language of people without an account; those with one choose it themselves.
UPDATE person p SET language = s.language
FROM (SELECT DISTINCT ON (email) email, language FROM import_owner
      WHERE job_id = %(job)s AND email > %(after)s AND email <= %(upto)s AND language IS NOT NULL
      ORDER BY email, file DESC, line DESC) s
WHERE p.email = s.email AND p.language <> s.language AND NOT EXISTS (SELECT FROM account a WHERE a.person_id = p.id);

-- name: plan_owners
-- Store the ownerships that will begin. Returns the staged owners whose ownership cannot.
WITH plan AS MATERIALIZED (
  SELECT * FROM import_owner_plan(%(job)s, %(after_product)s::int, %(after_serial)s::text,
                                  %(upto_product)s::int, %(upto_serial)s::text)
), noted AS (
  INSERT INTO import_change (job_id, turn, unit_id, is_new, person_id, since, until)
  SELECT %(job)s, %(turn)s, n.unit_id, true, p.id, n.since, n.until
  FROM plan n JOIN person p ON p.email = n.email WHERE n.verdict = 'begins'
)
SELECT file, line, unit, verdict, owned_since FROM plan WHERE verdict NOT IN ('begins', 'known');

-- name: hold_changed
-- Lock the units whose ownership changes, so that claims of them wait.
WITH held AS (
  SELECT u.id FROM unit u
  WHERE u.id IN (SELECT unit_id FROM import_change WHERE job_id = %(job)s AND turn = %(turn)s)
  ORDER BY u.id FOR NO KEY UPDATE OF u
)
SELECT count(*) FROM held;

-- name: end_ownerships
-- End the present ownerships when those of a turn begin.
UPDATE ownership o SET during = tstzrange(lower(o.during), c.since)
FROM (SELECT unit_id, min(since) AS since FROM import_change
      WHERE job_id = %(job)s AND turn = %(turn)s GROUP BY unit_id) c
WHERE o.unit_id = c.unit_id AND upper_inf(o.during) AND lower(o.during) < c.since;

-- name: begin_ownerships
-- Create the ownerships of a turn.
INSERT INTO ownership (unit_id, person_id, during)
SELECT unit_id, person_id, tstzrange(since, until) FROM import_change WHERE job_id = %(job)s AND turn = %(turn)s;

-- name: changed_units
-- The units that a turn of an import changed, or whose ownership began in it.
SELECT DISTINCT unit_id FROM import_change WHERE job_id = %(job)s AND turn = %(turn)s ORDER BY unit_id;

-- name: drop_staged_units
-- Delete staged units of a job.
DELETE FROM import_unit WHERE ctid = ANY (ARRAY(SELECT ctid FROM import_unit WHERE job_id = %(job)s LIMIT %(limit)s));

-- name: drop_staged_owners
-- Delete staged owners of a job.
DELETE FROM import_owner WHERE ctid = ANY (ARRAY(SELECT ctid FROM import_owner WHERE job_id = %(job)s LIMIT %(limit)s));

-- name: drop_changes
-- Delete the stored changes of a job.
DELETE FROM import_change WHERE ctid = ANY (ARRAY(SELECT ctid FROM import_change WHERE job_id = %(job)s LIMIT %(limit)s));

-- name: unit_number
-- The id of the unit with this public id.
SELECT id FROM unit WHERE public_id = %(unit)s;
