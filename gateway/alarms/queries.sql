-- name: hold
-- An alarm by its public id, held until the transaction ends.
SELECT id, unit_id, revision, cleared_at IS NOT NULL AS is_cleared, acknowledged_at, acknowledged_by, assignee_id,
       verdict, resolved_at, acts
FROM alarm WHERE public_id = %(public_id)s
FOR UPDATE;

-- name: act_by_key
-- Whether an act was done.
SELECT FROM alarm_act WHERE alarm_id = %(id)s AND key = %(key)s;

-- name: staff_member
-- Somebody of the staff who may sign in.
SELECT p.id FROM person p JOIN account a ON a.person_id = p.id
WHERE a.public_id = %(public_id)s AND a.role = ANY (%(roles)s::text[]) AND a.disabled_at IS NULL;

-- name: staff_members
-- Everybody of the staff who may sign in, by name.
SELECT a.public_id AS id, p.name FROM account a JOIN person p ON p.id = a.person_id
WHERE a.role <> 'customer' AND a.disabled_at IS NULL
ORDER BY p.name, p.id
LIMIT %(limit)s;

-- name: last_change
-- The newest act that changed an alarm, and whose it was.
SELECT a.act, a.revision, p.name FROM alarm_act a JOIN person p ON p.id = a.person_id
WHERE a.alarm_id = %(id)s AND a.act <> 'comment'
ORDER BY a.id DESC LIMIT 1;

-- name: keep_work
-- Store where an alarm stands for the staff.
UPDATE alarm SET revision = %(revision)s, acknowledged_at = %(acknowledged_at)s, acknowledged_by = %(acknowledged_by)s,
       assignee_id = %(assignee_id)s, verdict = %(verdict)s, resolved_at = %(resolved_at)s, acts = %(acts)s
WHERE id = %(id)s;

-- name: insert_act
-- Write down what somebody did.
INSERT INTO alarm_act (alarm_id, at, person_id, act, value, text, revision, key)
VALUES (%(id)s, %(at)s, %(person_id)s, %(act)s, %(value)s, %(text)s, %(revision)s, %(key)s);

-- name: acts
-- What was done about an alarm, in order, and by whom.
SELECT a.id::text AS id, a.at, p.name AS by, a.act, a.value, a.text, w.name AS assignee
FROM alarm_act a
JOIN person p ON p.id = a.person_id
LEFT JOIN account c ON a.act = 'assign' AND c.public_id = a.value
LEFT JOIN person w ON w.id = c.person_id
WHERE a.alarm_id = %(id)s
ORDER BY a.id;

-- name: units_of_words
-- Units whose serial begins so.
SELECT id FROM unit WHERE serial LIKE %(begin)s ORDER BY serial LIMIT %(limit)s;

-- name: unit_by_public_id
-- A unit's row.
SELECT id FROM unit WHERE public_id = %(public_id)s;

-- name: versions_of
-- The rule versions of a product, or whose title has these words in a language.
SELECT v.id FROM rule_version v JOIN product p ON p.id = v.product_id
WHERE (%(product)s::text IS NULL OR p.code = %(product)s::text)
  AND (%(title)s::text IS NULL
       OR coalesce(v.document->'title'->>%(language)s, v.document->'title'->>'en') ILIKE %(title)s::text);

-- name: page
-- A page of alarms behind a place, among so many looked at: by urgency or the newest first, of all or of some units.
WITH looked AS MATERIALIZED (
  SELECT * FROM (
    SELECT alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) AS rank, -id AS minus, id, severity,
           rule_version_id, assignee_id, historic
    FROM alarm
    WHERE %(units)s::bigint[] IS NULL AND NOT %(newest)s
      AND alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) BETWEEN %(low)s::int AND %(high)s::int
      AND (alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at), -id) > (%(rank)s::int, %(minus)s::bigint)
    ORDER BY 1, 2 LIMIT %(looked)s) by_urgency
  UNION ALL
  SELECT * FROM (
    SELECT 0, -id, id, severity, rule_version_id, assignee_id, historic
    FROM alarm
    WHERE %(units)s::bigint[] IS NULL AND %(newest)s AND id < -%(minus)s::bigint
      AND alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) BETWEEN %(low)s::int AND %(high)s::int
    ORDER BY id DESC LIMIT %(looked)s) by_time
  UNION ALL
  SELECT a.* FROM unnest(%(units)s::bigint[]) AS u (id)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN %(newest)s THEN 0 ELSE alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) END, -id,
           id, severity, rule_version_id, assignee_id, historic
    FROM alarm
    WHERE unit_id = u.id
      AND alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) BETWEEN %(low)s::int AND %(high)s::int
      AND (CASE WHEN %(newest)s THEN 0 ELSE alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) END, -id)
          > (%(rank)s::int, %(minus)s::bigint)
    ORDER BY id DESC LIMIT %(of_unit)s) a
), chosen AS (
  SELECT rank, minus, id FROM looked
  WHERE (%(severity)s::text IS NULL OR severity = %(severity)s::text)
    AND (%(versions)s::int[] IS NULL OR rule_version_id = ANY (%(versions)s::int[]))
    AND (%(assignee)s::bigint IS NULL OR assignee_id = %(assignee)s::bigint)
    AND (NOT %(unassigned)s OR assignee_id IS NULL)
    AND (%(historic)s::boolean IS NULL OR historic = %(historic)s::boolean)
  ORDER BY rank, minus LIMIT %(limit)s
), seen AS (
  SELECT count(*) AS looked, max(rank) AS last_rank,
         (SELECT max(minus) FROM looked l WHERE l.rank = (SELECT max(rank) FROM looked)) AS last_minus
  FROM looked
)
SELECT s.looked, s.last_rank, s.last_minus, c.rank, c.minus, a.public_id AS id, u.public_id AS unit, u.printed AS serial,
       p.code AS product, p.name AS product_name, p.model, a.severity, v.rule_id AS rule, v.version,
       coalesce(v.document->'title'->>%(language)s, v.document->'title'->>'en') AS title, a.onset, a.raised_at,
       a.judged_at, a.historic, a.evidence, a.cleared_at, a.clearing, a.schema, a.clearing_schema, a.revision,
       a.acknowledged_at, k.name AS acknowledged_by, a.verdict, a.resolved_at, b.public_id AS assignee_id,
       w.name AS assignee, a.acts,
       alarm_urgency(a.severity, a.cleared_at, a.acknowledged_at, a.resolved_at) / 4 AS standing
FROM seen s
LEFT JOIN (chosen c
  JOIN alarm a ON a.id = c.id
  JOIN rule_version v ON v.id = a.rule_version_id
  JOIN unit u ON u.id = a.unit_id
  JOIN product p ON p.id = u.product_id
  LEFT JOIN person k ON k.id = a.acknowledged_by
  LEFT JOIN person w ON w.id = a.assignee_id
  LEFT JOIN account b ON b.person_id = a.assignee_id) ON true
ORDER BY c.rank, c.minus;

-- name: counts
-- How many alarms of each standing the filters let through, among so many looked at of each.
SELECT b.standing, count(*) AS looked,
       count(*) FILTER (WHERE (%(severity)s::text IS NULL OR a.severity = %(severity)s::text)
         AND (%(versions)s::int[] IS NULL OR a.rule_version_id = ANY (%(versions)s::int[]))
         AND (%(assignee)s::bigint IS NULL OR a.assignee_id = %(assignee)s::bigint)
         AND (NOT %(unassigned)s OR a.assignee_id IS NULL)
         AND (%(historic)s::boolean IS NULL OR a.historic = %(historic)s::boolean)) AS alarms
FROM generate_series(0, 3) AS b (standing)
CROSS JOIN LATERAL (
  SELECT * FROM (
    SELECT severity, rule_version_id, assignee_id, historic
    FROM alarm
    WHERE %(units)s::bigint[] IS NULL
      AND alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) BETWEEN b.standing * 4 AND b.standing * 4 + 3
    ORDER BY alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at), -id LIMIT %(looked)s) of_all
  UNION ALL
  SELECT o.* FROM unnest(%(units)s::bigint[]) AS u (id)
  CROSS JOIN LATERAL (
    SELECT severity, rule_version_id, assignee_id, historic
    FROM alarm
    WHERE unit_id = u.id
      AND alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at) BETWEEN b.standing * 4 AND b.standing * 4 + 3
    ORDER BY id DESC LIMIT %(of_unit)s) o
) a
GROUP BY b.standing;

-- name: record
-- One alarm with its rule, unit, product and metric, and the unit's owner now.
SELECT a.id, a.public_id, a.unit_id, u.public_id AS unit, u.printed AS serial, u.lot, u.firmware, p.code AS product,
       p.name AS product_name, p.model, a.severity, a.onset, a.raised_at, a.judged_at, a.historic, a.evidence,
       a.cleared_at, a.clearing, a.schema, a.clearing_schema, v.rule_id AS rule, v.version, v.document,
       v.schema AS rule_schema, a.revision, a.acknowledged_at, k.name AS acknowledged_by, a.verdict, a.resolved_at,
       b.public_id AS assignee_id, w.name AS assignee, a.acts,
       alarm_urgency(a.severity, a.cleared_at, a.acknowledged_at, a.resolved_at) / 4 AS standing,
       r.title AS metric_title, r.normal_low, r.normal_high, l.time AS latest_at, l.value AS latest_value,
       o.public_id AS owner, o.name AS owner_name, o.email AS owner_email, o.phone AS owner_phone, o.language AS owner_language
FROM alarm a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN unit u ON u.id = a.unit_id
JOIN product p ON p.id = u.product_id
LEFT JOIN person k ON k.id = a.acknowledged_by
LEFT JOIN person w ON w.id = a.assignee_id
LEFT JOIN account b ON b.person_id = a.assignee_id
LEFT JOIN metric m ON m.name = a.evidence->>'metric'
LEFT JOIN product_metric r ON r.product_id = p.id AND r.metric_id = m.id
LEFT JOIN latest l ON l.unit_id = u.id AND l.metric_id = m.id
LEFT JOIN ownership h ON h.unit_id = u.id AND h.during @> %(now)s::timestamptz
LEFT JOIN person o ON o.id = h.person_id
WHERE a.public_id = %(public_id)s;
