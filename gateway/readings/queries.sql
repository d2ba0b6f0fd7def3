-- name: stage
-- The table for readings of one batch that may be stored already, or that wait for the partition of their day.
CREATE TEMPORARY TABLE IF NOT EXISTS staged (
  place int, time timestamptz, unit_id bigint, metric_id smallint, value float8, received_at timestamptz, late boolean,
  waits boolean, conflicts boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;

-- name: insert_staged
-- Store the staged readings that are not stored yet; of two in one batch, the one that arrived first.
INSERT INTO telemetry (time, unit_id, metric_id, value, received_at, late)
SELECT time, unit_id, metric_id, value, received_at, late FROM staged WHERE NOT waits ORDER BY place
ON CONFLICT (unit_id, metric_id, time) DO NOTHING;

-- name: mark_conflicting
-- Mark the staged readings of some days that differ from the stored value of their unit, metric and time.
UPDATE staged s SET conflicts = true
WHERE NOT s.waits AND s.time >= %(begin)s AND s.time < %(end)s
  -- A scalar subquery forces one look-up by key for each reading, as the staged table has no statistics.
  AND (SELECT t.value FROM telemetry t
       WHERE t.unit_id = s.unit_id AND t.metric_id = s.metric_id AND t.time = s.time
         AND t.time >= %(begin)s AND t.time < %(end)s) <> s.value;

-- name: insert_conflicting
-- Keep the staged readings marked as conflicting, up to the limit of their unit. Returns the number by message.
WITH conflicting AS MATERIALIZED (
  SELECT place, unit_id, metric_id, time, value, received_at,
         row_number() OVER (PARTITION BY unit_id ORDER BY place) AS nth
  FROM staged WHERE conflicts
), room AS (
  SELECT u.unit_id, %(share)s - (SELECT count(*) FROM (SELECT FROM conflicting_reading k WHERE k.unit_id = u.unit_id
                                                       LIMIT %(share)s) AS stored) AS free
  FROM (SELECT DISTINCT unit_id FROM conflicting) AS u
), kept AS (
  INSERT INTO conflicting_reading (unit_id, metric_id, time, value, received_at)
  SELECT c.unit_id, c.metric_id, c.time, c.value, c.received_at
  FROM conflicting c JOIN room r USING (unit_id) WHERE c.nth <= r.free
  ON CONFLICT DO NOTHING
), counted AS (
  INSERT INTO conflicting_count AS n (unit_id, readings, last_at)
  SELECT unit_id, count(*), max(received_at) FROM conflicting GROUP BY unit_id ORDER BY unit_id
  ON CONFLICT (unit_id) DO UPDATE SET readings = n.readings + excluded.readings, last_at = excluded.last_at
)
SELECT unit_id, received_at, count(*) AS readings FROM conflicting GROUP BY unit_id, received_at;

-- name: conflicting_units
-- Units that ever had conflicting readings, after a unit, in the order of ids.
SELECT unit_id FROM conflicting_count WHERE unit_id > %(after)s ORDER BY unit_id LIMIT %(limit)s;

-- name: trim_conflicting
-- Drop units' conflicting readings that are too old, and all but the newest of units at the limit.
DELETE FROM conflicting_reading c
USING (
  SELECT r.place FROM unnest(%(units)s::bigint[]) AS u (unit_id)
  CROSS JOIN LATERAL (
    SELECT k.ctid AS place, k.received_at, count(*) OVER () AS stored,
           row_number() OVER (ORDER BY k.received_at DESC, k.time DESC) AS nth
    FROM conflicting_reading k WHERE k.unit_id = u.unit_id) AS r
  WHERE r.received_at < %(before)s OR (r.stored >= %(share)s AND r.nth > %(keep)s)
) AS old
WHERE c.ctid = old.place;

-- name: insert_waiting
-- Store the staged readings whose day has no partition yet, unless they wait already.
INSERT INTO telemetry_waiting (time, unit_id, metric_id, value, received_at, late)
SELECT time, unit_id, metric_id, value, received_at, late FROM staged WHERE waits ORDER BY place
ON CONFLICT (unit_id, metric_id, time) DO NOTHING;

-- name: mark_conflicting_waiting
-- Mark the staged readings that differ from the waiting or just moved value of their unit, metric and time.
UPDATE staged s SET conflicts = true
WHERE s.waits
  AND coalesce((SELECT w.value FROM telemetry_waiting w
                WHERE w.unit_id = s.unit_id AND w.metric_id = s.metric_id AND w.time = s.time),
               (SELECT t.value FROM telemetry t
                WHERE t.unit_id = s.unit_id AND t.metric_id = s.metric_id AND t.time = s.time)) <> s.value;

-- name: newest_waiting
-- The time of the newest waiting reading.
SELECT max(time) AS time FROM telemetry_waiting;

-- name: stage_waiting
-- Stage some of the waiting readings of one day.
WITH moved AS (
  DELETE FROM telemetry_waiting WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM telemetry_waiting WHERE time >= %(begin)s AND time < %(end)s LIMIT %(limit)s))
  RETURNING time, unit_id, metric_id, value, received_at, late
)
INSERT INTO staged (place, time, unit_id, metric_id, value, received_at, late, waits)
SELECT row_number() OVER (ORDER BY received_at), time, unit_id, metric_id, value, received_at, late, false FROM moved;

-- name: stage_latest
-- The table for the newest readings of one batch.
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

-- name: readings
-- A unit's metric between two times, the newest first; beyond the limit, the lowest and highest of each interval.
WITH selected AS MATERIALIZED (
  SELECT time, value FROM telemetry
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

-- name: rolled_to
-- How far readings are rolled up.
SELECT rolled_to FROM rollup_mark;

-- name: hours
-- A metric of a unit by hour between two times, the oldest first.
SELECT begins, low, high, total, readings FROM rollup_hour
WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND begins >= %(since)s AND begins < %(until)s
ORDER BY begins;

-- name: days
-- A metric of a unit by day between two times, the oldest first.
SELECT begins, low, high, total, readings FROM rollup_day
WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND begins >= %(since)s AND begins < %(until)s
ORDER BY begins;

-- name: recent_hours
-- The same by hour, counted from the readings: of what is not rolled up yet.
SELECT date_bin('1 hour', time, timestamptz '2000-01-01 00:00Z') AS begins, min(value) AS low, max(value) AS high,
       sum(least(greatest(value, -1e290), 1e290)) AS total, count(*)::int AS readings
FROM (SELECT time, value FROM telemetry
      WHERE unit_id = %(unit_id)s AND metric_id = %(metric_id)s AND time >= %(since)s AND time < %(until)s
      ORDER BY time DESC LIMIT %(most)s) AS newest
GROUP BY 1 ORDER BY 1;

-- name: stored_readings
-- The readings of a unit between two times as they are stored, after a time and metric, in that order.
SELECT t.time, t.metric_id, m.name AS metric, t.value, t.received_at, t.late
FROM telemetry t
JOIN metric m ON m.id = t.metric_id
WHERE t.unit_id = %(unit_id)s AND t.time >= %(since)s AND t.time < %(until)s AND t.time >= %(after_time)s
  AND (t.time, t.metric_id) > (%(after_time)s, %(after_metric)s::smallint)
ORDER BY t.time, t.metric_id
LIMIT %(limit)s;

-- name: conflicting_readings
-- The readings of a unit between two times that differ from the stored value of their time.
SELECT c.time, m.name AS metric, c.value, c.received_at
FROM conflicting_reading c
JOIN metric m ON m.id = c.metric_id
WHERE c.unit_id = %(unit_id)s AND c.time >= %(since)s AND c.time < %(until)s
ORDER BY c.time, m.name, c.value
LIMIT %(limit)s;

-- name: conflicts_ever
-- The number of conflicting readings of a unit so far.
SELECT readings FROM conflicting_count WHERE unit_id = %(unit_id)s;

-- name: unit_metric
-- A metric of a unit: the ids of its readings, and the unit of measurement.
SELECT u.id AS unit_id, m.id AS metric_id, r.unit AS measure FROM unit u
JOIN product_metric r ON r.product_id = u.product_id
JOIN metric m ON m.id = r.metric_id
WHERE u.public_id = %(unit)s AND m.name = %(metric)s;

-- name: begin_noting
-- Say that late readings are noted from now on, so that closed hours can be rolled up.
INSERT INTO rollup_mark DEFAULT VALUES ON CONFLICT DO NOTHING;

-- name: closed_to
-- The moment before which hours are closed.
SELECT closed_to FROM rollup_mark;

-- name: note_touched
-- Note the closed hours that the staged readings belong to.
INSERT INTO rollup_touched (unit_id, metric_id, begins)
SELECT DISTINCT unit_id, metric_id, date_bin('1 hour', time, timestamptz '2000-01-01 00:00Z') FROM staged
WHERE NOT waits AND time < (SELECT closed_to FROM rollup_mark);

-- name: rollup_mark
-- Where rolling stands; no row while nobody notes late readings.
SELECT closed_to, rolled_to, rolling_to, after_unit, after_metric FROM rollup_mark;

-- name: close_hours
-- Close the hours before a time: from now on ingest notes those that it writes into.
UPDATE rollup_mark SET closed_to = %(to)s;

-- name: writers
-- The open transactions that write, or wrote, readings.
SELECT virtualtransaction AS writer FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND relation = 'telemetry'::regclass
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: set_rolled
-- Move the mark of what is rolled up.
UPDATE rollup_mark SET rolled_to = %(rolled_to)s, rolling_to = %(rolling_to)s, after_unit = %(after_unit)s,
                       after_metric = %(after_metric)s;

-- name: make_rollup_room
-- Make the partitions for the hours and the day of a day.
SELECT rollup_make_room(%(day)s);

-- name: next_series
-- The next metrics of units that have readings between two times, by one look at the key for each.
WITH RECURSIVE series (unit_id, metric_id) AS (
  (SELECT unit_id, metric_id FROM telemetry
   WHERE (unit_id, metric_id) > (%(after_unit)s, %(after_metric)s::smallint) AND time >= %(begin)s AND time < %(end)s
   ORDER BY unit_id, metric_id LIMIT 1)
  UNION ALL
  SELECT n.unit_id, n.metric_id FROM series s CROSS JOIN LATERAL (
    SELECT t.unit_id, t.metric_id FROM telemetry t
    WHERE (t.unit_id, t.metric_id) > (s.unit_id, s.metric_id) AND t.time >= %(begin)s AND t.time < %(end)s
    ORDER BY t.unit_id, t.metric_id LIMIT 1) AS n
)
SELECT unit_id, metric_id FROM series LIMIT %(limit)s;

-- name: recount_hours
-- Count hours of metrics of units anew from their readings between two times, each from `sinces` to `untils`.
INSERT INTO rollup_hour (unit_id, metric_id, begins, low, high, total, readings, received_from)
SELECT s.unit_id, s.metric_id, h.begins, h.low, h.high, h.total, h.readings, h.received_from
FROM unnest(%(units)s::bigint[], %(metrics)s::smallint[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
     AS s (unit_id, metric_id, since, until)
CROSS JOIN LATERAL (
  SELECT date_bin('1 hour', t.time, timestamptz '2000-01-01 00:00Z') AS begins, min(t.value) AS low,
         -- Cut, so that no sum of absurd values can overflow.
         max(t.value) AS high, sum(least(greatest(t.value, -1e290), 1e290)) AS total, count(*) AS readings,
         min(t.received_at) AS received_from
  FROM telemetry t
  WHERE t.unit_id = s.unit_id AND t.metric_id = s.metric_id AND t.time >= s.since AND t.time < s.until
    AND t.time >= %(begin)s AND t.time < %(end)s
  GROUP BY 1) AS h
ON CONFLICT (unit_id, metric_id, begins) DO UPDATE
SET low = excluded.low, high = excluded.high, total = excluded.total, readings = excluded.readings,
    received_from = excluded.received_from;

-- name: recount_days
-- Count a day of metrics of units anew from its hours.
INSERT INTO rollup_day (unit_id, metric_id, begins, low, high, total, readings, received_from)
SELECT s.unit_id, s.metric_id, %(begin)s, d.low, d.high, d.total, d.readings, d.received_from
FROM unnest(%(units)s::bigint[], %(metrics)s::smallint[]) AS s (unit_id, metric_id)
CROSS JOIN LATERAL (
  SELECT min(h.low) AS low, max(h.high) AS high, sum(h.total) AS total, sum(h.readings) AS readings,
         min(h.received_from) AS received_from
  FROM rollup_hour h
  WHERE h.unit_id = s.unit_id AND h.metric_id = s.metric_id AND h.begins >= %(begin)s AND h.begins < %(end)s
  HAVING count(*) > 0) AS d
ON CONFLICT (unit_id, metric_id, begins) DO UPDATE
SET low = excluded.low, high = excluded.high, total = excluded.total, readings = excluded.readings,
    received_from = excluded.received_from;

-- name: next_touched
-- The first closed hour from a time on that was written into.
SELECT min(begins) AS begins FROM rollup_touched WHERE begins >= %(since)s;

-- name: take_touched
-- Take some of a day's closed hours that were written into; returns those whose readings are all still there.
WITH taken AS (
  DELETE FROM rollup_touched WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM rollup_touched WHERE begins >= %(begin)s AND begins < %(end)s LIMIT %(limit)s))
  RETURNING unit_id, metric_id, begins
)
SELECT DISTINCT t.unit_id, t.metric_id, t.begins
FROM taken t JOIN unit u ON u.id = t.unit_id CROSS JOIN rollup_mark m
WHERE t.begins < coalesce(m.rolling_to, m.rolled_to)
  AND t.begins >= coalesce(m.raw_from, '-infinity')
  AND NOT EXISTS (SELECT FROM rollup_floor f WHERE f.product_id = u.product_id AND f.kept_from > t.begins)
ORDER BY t.unit_id, t.metric_id, t.begins;

-- name: count_touched
-- The number of closed hours that wait to be counted again, up to a limit.
SELECT count(*) AS hours FROM (SELECT FROM rollup_touched ORDER BY begins LIMIT %(limit)s) AS t;

-- name: retentions
-- How long each product's raw readings, hours and days are kept, where its file says so.
SELECT id AS product_id, keep_raw AS raw, keep_hour AS hour, keep_day AS day FROM product;

-- name: set_raw_from
-- Say from when on raw readings are kept, of all products; before they are dropped.
UPDATE rollup_mark SET raw_from = greatest(raw_from, %(day)s::date::timestamptz);

-- name: drop_rollups_before
-- Drop the hours of months before one day, and the days of years before another.
SELECT rollup_drop_before(%(hours)s, %(days)s) AS dropped;

-- name: raise_floors
-- Say from when on rows of products are kept, where what was before the last such day is deleted.
INSERT INTO rollup_floor AS f (product_id, level, kept_from)
SELECT product_id, level, kept_from::timestamptz
FROM unnest(%(products)s::int[], %(levels)s::text[], %(days)s::date[]) AS v (product_id, level, kept_from)
ON CONFLICT (product_id, level) DO UPDATE SET kept_from = excluded.kept_from
WHERE f.kept_from < excluded.kept_from AND f.deleted_to = f.kept_from;

-- name: next_floor
-- A product with rows to delete, raw readings first.
SELECT product_id, level, deleted_to, kept_from, after_unit FROM rollup_floor WHERE deleted_to < kept_from
ORDER BY level DESC, product_id LIMIT 1;

-- name: units_after
-- The next units of a product, in the order of ids.
SELECT id FROM unit WHERE product_id = %(product_id)s AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: delete_raw
-- Delete the raw readings of units between two times.
SELECT telemetry_forget(%(units)s::bigint[], %(begin)s, %(end)s) AS deleted;

-- name: delete_hours
-- Delete the hours of units between two times.
DELETE FROM rollup_hour WHERE unit_id = ANY (%(units)s::bigint[]) AND begins >= %(begin)s AND begins < %(end)s;

-- name: delete_days
-- Delete the days of units between two times.
DELETE FROM rollup_day WHERE unit_id = ANY (%(units)s::bigint[]) AND begins >= %(begin)s AND begins < %(end)s;

-- name: set_floor
-- Move the mark of what is deleted of a product.
UPDATE rollup_floor SET deleted_to = %(deleted_to)s, after_unit = %(after_unit)s
WHERE product_id = %(product_id)s AND level = %(level)s;
