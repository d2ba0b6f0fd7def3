-- name: products
-- The ids of all products, or of one.
SELECT id FROM product WHERE %(code)s::text IS NULL OR code = %(code)s::text ORDER BY id;

-- name: count
-- The number of units that filters let through, up to a limit.
SELECT count(*) AS units FROM (
  SELECT FROM unit u
  WHERE (%(products)s::int[] IS NULL OR u.product_id = ANY (%(products)s::int[]))
    AND (%(lot)s::text IS NULL OR u.lot = %(lot)s::text)
    AND (%(firmware)s::text IS NULL OR u.firmware = %(firmware)s::text)
    AND (%(prefix)s::text IS NULL OR u.serial LIKE %(prefix)s::text)
  LIMIT %(most)s) matching;

-- name: by_serial
-- The next units in the order of serials, and whether they pass the filters that no index knows.
SELECT u.id, u.serial, w.urgency,
       coalesce((SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id)
                < %(now)s::timestamptz - %(cadences)s::int
                  * (SELECT min(r.cadence) FROM product_metric r WHERE r.product_id = u.product_id), true) AS silent,
       %(registered)s::boolean IS NULL OR %(registered)s::boolean = EXISTS (
         SELECT FROM ownership o WHERE o.unit_id = u.id AND o.during @> %(now)s::timestamptz OFFSET 0) AS passes
FROM unit u CROSS JOIN LATERAL unit_urgency(u.id) w
WHERE (%(products)s::int[] IS NULL OR u.product_id = ANY (%(products)s::int[]))
  AND (%(lot)s::text IS NULL OR u.lot = %(lot)s::text)
  AND (%(firmware)s::text IS NULL OR u.firmware = %(firmware)s::text)
  AND (%(prefix)s::text IS NULL OR u.serial LIKE %(prefix)s::text)
  AND u.serial ~>=~ %(after_serial)s::text AND (u.serial ~>~ %(after_serial)s::text OR u.id > %(after)s)
ORDER BY u.serial USING ~<~, u.id  -- as its index has them
LIMIT %(most)s;

-- name: in_campaigns
-- The next units that a live campaign of a kind concerns.
SELECT DISTINCT m.unit_id AS id FROM campaign c
CROSS JOIN LATERAL (
  SELECT unit_id FROM campaign_unit
  WHERE campaign_id = c.id AND unit_id > %(after)s AND standing = 'affected' AND closed_at IS NULL
  ORDER BY unit_id LIMIT %(most)s) m
WHERE c.state = 'published' AND c.kind = %(kind)s
  AND (%(products)s::int[] IS NULL OR c.product_id = ANY (%(products)s::int[]))
ORDER BY id LIMIT %(most)s;

-- name: in_alarm
-- The next units with an active alarm of some severities.
SELECT DISTINCT m.unit_id AS id FROM unnest(%(severities)s::text[]) AS s (severity)
CROSS JOIN LATERAL (
  SELECT DISTINCT a.unit_id FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id
  WHERE a.cleared_at IS NULL AND a.severity = s.severity AND a.unit_id > %(after)s
    AND (%(products)s::int[] IS NULL OR v.product_id = ANY (%(products)s::int[]))
  ORDER BY a.unit_id LIMIT %(most)s) m
ORDER BY id LIMIT %(most)s;

-- name: candidates
-- The next units that may be concerned by a live recall without having been told.
SELECT DISTINCT m.unit_id AS id FROM campaign c
CROSS JOIN LATERAL (
  SELECT unit_id FROM campaign_candidate WHERE campaign_id = c.id AND unit_id > %(after)s
  ORDER BY unit_id LIMIT %(most)s) m
WHERE c.state = 'published' AND c.kind = 'recall'
  AND (%(products)s::int[] IS NULL OR c.product_id = ANY (%(products)s::int[]))
ORDER BY id LIMIT %(most)s;

-- name: silent
-- The next units that were silent when they were last looked at.
SELECT unit_id AS id FROM unit_silence
WHERE unit_id > %(after)s AND (%(products)s::int[] IS NULL OR product_id = ANY (%(products)s::int[]))
ORDER BY unit_id LIMIT %(most)s;

-- name: in_order
-- The next units in the order of their ids.
SELECT id FROM unit
WHERE id > %(after)s AND (%(products)s::int[] IS NULL OR product_id = ANY (%(products)s::int[]))
ORDER BY id LIMIT %(most)s;

-- name: facts
-- What the list chooses and sorts by, of some units.
SELECT u.id, u.serial, w.urgency,
       coalesce((SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id)
                < %(now)s::timestamptz - %(cadences)s::int
                  * (SELECT min(r.cadence) FROM product_metric r WHERE r.product_id = u.product_id), true) AS silent,
       (%(products)s::int[] IS NULL OR u.product_id = ANY (%(products)s::int[]))
         AND (%(lot)s::text IS NULL OR u.lot = %(lot)s::text)
         AND (%(firmware)s::text IS NULL OR u.firmware = %(firmware)s::text)
         AND (%(prefix)s::text IS NULL OR u.serial LIKE %(prefix)s::text)
         AND (%(registered)s::boolean IS NULL OR %(registered)s::boolean = EXISTS (
           SELECT FROM ownership o WHERE o.unit_id = u.id AND o.during @> %(now)s::timestamptz OFFSET 0)) AS passes
FROM unit u CROSS JOIN LATERAL unit_urgency(u.id) w
WHERE u.id = ANY (%(ids)s::bigint[])
ORDER BY u.id;

-- name: shown
-- Units as the list and their records show them: in the order of the ids, or the one with a public id.
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, u.lot, u.firmware, p.code, p.name, p.model,
       (SELECT person.name FROM ownership o JOIN person ON person.id = o.person_id
        WHERE o.unit_id = u.id AND o.during @> %(now)s::timestamptz) AS owner,
       (SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id) AS last_seen,
       (SELECT min(r.cadence) FROM product_metric r WHERE r.product_id = u.product_id) AS cadence,
       (SELECT jsonb_agg(jsonb_build_object('metric', m.name, 'title', r.title, 'unit', r.unit, 'value', l.value,
               'at', l.time, 'normal', CASE WHEN r.normal_low IS NOT NULL
                                            THEN jsonb_build_array(r.normal_low, r.normal_high) END)
               ORDER BY r.position)
        FROM product_metric r JOIN metric m ON m.id = r.metric_id
        LEFT JOIN latest l ON l.unit_id = u.id AND l.metric_id = r.metric_id
        WHERE r.product_id = u.product_id) AS readings,
       (SELECT jsonb_agg(jsonb_build_object('title', v.document->'title', 'severity', a.severity,
               'onset', a.onset) ORDER BY a.onset)
        FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id
        WHERE a.unit_id = u.id AND a.cleared_at IS NULL) AS alarms,
       (SELECT jsonb_agg(DISTINCT c.kind) FROM campaign_unit m JOIN campaign c ON c.id = m.campaign_id
        WHERE m.unit_id = u.id AND m.standing = 'affected' AND m.closed_at IS NULL AND c.state = 'published') AS campaigns,
       EXISTS (SELECT FROM campaign_candidate k JOIN campaign c ON c.id = k.campaign_id
               WHERE k.unit_id = u.id AND c.kind = 'recall' AND c.state = 'published'
               OFFSET 0) AS checks  -- OFFSET 0 forces a look-up for each unit, else a page reads all candidates
FROM unnest(coalesce(%(ids)s::bigint[], ARRAY(SELECT id FROM unit WHERE public_id = %(unit)s::text)))
  WITH ORDINALITY AS k (id, place)
JOIN unit u ON u.id = k.id
JOIN product p ON p.id = u.product_id
ORDER BY k.place;

-- name: saved
-- Units as the saved list has them, in the order of the ids.
SELECT u.printed AS serial, p.code AS product, p.model, u.lot, u.firmware, w.urgency,
       (SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id) AS last_seen, o.since, o.name AS owner
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS k (id, place)
JOIN unit u ON u.id = k.id
JOIN product p ON p.id = u.product_id
CROSS JOIN LATERAL unit_urgency(u.id) w
LEFT JOIN LATERAL (
  SELECT lower(o.during) AS since, person.name FROM ownership o JOIN person ON person.id = o.person_id
  WHERE o.unit_id = u.id AND o.during @> %(now)s::timestamptz OFFSET 0) o ON true
ORDER BY k.place;

-- name: one
-- A unit by its public id, with what its list line does not say.
SELECT u.id AS row, u.printed AS serial, u.made_on, u.hardware, u.region, u.sold_on, u.support_until, u.order_number,
       u.is_test, u.firmware_reported_at, s.since AS suspended_since, s.reason AS suspended_because
FROM unit u
LEFT JOIN product_suspension s ON s.product_id = u.product_id
WHERE u.public_id = %(unit)s;

-- name: owners
-- Who owned a unit and who will, the newest first.
SELECT p.public_id AS id, p.name, p.email, p.phone, p.language, p.customer_number, o.how, o.place, lower(o.during) AS since,
       upper(o.during) AS until, o.during @> %(now)s::timestamptz AS is_present
FROM ownership o JOIN person p ON p.id = o.person_id
WHERE o.unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s)
ORDER BY lower(o.during) DESC
LIMIT %(limit)s;

-- name: firmwares
-- The last firmware changes of a unit, the newest first.
SELECT at, firmware, before, reported FROM unit_firmware
WHERE unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s)
ORDER BY number DESC;

-- name: alarms
-- The alarms of a unit, the active ones first, then the newest.
SELECT a.public_id AS id, a.severity, v.rule_id AS rule, v.version, v.document, v.schema, a.onset,
       a.raised_at, a.historic, a.cleared_at
FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id
WHERE a.unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s)
ORDER BY a.cleared_at IS NULL DESC, a.id DESC
LIMIT %(limit)s;

-- name: notices
-- The notices of a unit, the newest first, with their deliveries and where they were opened.
SELECT n.public_id AS id, n.kind, n.severity, n.state, n.text, n.why, n.schema, n.created_at, n.resolved_at, n.read_at,
       n.acknowledged_at, n.visible_at, n.hold_reason, n.skip_reason, p.public_id AS person_id, p.name AS person,
       c.public_id AS campaign, t.told, d.deliveries, e.opened
FROM (SELECT * FROM notice WHERE unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s)
      ORDER BY id DESC LIMIT %(limit)s) n
JOIN person p ON p.id = n.person_id
LEFT JOIN campaign c ON c.id = n.campaign_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, %(language)s) t ON true
LEFT JOIN LATERAL (                             -- of a message about many units, those of its first notice
  SELECT jsonb_agg(jsonb_build_object('channel', o.channel, 'status', o.status, 'reason', o.reason,
         'at', coalesce(o.finished_at, o.due_at)) ORDER BY coalesce(o.finished_at, o.due_at), o.channel) AS deliveries
  FROM outbox o
  WHERE o.channel <> 'feed'
    AND o.notice_id = coalesce((SELECT lead.id FROM notice lead WHERE lead.public_id = n.group_key), n.id)) d ON true
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('channel', g.channel, 'at', g.at) ORDER BY g.at) AS opened
  FROM engagement g WHERE g.notice_id = n.id AND g.kind = 'opened') e ON true
ORDER BY n.id DESC;

-- name: campaigns
-- The campaigns of a unit, those that it is open in first: what its present owner was told; and live recalls of others.
SELECT c.public_id AS id, c.number, c.kind, c.state, c.content, c.schema, c.published_at,
       m.standing, m.matched, m.closed_at, k.unit_id IS NOT NULL AS is_checked, n.created_at AS told_at,
       n.read_at AS seen_at, n.acknowledged_at
FROM unit u
CROSS JOIN LATERAL (
  SELECT campaign_id AS id FROM campaign_unit WHERE unit_id = u.id
  UNION
  SELECT id FROM campaign WHERE product_id = u.product_id AND state = 'published' AND kind = 'recall') b
JOIN campaign c ON c.id = b.id
LEFT JOIN campaign_unit m ON m.campaign_id = c.id AND m.unit_id = u.id
LEFT JOIN campaign_candidate k ON k.campaign_id = c.id AND k.unit_id = u.id
LEFT JOIN ownership w ON w.unit_id = u.id AND w.during @> %(now)s::timestamptz
LEFT JOIN notice n ON n.campaign_id = c.id AND n.unit_id = u.id AND n.person_id = w.person_id
                  AND n.owned_since = lower(w.during)
WHERE u.public_id = %(unit)s
ORDER BY c.state = 'published' DESC, coalesce(m.standing = 'affected' AND m.closed_at IS NULL, false) DESC, c.id DESC
LIMIT %(limit)s;

-- name: rules
-- The rules in force for the product of a unit.
SELECT v.id, v.version, v.document, v.schema FROM rule_version v
WHERE v.active AND v.product_id = (SELECT product_id FROM unit WHERE public_id = %(unit)s)
ORDER BY v.rule_id
LIMIT %(limit)s;
