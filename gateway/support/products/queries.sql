-- name: last_pass
-- The last pass over all units that came to its end.
SELECT number, began_at, finished_at FROM unit_pass;

-- name: count_units
-- Count the next units into the figures of a pass, and keep which of them are silent; returns the last of them.
WITH looked_at AS MATERIALIZED (
  SELECT u.id, u.product_id, coalesce(u.lot, '') AS lot, coalesce(u.firmware, '') AS firmware, u.is_test,
         EXISTS (SELECT FROM ownership o WHERE o.unit_id = u.id AND o.during @> %(now)s::timestamptz OFFSET 0) AS registered,
         coalesce((SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id)
                  < %(now)s::timestamptz - %(cadences)s::int
                    * (SELECT min(r.cadence) FROM product_metric r WHERE r.product_id = u.product_id), true) AS silent
  FROM unit u WHERE u.id > %(after)s ORDER BY u.id LIMIT %(limit)s
), heard AS (
  DELETE FROM unit_silence WHERE unit_id = ANY (ARRAY(SELECT id FROM looked_at WHERE NOT silent))
), unheard AS (
  INSERT INTO unit_silence (unit_id, product_id) SELECT id, product_id FROM looked_at WHERE silent ORDER BY id
  ON CONFLICT (unit_id) DO NOTHING
), counted AS (
  INSERT INTO unit_figure AS f (pass, product_id, lot, firmware, units, registered, silent)
  SELECT %(pass)s, product_id, lot, firmware, count(*), count(*) FILTER (WHERE registered), count(*) FILTER (WHERE silent)
  FROM looked_at WHERE NOT is_test GROUP BY product_id, lot, firmware
  ON CONFLICT (pass, product_id, lot, firmware) DO UPDATE
  SET units = f.units + excluded.units, registered = f.registered + excluded.registered,
      silent = f.silent + excluded.silent
)
SELECT max(id) AS last, count(*) AS units FROM looked_at;

-- name: end_pass
-- Let a pass be in force.
INSERT INTO unit_pass (number, began_at, finished_at) VALUES (%(pass)s, %(began_at)s, %(now)s)
ON CONFLICT (single) DO UPDATE
SET number = excluded.number, began_at = excluded.began_at, finished_at = excluded.finished_at;

-- name: drop_figures
-- Delete some figures of passes by their numbers.
DELETE FROM unit_figure WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM unit_figure WHERE pass >= %(first)s AND pass <= %(final)s LIMIT %(limit)s));

-- name: count_alarms
-- Count the next alarms by the firmware of their units; returns how many. Ingest alone writes alarms, in order of their ids.
WITH next AS MATERIALIZED (
  SELECT a.id, a.unit_id, a.rule_version_id, a.raised_at FROM alarm a
  WHERE a.id > (SELECT alarm_id FROM alarm_counted) ORDER BY a.id LIMIT %(limit)s
), counted AS (
  INSERT INTO alarm_figure AS f (product_id, rule_id, firmware, day, alarms)
  SELECT u.product_id, v.rule_id, coalesce(u.firmware, ''), (n.raised_at AT TIME ZONE 'UTC')::date, count(*)
  FROM next n JOIN unit u ON u.id = n.unit_id JOIN rule_version v ON v.id = n.rule_version_id
  WHERE n.raised_at >= %(since)s AND NOT u.is_test
  GROUP BY 1, 2, 3, 4
  ON CONFLICT (product_id, day, rule_id, firmware) DO UPDATE SET alarms = f.alarms + excluded.alarms
), moved AS (
  UPDATE alarm_counted SET alarm_id = (SELECT max(id) FROM next) WHERE EXISTS (SELECT FROM next)
)
SELECT count(*) AS alarms FROM next;

-- name: forget_alarm_figures
-- Delete some figures of alarms before a day.
DELETE FROM alarm_figure WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM alarm_figure WHERE day < %(before)s::date LIMIT %(limit)s));

-- name: products
-- Products, or one of them, with their units, live campaigns and refused messages.
SELECT p.id, p.code, p.name, p.model, coalesce(f.units, 0)::bigint AS units, coalesce(f.registered, 0)::bigint AS registered,
       coalesce(f.silent, 0)::bigint AS silent, s.since AS suspended_since, s.reason AS suspended_because,
       (SELECT count(*) FROM campaign c WHERE c.product_id = p.id AND c.state = 'published'
        AND c.kind <> 'withdrawal') AS campaigns
FROM product p
LEFT JOIN product_suspension s ON s.product_id = p.id
LEFT JOIN LATERAL (
  SELECT sum(units) AS units, sum(registered) AS registered, sum(silent) AS silent FROM unit_figure
  WHERE pass = (SELECT number FROM unit_pass) AND product_id = p.id) f ON true
WHERE %(code)s::text IS NULL OR p.code = %(code)s::text
ORDER BY p.code LIMIT %(limit)s;

-- name: lots
-- The lots of a product with most units.
SELECT lot, sum(units)::bigint AS units, sum(registered)::bigint AS registered, sum(silent)::bigint AS silent,
       count(*) OVER () AS lots
FROM unit_figure
WHERE pass = (SELECT number FROM unit_pass) AND product_id = %(product_id)s
GROUP BY lot ORDER BY units DESC, lot LIMIT %(limit)s;

-- name: firmwares
-- The versions of a product with most units, and the alarms of each since a day, of one rule or of all.
SELECT f.firmware, f.units, f.registered, f.silent, coalesce(a.alarms, 0)::bigint AS alarms, count(*) OVER () AS firmwares
FROM (SELECT firmware, sum(units)::bigint AS units, sum(registered)::bigint AS registered, sum(silent)::bigint AS silent
      FROM unit_figure WHERE pass = (SELECT number FROM unit_pass) AND product_id = %(product_id)s
      GROUP BY firmware) f
LEFT JOIN (SELECT firmware, sum(alarms) AS alarms FROM alarm_figure
           WHERE product_id = %(product_id)s AND day >= %(day)s::date
             AND (%(rule)s::text IS NULL OR rule_id = %(rule)s::text)
           GROUP BY firmware) a USING (firmware)
ORDER BY units DESC, firmware LIMIT %(limit)s;

-- name: alarms_by_rule
-- The rules of a product that raised most alarms since a day, with the newest title of each.
SELECT a.rule_id AS rule, a.alarms, (SELECT v.document->'title' FROM rule_version v WHERE v.rule_id = a.rule_id
                                     ORDER BY v.version DESC LIMIT 1) AS title
FROM (SELECT rule_id, sum(alarms)::bigint AS alarms FROM alarm_figure
      WHERE product_id = %(product_id)s AND day >= %(day)s::date GROUP BY rule_id) a
ORDER BY a.alarms DESC, a.rule_id LIMIT %(limit)s;

-- name: refused
-- How many messages of a product's units were refused, of the ten thousand senders that are kept.
SELECT coalesce(sum(messages), 0)::bigint AS messages FROM quarantine_sender
WHERE split_part(sender, '/', 1) = %(code)s;

-- name: campaigns
-- The campaigns of a product, the newest first.
SELECT c.public_id AS id, c.number, c.kind, c.state, c.content, c.schema, c.published_at, c.units FROM campaign c
WHERE c.product_id = %(product_id)s
ORDER BY c.id DESC LIMIT %(limit)s;
