-- name: upsert_product
-- Create a product or change what the file says otherwise; answers nothing when all is as it was.
INSERT INTO product (code, model, brand, gtin, name, receipts)
VALUES (%(code)s, %(model)s, %(brand)s, %(gtin)s, %(name)s, %(receipts)s)
ON CONFLICT (code) DO UPDATE
SET model = excluded.model, brand = excluded.brand, gtin = excluded.gtin, name = excluded.name,
    receipts = excluded.receipts, updated_at = now()
RETURNING id;

-- name: product_with_metrics
-- One product with its metric registry as the product file wrote it, to see whether a file changes anything.
SELECT p.id, p.code, p.model, p.brand, p.gtin, p.name, p.receipts,
       (SELECT json_agg(json_build_object('name', m.name, 'title', r.title, 'unit', r.unit, 'low', r.low,
               'high', r.high, 'normal_low', r.normal_low, 'normal_high', r.normal_high,
               'cadence', extract(epoch FROM r.cadence)::float8) ORDER BY r.position)
        FROM product_metric r JOIN metric m ON m.id = r.metric_id WHERE r.product_id = p.id) AS metrics
FROM product p WHERE p.code = %(code)s;

-- name: metric_id
-- The dictionary number of a metric name, made if new.
WITH made AS (
  INSERT INTO metric (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING RETURNING id
)
SELECT id FROM made UNION ALL SELECT id FROM metric WHERE name = %(name)s LIMIT 1;

-- name: drop_other_metrics
-- Take metrics out of a product's registry that its file no longer names.
DELETE FROM product_metric WHERE product_id = %(product_id)s AND NOT metric_id = ANY(%(metric_ids)s::smallint[]);

-- name: upsert_metric
-- Write one line of a product's metric registry.
INSERT INTO product_metric (product_id, metric_id, position, title, unit, low, high, normal_low, normal_high, cadence)
VALUES (%(product_id)s, %(metric_id)s, %(position)s, %(title)s, %(unit)s, %(low)s, %(high)s, %(normal_low)s,
        %(normal_high)s, %(cadence)s)
ON CONFLICT (product_id, metric_id) DO UPDATE
SET position = excluded.position, title = excluded.title, unit = excluded.unit, low = excluded.low,
    high = excluded.high, normal_low = excluded.normal_low, normal_high = excluded.normal_high,
    cadence = excluded.cadence;

-- name: products
-- Every product.
SELECT id, code, model, name, receipts, updated_at FROM product ORDER BY id;

-- name: registry
-- Every line of every product's metric registry.
SELECT r.product_id, m.id, m.name, r.title, r.unit, r.low, r.high, r.normal_low, r.normal_high, r.cadence
FROM product_metric r JOIN metric m ON m.id = r.metric_id
ORDER BY r.product_id, r.position;

-- name: upsert_units
-- Create units, or change lot, firmware and date of those known; answers the ones created or changed.
INSERT INTO unit (public_id, product_id, serial, printed, lot, firmware, made_on)
SELECT * FROM unnest(%(public_ids)s::text[], %(product_ids)s::int[], %(serials)s::text[], %(printed)s::text[],
                     %(lots)s::text[], %(firmwares)s::text[], %(made_on)s::date[])
ON CONFLICT (product_id, serial) DO UPDATE
SET printed = excluded.printed, lot = excluded.lot, firmware = excluded.firmware, made_on = excluded.made_on
WHERE (unit.printed, unit.lot, unit.firmware, unit.made_on)
      IS DISTINCT FROM (excluded.printed, excluded.lot, excluded.firmware, excluded.made_on)
RETURNING id, serial, product_id, lot, firmware, xmax = 0 AS created;

-- name: take_firmware
-- Bring units to the firmware they reported, and keep the report where the unit's row is held; returns those brought.
WITH reported AS (
  SELECT * FROM unnest(%(units)s::bigint[], %(firmwares)s::text[], %(ats)s::timestamptz[], %(replayed)s::boolean[])
    AS n (id, firmware, at, replayed)
), free AS MATERIALIZED (
  SELECT u.id, u.firmware, u.firmware_reported_at FROM unit u
  WHERE u.id = ANY (%(units)s) ORDER BY u.id FOR NO KEY UPDATE OF u SKIP LOCKED
), wanted AS (
  SELECT f.id, r.firmware, r.at, f.firmware AS before FROM free f JOIN reported r USING (id)
  WHERE NOT r.replayed
     OR (f.firmware_reported_at IS NULL
         AND NOT EXISTS (SELECT FROM firmware_waiting w WHERE w.unit_id = r.id AND NOT w.replayed))
), held AS (
  INSERT INTO firmware_waiting AS w (unit_id, firmware, reported_at, replayed)
  SELECT r.id, r.firmware, r.at, r.replayed FROM reported r
  WHERE NOT EXISTS (SELECT FROM free f WHERE f.id = r.id) ORDER BY r.id
  ON CONFLICT (unit_id) DO UPDATE
  SET firmware = excluded.firmware, reported_at = excluded.reported_at, replayed = excluded.replayed
  WHERE w.replayed OR NOT excluded.replayed
), settled AS (
  DELETE FROM firmware_waiting w USING free f, reported r
  WHERE w.unit_id = f.id AND r.id = f.id AND (w.replayed OR NOT r.replayed)
)
UPDATE unit u SET firmware = w.firmware, firmware_reported_at = w.at FROM wanted w WHERE u.id = w.id
RETURNING u.id, u.firmware, w.before;

-- name: firmware_waiting
-- The reports whose units were held, behind a unit, in the order of units.
SELECT unit_id, firmware, reported_at, replayed FROM firmware_waiting WHERE unit_id > %(after)s ORDER BY unit_id LIMIT %(limit)s;

-- name: units_by_key
-- Units by product code and canonical serial.
SELECT u.id, u.public_id, p.code AS product_code, u.serial
FROM unnest(%(codes)s::text[], %(serials)s::text[]) AS k (code, serial)
JOIN product p ON p.code = k.code
JOIN unit u ON u.product_id = p.id AND u.serial = k.serial;

-- name: upsert_person
-- The person with this address, made if new.
INSERT INTO person (public_id, name, email) VALUES (%(public_id)s, %(name)s, %(email)s)
ON CONFLICT (email) DO UPDATE SET name = excluded.name
RETURNING id, public_id;

-- name: lock_unit
-- Hold a unit while its ownership changes.
SELECT id FROM unit WHERE id = %(unit_id)s FOR NO KEY UPDATE;

-- name: ownership_from
-- The ownership that covers a moment or begins after it, the earliest first.
SELECT person_id, lower(during) AS since, upper(during) AS until FROM ownership
WHERE unit_id = %(unit_id)s AND (upper(during) IS NULL OR upper(during) > %(since)s)
ORDER BY lower(during) LIMIT 1;

-- name: end_ownership
-- End the ownership of a unit that runs.
UPDATE ownership SET during = tstzrange(lower(during), %(until)s)
WHERE unit_id = %(unit_id)s AND upper_inf(during);

-- name: begin_ownership
-- Let an ownership begin.
INSERT INTO ownership (unit_id, person_id, during) VALUES (%(unit_id)s, %(person_id)s, tstzrange(%(since)s, NULL));

-- name: owner_at
-- Who owns a unit at a moment.
SELECT p.id AS person_id, p.public_id, p.name, p.email, p.language, lower(o.during) AS since
FROM ownership o JOIN person p ON p.id = o.person_id
WHERE o.unit_id = %(unit_id)s AND o.during @> %(at)s::timestamptz;

-- name: units_page
-- Units in the order of their ids, with product, present owner, newest readings, and kinds of campaigns as JSON.
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, u.lot, u.firmware, p.code, p.name, p.model,
       (SELECT person.name FROM ownership o JOIN person ON person.id = o.person_id
        WHERE o.unit_id = u.id AND o.during @> now()) AS owner,
       (SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id) AS last_seen,
       (SELECT jsonb_agg(jsonb_build_object('metric', m.name, 'title', r.title, 'unit', r.unit, 'value', l.value,
               'at', l.time, 'normal', CASE WHEN r.normal_low IS NOT NULL
                                            THEN jsonb_build_array(r.normal_low, r.normal_high) END)
               ORDER BY r.position)
        FROM product_metric r JOIN metric m ON m.id = r.metric_id
        LEFT JOIN latest l ON l.unit_id = u.id AND l.metric_id = r.metric_id
        WHERE r.product_id = u.product_id) AS readings,
       (SELECT jsonb_agg(jsonb_build_object('title', v.document->'title'->>'en', 'severity', a.severity,
               'onset', a.onset) ORDER BY a.onset)
        FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id
        WHERE a.unit_id = u.id AND a.cleared_at IS NULL) AS alarms,
       (SELECT jsonb_agg(DISTINCT c.kind) FROM campaign_unit cu JOIN campaign c ON c.id = cu.campaign_id
        WHERE cu.unit_id = u.id AND cu.standing = 'affected' AND cu.closed_at IS NULL AND c.state = 'published') AS campaigns
FROM unit u JOIN product p ON p.id = u.product_id
WHERE u.id > %(after)s
ORDER BY u.id
LIMIT %(limit)s;

-- name: readings
-- One metric of one unit between two moments, oldest first.
SELECT t.time, t.value
FROM telemetry t
JOIN unit u ON u.id = t.unit_id
JOIN metric m ON m.id = t.metric_id
WHERE u.public_id = %(unit)s AND m.name = %(metric)s AND t.time >= %(since)s AND t.time < %(until)s
ORDER BY t.time DESC
LIMIT %(limit)s;

-- name: stored_readings
-- Every reading of a unit between two moments, exactly as it is stored, behind a place, in the order of time and metric.
SELECT t.time, t.metric_id, m.name AS metric, t.value, t.received_at, t.late
FROM telemetry t
JOIN unit u ON u.id = t.unit_id
JOIN metric m ON m.id = t.metric_id
WHERE u.public_id = %(unit)s AND t.time >= %(since)s AND t.time < %(until)s
  AND (t.time, t.metric_id) > (%(after_time)s, %(after_metric)s::smallint)
ORDER BY t.time, t.metric_id
LIMIT %(limit)s;

-- name: conflicting_readings
-- The readings of a unit between two moments that said otherwise than what stands for their time.
SELECT c.time, m.name AS metric, c.value, c.received_at
FROM conflicting_reading c
JOIN unit u ON u.id = c.unit_id
JOIN metric m ON m.id = c.metric_id
WHERE u.public_id = %(unit)s AND c.time >= %(since)s AND c.time < %(until)s
ORDER BY c.time, m.name, c.value
LIMIT %(limit)s;

-- name: conflicts_ever
-- How many readings of a unit ever said otherwise than what stood for their time.
SELECT c.readings FROM conflicting_count c JOIN unit u ON u.id = c.unit_id WHERE u.public_id = %(unit)s;

-- name: unit_messages
-- The last messages of a unit, the newest first.
SELECT m.number, m.received_at, m.topic, m.payload, m.size, m.reason, m.detail, m.ignored, m.conflicting
FROM unit_message m JOIN unit u ON u.id = m.unit_id
WHERE u.public_id = %(unit)s ORDER BY m.number DESC;

-- name: unit_exists
-- Whether there is a unit with this public id.
SELECT EXISTS (SELECT FROM unit WHERE public_id = %(unit)s) AS found;

-- name: unit_metric
-- A unit's metric, to tell "no readings" from "no such thing".
SELECT r.unit FROM unit u
JOIN product_metric r ON r.product_id = u.product_id
JOIN metric m ON m.id = r.metric_id
WHERE u.public_id = %(unit)s AND m.name = %(metric)s;

-- name: claim_codes
-- The kept codes of units.
SELECT unit_id, code_hash FROM claim_code WHERE unit_id = ANY(%(unit_ids)s::bigint[]);

-- name: upsert_codes
-- Keep the codes of units; another code than before is not spent.
INSERT INTO claim_code (unit_id, code_hash) SELECT * FROM unnest(%(unit_ids)s::bigint[], %(hashes)s::bytea[])
ON CONFLICT (unit_id) DO UPDATE SET code_hash = excluded.code_hash, spent_at = NULL;

-- name: claimable
-- The units with a serial, in one product or in all, held while it is decided whose they are.
SELECT u.id AS unit_id, u.public_id AS id, u.printed, p.code AS product, p.name, p.model, c.code_hash, c.spent_at
FROM unit u
JOIN product p ON p.id = u.product_id
LEFT JOIN claim_code c ON c.unit_id = u.id
WHERE u.serial = %(serial)s AND (%(product)s::text IS NULL OR p.code = %(product)s::text)
ORDER BY u.id
FOR NO KEY UPDATE OF u;

-- name: owners_from
-- Who owns units at a moment, or later.
SELECT unit_id, person_id FROM ownership
WHERE unit_id = ANY(%(unit_ids)s::bigint[]) AND (upper_inf(during) OR upper(during) > %(at)s);

-- name: begin_claimed
-- Let the ownership of who claimed a unit begin.
INSERT INTO ownership (unit_id, person_id, during, how)
VALUES (%(unit_id)s, %(person_id)s, tstzrange(%(since)s, NULL), 'claim');

-- name: spend_code
-- A code was used: it is good for this one ownership.
UPDATE claim_code SET spent_at = %(at)s WHERE unit_id = %(unit_id)s;

-- name: free_code
-- A unit was given up: its code is good for the next owner.
UPDATE claim_code SET spent_at = NULL WHERE unit_id = %(unit_id)s;

-- name: hold_own
-- A person's unit, held while its ownership changes.
SELECT u.id, u.printed FROM unit u
WHERE u.public_id = %(unit)s AND EXISTS (
  SELECT FROM ownership o WHERE o.unit_id = u.id AND o.person_id = %(person_id)s AND o.during @> %(at)s::timestamptz)
FOR NO KEY UPDATE OF u;

-- name: end_own
-- End a person's running ownership; not before it began.
UPDATE ownership SET during = tstzrange(lower(during), greatest(%(until)s, lower(during) + interval '1 microsecond'))
WHERE unit_id = %(unit_id)s AND person_id = %(person_id)s AND during @> %(until)s::timestamptz
RETURNING unit_id;

-- name: name_place
-- Keep where a person's unit stands.
UPDATE ownership o SET place = %(place)s FROM unit u
WHERE u.public_id = %(unit)s AND o.unit_id = u.id AND o.person_id = %(person_id)s
  AND o.during @> %(at)s::timestamptz;

-- name: owners_when
-- Who owned units at two moments each: when it was told, and the one that it tells of.
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
        WHERE n.unit = u.id AND n.state = 'open' AND n.kind IN ('recall', 'update')) AS campaigns
FROM my_unit u
WHERE u.unit_id > %(after)s AND (%(unit)s::text IS NULL OR u.id = %(unit)s::text)
ORDER BY u.unit_id
LIMIT %(limit)s;

-- name: my_measure
-- The measuring unit of a metric of the person's unit, to tell "no readings" from "no such thing".
SELECT measure FROM my_latest WHERE unit = %(unit)s AND metric = %(metric)s;

-- name: my_readings
-- One metric of the person's unit between two moments, the newest first.
SELECT time, value FROM my_reading
WHERE unit = %(unit)s AND metric = %(metric)s AND time >= %(since)s AND time < %(until)s
ORDER BY time DESC
LIMIT %(limit)s;

-- name: my_messages
-- The last messages of the person's unit, the newest first.
SELECT number, received_at, topic, payload, size, reason, detail, ignored, conflicting FROM my_message
WHERE unit = %(unit)s
ORDER BY number DESC;

-- name: my_feed
-- The person's notices below a number, the newest first, each with its deliveries, without those that are pinned.
SELECT n.*, (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'at', d.at,
                     'reason', d.reason) ORDER BY d.at, d.channel)
             FROM my_delivery d WHERE d.notice = n.id) AS deliveries
FROM my_notice n
WHERE n.row < %(before)s AND NOT (n.kind = 'recall' AND n.state = 'open' AND n.acknowledged_at IS NULL)
ORDER BY n.row DESC
LIMIT %(limit)s;

-- name: my_pinned
-- The person's open recalls that he has not acknowledged, the oldest first, each with its deliveries.
SELECT n.*, (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'at', d.at,
                     'reason', d.reason) ORDER BY d.at, d.channel)
             FROM my_delivery d WHERE d.notice = n.id) AS deliveries
FROM my_notice n
WHERE n.kind = 'recall' AND n.state = 'open' AND n.acknowledged_at IS NULL
ORDER BY n.row;

-- name: my_one
-- One of the person's notices by its public id, with its deliveries.
SELECT n.*, (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'at', d.at,
                     'reason', d.reason) ORDER BY d.at, d.channel)
             FROM my_delivery d WHERE d.notice = n.id) AS deliveries
FROM my_notice n
WHERE n.id = %(notice)s;

-- name: my_unread
-- How many of the person's notices he has not read.
SELECT count(*) AS unread FROM my_notice WHERE read_at IS NULL;
