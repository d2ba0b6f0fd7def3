-- name: note_look
-- Store a look, unless the same one was stored since a moment.
INSERT INTO staff_look (at, account_id, unit_id, person_id, page)
SELECT %(now)s, %(account_id)s, %(unit_id)s, %(person_id)s, %(page)s
WHERE NOT EXISTS (
  SELECT 1 FROM staff_look
  WHERE account_id = %(account_id)s AND at > %(since)s AND unit_id IS NOT DISTINCT FROM %(unit_id)s::bigint
    AND person_id IS NOT DISTINCT FROM %(person_id)s::bigint AND page = %(page)s);

-- name: looks
-- A page of looks, the newest first, of one member of the staff, unit or person or of all.
SELECT l.id, l.at, l.page, s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_look l
JOIN account a ON a.id = l.account_id JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = l.unit_id LEFT JOIN person p ON p.id = l.person_id
WHERE (l.at, l.id) < (%(at)s, %(id)s)
  AND (%(staff)s::text IS NULL OR l.account_id = (
    SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.public_id = %(staff)s))
  AND (%(unit)s::text IS NULL OR l.unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s))
  AND (%(person)s::text IS NULL OR l.person_id = (SELECT id FROM person WHERE public_id = %(person)s))
ORDER BY l.at DESC, l.id DESC LIMIT %(limit)s;

-- name: count_looks
-- How many looks there are, counted up to a number.
SELECT count(*) AS looks FROM (
  SELECT 1 FROM staff_look l
  WHERE (%(staff)s::text IS NULL OR l.account_id = (
      SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.public_id = %(staff)s))
    AND (%(unit)s::text IS NULL OR l.unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s))
    AND (%(person)s::text IS NULL OR l.person_id = (SELECT id FROM person WHERE public_id = %(person)s))
  LIMIT %(most)s) l;

-- name: forget_looks
-- Delete looks from before a time, and the oldest beyond a number; their numbers grow with time.
DELETE FROM staff_look WHERE id IN (
  (SELECT id FROM staff_look WHERE at < %(before)s ORDER BY at, id LIMIT %(limit)s)
  UNION
  (SELECT id FROM staff_look WHERE id <= (SELECT max(id) FROM staff_look) - %(most)s ORDER BY id LIMIT %(limit)s)
  LIMIT %(limit)s);

-- name: insert_note
-- Store a note or a call, unless its writer sent it before.
INSERT INTO staff_note (public_id, unit_id, person_id, kind, text, direction, minutes, happened_at,
                        written_by, written_at, draft)
VALUES (%(public_id)s, %(unit_id)s, %(person_id)s, %(kind)s, %(text)s, %(direction)s, %(minutes)s, %(happened_at)s,
        %(account_id)s, %(now)s, %(draft)s)
ON CONFLICT (written_by, draft) DO NOTHING
RETURNING id;

-- name: note_of_draft
-- The number of the note that a draft became.
SELECT id FROM staff_note WHERE written_by = %(account_id)s AND draft = %(draft)s;

-- name: note
-- One note.
SELECT n.id, n.public_id, n.kind, n.text, n.direction, n.minutes, n.happened_at, n.written_at,
       s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_note n
JOIN account a ON a.id = n.written_by JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN person p ON p.id = n.person_id
WHERE n.id = %(id)s;

-- name: notes_of_unit
-- A page of the notes on a unit, the newest first.
SELECT n.id, n.public_id, n.kind, n.text, n.direction, n.minutes, n.happened_at, n.written_at,
       s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_note n
JOIN account a ON a.id = n.written_by JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN person p ON p.id = n.person_id
WHERE n.unit_id = %(unit_id)s AND n.id < %(before)s
  AND (%(person_id)s::bigint IS NULL OR n.person_id = %(person_id)s)
ORDER BY n.id DESC LIMIT %(limit)s;

-- name: notes_of_person
-- A page of the notes on a person, the newest first.
SELECT n.id, n.public_id, n.kind, n.text, n.direction, n.minutes, n.happened_at, n.written_at,
       s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_note n
JOIN account a ON a.id = n.written_by JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN person p ON p.id = n.person_id
WHERE n.person_id = %(person_id)s AND n.id < %(before)s
ORDER BY n.id DESC LIMIT %(limit)s;

-- name: count_notes
-- How many notes there are on a unit or a person.
SELECT count(*) AS notes FROM staff_note
WHERE (%(unit_id)s::bigint IS NULL OR unit_id = %(unit_id)s)
  AND (%(person_id)s::bigint IS NULL OR person_id = %(person_id)s);

-- name: trim_notes
-- Delete the notes on a unit and on a person beyond the newest of each.
DELETE FROM staff_note WHERE id IN (
  (SELECT id FROM staff_note WHERE unit_id = %(unit_id)s ORDER BY id DESC OFFSET %(most)s)
  UNION ALL
  (SELECT id FROM staff_note WHERE person_id = %(person_id)s ORDER BY id DESC OFFSET %(most)s));

-- name: forget_notes
-- Delete notes from before a time, the oldest first.
DELETE FROM staff_note WHERE id IN (
  SELECT id FROM staff_note WHERE written_at < %(before)s ORDER BY written_at LIMIT %(limit)s);

-- name: person_number
-- The number of the person with a public id.
SELECT id FROM person WHERE public_id = %(person)s;

-- name: people_ids
-- Numbers of people, those who came last first: of those that words found, and by filters.
SELECT p.id FROM person p LEFT JOIN account a ON a.person_id = p.id
WHERE p.id < %(before)s
  AND (%(found)s::bigint[] IS NULL OR p.id = ANY (%(found)s::bigint[]))
  AND (%(language)s::text IS NULL OR p.language = %(language)s)
  AND (%(account)s::bool IS NULL OR (a.id IS NOT NULL) = %(account)s)
ORDER BY p.id DESC LIMIT %(limit)s;

-- name: recalled_people_ids
-- The same of those who have a recall that they did not acknowledge.
SELECT DISTINCT n.person_id AS id
FROM notice n JOIN person p ON p.id = n.person_id LEFT JOIN account a ON a.person_id = n.person_id
WHERE n.kind = 'recall' AND n.state = 'open' AND n.acknowledged_at IS NULL AND n.person_id < %(before)s
  AND (%(found)s::bigint[] IS NULL OR p.id = ANY (%(found)s::bigint[]))
  AND (%(language)s::text IS NULL OR p.language = %(language)s)
  AND (%(account)s::bool IS NULL OR (a.id IS NOT NULL) = %(account)s)
ORDER BY n.person_id DESC LIMIT %(limit)s;

-- name: people
-- People by their numbers, with how many units and recalls they have, counted up to a number.
SELECT p.id, p.public_id, p.name, p.email, p.phone, p.customer_number, p.language, p.country,
       EXISTS (SELECT FROM account a WHERE a.person_id = p.id) AS has_account,
       (SELECT count(*) FROM (SELECT FROM ownership o WHERE o.person_id = p.id AND o.during @> now()
                              LIMIT %(most)s) o) AS units,
       (SELECT count(*) FROM (SELECT FROM notice n WHERE n.person_id = p.id AND n.kind = 'recall' AND n.state = 'open'
                                AND n.acknowledged_at IS NULL LIMIT %(most)s) n) AS recalls
FROM person p WHERE p.id = ANY (%(ids)s::bigint[]) ORDER BY p.id DESC;

-- name: person
-- A person with their account, sessions, browsers and the last time that each channel was used.
SELECT p.id AS person_id, p.public_id AS person_public_id, p.name, p.email, p.phone, p.address, p.country, p.customer_number,
       p.contract_level, p.language, coalesce(p.own_time_zone, p.time_zone) AS time_zone,
       coalesce(a.id, 0) AS id, coalesce(a.public_id, '') AS public_id, coalesce(a.role, 'customer') AS role,
       a.confirmed_at, a.disabled_at, a.created_at AS joined_at,
       (SELECT jsonb_object_agg(channel, at) FROM (
          SELECT e.channel, max(e.at) AS at FROM (
            SELECT channel, at FROM engagement WHERE person_id = p.id ORDER BY at DESC LIMIT 100) e
          GROUP BY e.channel) e) AS used,
       (SELECT jsonb_agg(jsonb_build_object('since', s.created_at, 'seen_at', s.seen_at) ORDER BY s.seen_at DESC)
        FROM session s WHERE s.account_id = a.id AND s.expires_at > %(now)s) AS sessions,
       (SELECT jsonb_agg(b.seen_at ORDER BY b.seen_at DESC)
        FROM known_browser b WHERE b.account_id = a.id AND b.expires_at > %(now)s) AS browsers
FROM person p LEFT JOIN account a ON a.person_id = p.id
WHERE p.public_id = %(person)s
ORDER BY a.id LIMIT 1;

-- name: units_of_person
-- The units that are a person's now, with what their state follows from.
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, u.lot, u.firmware, p.code, p.name, p.model, o.place,
       lower(o.during) AS since,
       (SELECT max(l.received_at) FROM latest l WHERE l.unit_id = u.id) AS last_seen,
       (SELECT min(m.cadence) FROM product_metric m WHERE m.product_id = u.product_id) AS cadence,
       (SELECT jsonb_agg(jsonb_build_object('title', v.document->'title', 'severity', a.severity,
               'onset', a.onset) ORDER BY a.onset)
        FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id
        WHERE a.unit_id = u.id AND a.cleared_at IS NULL) AS alarms,
       (SELECT jsonb_agg(DISTINCT c.kind) FROM campaign_unit cu JOIN campaign c ON c.id = cu.campaign_id
        WHERE cu.unit_id = u.id AND cu.standing = 'affected' AND cu.closed_at IS NULL AND c.state = 'published') AS campaigns,
       EXISTS (SELECT FROM campaign_candidate k JOIN campaign c ON c.id = k.campaign_id
               WHERE k.unit_id = u.id AND c.kind = 'recall' AND c.state = 'published' OFFSET 0) AS checks
FROM ownership o JOIN unit u ON u.id = o.unit_id JOIN product p ON p.id = u.product_id
WHERE o.person_id = %(person_id)s AND o.during @> now()
ORDER BY u.id LIMIT %(limit)s;

-- name: notices_of_person
-- The newest notices to a person with how each went on each channel, and the channel on which it was opened.
SELECT n.id AS row, n.public_id AS id, n.kind, n.severity, n.state, n.count, n.text, n.why, n.schema, n.created_at, n.updated_at,
       n.resolved_at, u.public_id AS unit, u.printed AS serial, pr.name AS product, pr.model,
       CASE WHEN n.visible_at > now() THEN n.visible_at END AS held_until,
       CASE WHEN n.visible_at > now() THEN n.hold_reason END AS hold_reason, n.group_key, t.told,
       n.read_at, n.acknowledged_at,
       (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status, 'at',
               coalesce(d.finished_at, d.due_at), 'reason', d.reason,
               'opened_at', (SELECT max(e.at) FROM engagement e
                             WHERE e.notice_id = d.notice_id AND e.channel = d.channel AND e.kind = 'opened'))
               ORDER BY coalesce(d.finished_at, d.due_at), d.channel)
        FROM outbox d WHERE d.channel <> 'feed' AND d.notice_id = coalesce(
          (SELECT lead.id FROM notice lead WHERE lead.public_id = n.group_key), n.id)) AS deliveries
FROM notice n
JOIN unit u ON u.id = n.unit_id
JOIN product pr ON pr.id = u.product_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, %(language)s) t ON true
WHERE n.person_id = %(person_id)s
ORDER BY n.id DESC LIMIT %(limit)s;

-- name: count_of_person
-- How many units and notices a person has, counted up to a number.
SELECT (SELECT count(*) FROM (SELECT FROM ownership WHERE person_id = %(person_id)s AND during @> now()
                              LIMIT %(most)s) o) AS units,
       (SELECT count(*) FROM (SELECT FROM notice WHERE person_id = %(person_id)s LIMIT %(most)s) n) AS notices;
