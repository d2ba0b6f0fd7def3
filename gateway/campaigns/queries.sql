-- name: product
-- A product by its code.
SELECT id, code, name FROM product WHERE code = %(code)s;

-- name: next_number
-- The next running number of a kind and year; each is given once, whatever becomes of the draft.
INSERT INTO campaign_number (kind, year, last) VALUES (%(kind)s, %(year)s, 1)
ON CONFLICT (kind, year) DO UPDATE SET last = campaign_number.last + 1
RETURNING last;

-- name: drafts
-- How many drafts there are.
SELECT count(*) AS drafts FROM campaign WHERE state = 'draft';

-- name: insert_draft
-- Begin a campaign.
INSERT INTO campaign (public_id, number, kind, product_id, content, audience, schema, authors, created_at, edited_by,
                      edited_at, supersedes)
VALUES (%(public_id)s, %(number)s, %(kind)s, %(product_id)s, %(content)s, %(audience)s, %(schema)s,
        ARRAY[%(person_id)s::bigint], %(now)s, %(person_id)s, %(now)s, %(supersedes)s);

-- name: update_draft
-- Change a draft; who did is one more of its authors.
UPDATE campaign
SET product_id = %(product_id)s, content = %(content)s, audience = %(audience)s, schema = %(schema)s,
    supersedes = %(supersedes)s, version = version + 1, edited_by = %(person_id)s, edited_at = %(now)s,
    authors = CASE WHEN %(person_id)s = ANY (authors) THEN authors ELSE authors || %(person_id)s::bigint END
WHERE id = %(id)s;

-- name: delete_draft
-- Throw a draft away.
DELETE FROM campaign WHERE id = %(id)s;

-- name: hold
-- A campaign by its public id, held until the transaction ends.
SELECT c.*, p.code AS product FROM campaign c JOIN product p ON p.id = c.product_id
WHERE c.public_id = %(public_id)s
FOR UPDATE OF c;

-- name: hold_former
-- What a campaign supersedes, held until the transaction ends.
SELECT * FROM campaign WHERE id = %(id)s FOR UPDATE;

-- name: campaign
-- A campaign by its public id, with what its draft names.
SELECT c.*, p.code AS product, p.name AS product_name FROM campaign c JOIN product p ON p.id = c.product_id
WHERE c.public_id = %(public_id)s;

-- name: by_number
-- A campaign by its row.
SELECT * FROM campaign WHERE id = %(id)s;

-- name: lines
-- Campaigns below a number that the filters let through, the newest first, or one of them, with whom and what they name.
SELECT c.id AS row, c.public_id AS id, c.number, c.kind, c.state, c.content, c.audience, c.schema, c.version, c.authors,
       c.created_at, c.edited_at, c.published_at, c.ended_at, c.units, p.code AS product_code, p.name AS product_name,
       p.model AS product_model, creator.name AS created_by, editor.name AS edited_by, approver.name AS approved_by,
       (SELECT jsonb_build_object('id', f.public_id, 'number', f.number, 'kind', f.kind, 'state', f.state,
               'title', f.content->'title') FROM campaign f WHERE f.id = c.supersedes) AS supersedes,
       (SELECT jsonb_build_object('id', s.public_id, 'number', s.number, 'kind', s.kind, 'state', s.state,
               'title', s.content->'title') FROM campaign s WHERE s.supersedes = c.id
        ORDER BY s.state <> 'draft' DESC, s.id DESC LIMIT 1) AS successor
FROM campaign c
JOIN product p ON p.id = c.product_id
JOIN person creator ON creator.id = c.authors[1]
JOIN person editor ON editor.id = c.edited_by
LEFT JOIN person approver ON approver.id = c.approved_by
WHERE c.id < %(before)s AND (%(public_id)s::text IS NULL OR c.public_id = %(public_id)s::text)
  AND (%(state)s::text IS NULL OR c.state = %(state)s::text) AND (%(kind)s::text IS NULL OR c.kind = %(kind)s::text)
  AND (%(product)s::text IS NULL OR p.code = %(product)s::text)
  AND (%(words)s::text IS NULL OR c.number ILIKE %(words)s::text OR EXISTS (SELECT FROM jsonb_each_text(c.content->'title') t WHERE t.value ILIKE %(words)s::text))
ORDER BY c.id DESC
LIMIT %(limit)s;

-- name: count_lines
-- How many campaigns of each state the other filters let through, among the newest so many.
SELECT c.state, count(*) AS campaigns
FROM (SELECT * FROM campaign ORDER BY id DESC LIMIT %(looked)s) c
JOIN product p ON p.id = c.product_id
WHERE (%(kind)s::text IS NULL OR c.kind = %(kind)s::text)
  AND (%(product)s::text IS NULL OR p.code = %(product)s::text)
  AND (%(words)s::text IS NULL OR c.number ILIKE %(words)s::text OR EXISTS (SELECT FROM jsonb_each_text(c.content->'title') t WHERE t.value ILIKE %(words)s::text))
GROUP BY c.state;

-- name: count
-- The units of an audience, or of what is withdrawn, their owners, and whom the channels that are set up here reach.
WITH named AS MATERIALIZED (
  SELECT unit_id FROM audience_unit(%(product_id)s::int, %(lots)s::text[], %(serials)s::text[], %(below)s::text)
  UNION ALL
  SELECT unit_id FROM campaign_unit WHERE campaign_id = %(withdraws)s::bigint AND standing = 'affected'
), owner AS (
  SELECT o.person_id, count(*) AS units FROM named n
  JOIN ownership o ON o.unit_id = n.unit_id AND o.during @> %(now)s::timestamptz
  GROUP BY o.person_id
), way AS MATERIALIZED (
  -- Not every server takes mail for an address with other letters than ASCII before the @: it does not count.
  SELECT w.units, p.language, %(push)s AND phone.person_id IS NOT NULL AS push,
         %(email)s AND split_part(p.email, '@', 1) ~ '^[[:ascii:]]*$'
                   AND (%(safety)s OR coalesce(a.confirmed_at IS NOT NULL AND a.disabled_at IS NULL, false)
                                      AND s.email IS NULL) AS mail
  FROM owner w
  JOIN person p ON p.id = w.person_id
  LEFT JOIN account a ON a.person_id = p.id
  LEFT JOIN suppression s ON s.email = lower(p.email)
  LEFT JOIN (SELECT DISTINCT person_id FROM push_token WHERE retired_at IS NULL) phone ON phone.person_id = p.id
)
SELECT (SELECT count(*) FROM named) AS units,
       coalesce(sum(units), 0)::int AS registered,
       count(*) AS people,
       coalesce(sum(units) FILTER (WHERE mail), 0)::int AS by_email,
       coalesce(sum(units) FILTER (WHERE push), 0)::int AS by_push,
       coalesce(sum(units) FILTER (WHERE NOT mail AND NOT push), 0)::int AS feed_only,
       (SELECT count(*) FROM campaign_unit f
        WHERE f.campaign_id = %(former)s::bigint AND (f.standing = 'affected' OR f.due_at IS NOT NULL)
          AND (%(withdraws)s::bigint IS NOT NULL OR f.unit_id NOT IN (SELECT unit_id FROM named))) AS cleared,
       (SELECT coalesce(jsonb_object_agg(language, people), '{}')
        FROM (SELECT language, count(*) AS people FROM way GROUP BY language) spoken) AS languages
FROM way;

-- name: unknown_serials
-- Serials of a list, as typed, that no unit of the product has.
SELECT DISTINCT ON (place) k.typed FROM unnest(%(typed)s::text[], %(serials)s::text[]) WITH ORDINALITY
  AS k (typed, serial, place)
WHERE NOT EXISTS (SELECT FROM unit u WHERE u.product_id = %(product_id)s AND u.serial = k.serial)
ORDER BY place LIMIT %(limit)s;

-- name: unknown_lots
-- Lots of a list that no unit of the product has.
SELECT k.lot FROM unnest(%(lots)s::text[]) WITH ORDINALITY AS k (lot, place)
WHERE NOT EXISTS (SELECT FROM unit u WHERE u.product_id = %(product_id)s AND u.lot = k.lot)
ORDER BY place LIMIT %(limit)s;

-- name: unknown_firmware
-- Units of a product whose firmware is no version that we know.
SELECT coalesce(sum(v.units), 0)::int AS units
FROM (SELECT firmware, count(*) AS units FROM unit WHERE product_id = %(product_id)s AND NOT is_test
      GROUP BY firmware OFFSET 0) v
WHERE firmware_key(v.firmware) IS NULL;

-- name: freeze
-- Keep the audience of a campaign, unit by unit, with their owners of now; each is due to be told.
INSERT INTO campaign_unit (campaign_id, unit_id, standing, matched, due_at, person_id, owned_since)
SELECT %(id)s, a.unit_id, 'affected', a.matched, %(now)s, o.person_id, lower(o.during)
FROM audience_unit(%(product_id)s::int, %(lots)s::text[], %(serials)s::text[], %(below)s::text) a
LEFT JOIN ownership o ON o.unit_id = a.unit_id AND o.during @> %(now)s::timestamptz;

-- name: freeze_cleared
-- Keep the units of the former campaign that are not in the new one, also those not yet told of being cleared before.
INSERT INTO campaign_unit (campaign_id, unit_id, standing, matched, due_at, person_id, owned_since)
SELECT %(id)s, f.unit_id, 'cleared', f.matched, %(now)s, o.person_id, lower(o.during)
FROM campaign_unit f
LEFT JOIN ownership o ON o.unit_id = f.unit_id AND o.during @> %(now)s::timestamptz
WHERE f.campaign_id = %(former)s AND (f.standing = 'affected' OR f.due_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM campaign_unit n WHERE n.campaign_id = %(id)s AND n.unit_id = f.unit_id);

-- name: publish
-- Publish a campaign whose audience was frozen; what an import changed meanwhile is looked for afterwards.
UPDATE campaign SET state = 'published', approved_by = %(person_id)s, published_at = %(now)s, units = %(units)s,
       recheck_at = CASE WHEN audience IS NOT NULL THEN %(now)s::timestamptz END
WHERE id = %(id)s;

-- name: end
-- End a published campaign.
UPDATE campaign SET state = %(state)s, ended_at = %(now)s WHERE id = %(id)s;

-- name: stop_telling
-- Nobody is told of a campaign any more.
UPDATE campaign_unit SET due_at = NULL WHERE campaign_id = %(id)s AND due_at IS NOT NULL;

-- name: withdraw_notices
-- Withdraw the open notices of a campaign, name what came in its place, and have the worker write their events.
UPDATE notice
SET state = 'withdrawn', resolved_at = %(now)s, updated_at = %(now)s, event_due = true,
    why = why || jsonb_build_object('replaced_by', %(number)s::text)
WHERE campaign_id = %(id)s AND state = 'open';

-- name: withdrawn_notices_due
-- Withdrawn notices whose event is not written yet, the oldest first, each taken by one worker only.
SELECT n.id, n.public_id, n.unit_id, n.person_id, n.why->>'replaced_by' AS replaced_by, c.public_id AS campaign
FROM notice n JOIN campaign c ON c.id = n.campaign_id
WHERE n.event_due
ORDER BY n.id
LIMIT %(limit)s
FOR NO KEY UPDATE OF n SKIP LOCKED;

-- name: withdrawn_notices_done
-- The events of these withdrawn notices are written.
UPDATE notice SET event_due = false WHERE id = ANY (%(ids)s::bigint[]);

-- name: steps_due
-- Which of the worker's steps have something to do.
WITH RECURSIVE named (channel) AS (
  SELECT min(channel) FROM outbox WHERE status = 'waiting'
  UNION ALL
  SELECT (SELECT min(o.channel) FROM outbox o WHERE o.status = 'waiting' AND o.channel > named.channel)
  FROM named WHERE named.channel IS NOT NULL
)
SELECT step FROM (VALUES
  ('withdrawn', EXISTS (SELECT FROM notice WHERE event_due)),
  ('owners', EXISTS (SELECT FROM ownership_change WHERE due_at <= %(now)s)),
  ('campaigns', EXISTS (SELECT FROM campaign c WHERE c.state = 'published' AND (c.tell_after IS NULL OR c.tell_after <= %(now)s)
                        AND EXISTS (SELECT FROM campaign_unit u WHERE u.campaign_id = c.id AND u.due_at <= %(now)s))),
  ('candidates', EXISTS (SELECT FROM campaign WHERE state = 'published' AND recheck_at <= %(now)s)),
  ('held', EXISTS (SELECT FROM notice WHERE is_held AND visible_at <= %(now)s)),
  ('unserved', EXISTS (SELECT FROM named CROSS JOIN LATERAL (
                         SELECT FROM outbox WHERE status = 'waiting' AND channel = named.channel AND due_at <= %(now)s LIMIT 1) o
                       WHERE named.channel <> ALL (%(channels)s::text[]))),
  ('figures', EXISTS (SELECT FROM campaign_figure WHERE NOT is_sum GROUP BY campaign_id HAVING count(*) >= %(most)s))
) AS look (step, is_due)
WHERE is_due;

-- name: campaigns_due
-- Campaigns that have units to look at, what is about safety first.
SELECT c.id, c.public_id, c.number, c.kind, c.content, c.audience, c.schema, c.published_at, c.supersedes, c.tell_tries,
       p.name AS product_name
FROM campaign c JOIN product p ON p.id = c.product_id
WHERE c.state = 'published' AND (c.tell_after IS NULL OR c.tell_after <= %(now)s)
  AND EXISTS (SELECT FROM campaign_unit u WHERE u.campaign_id = c.id AND u.due_at <= %(now)s)
ORDER BY c.kind = 'update', c.published_at, c.id
LIMIT %(limit)s;

-- name: due
-- Units of a published campaign to look at, each held by one worker only; the campaign cannot end meanwhile.
SELECT u.unit_id, u.standing, u.matched, u.tries, u.person_id
FROM campaign_unit u JOIN campaign c ON c.id = u.campaign_id
WHERE u.campaign_id = %(id)s AND u.due_at <= %(now)s AND c.state = 'published'
ORDER BY u.due_at, u.unit_id
LIMIT %(limit)s
FOR NO KEY UPDATE OF u SKIP LOCKED FOR SHARE OF c SKIP LOCKED;

-- name: due_of_owners
-- More units of a campaign to look at: those of the owners of held units, at most as many again.
SELECT u.unit_id, u.standing, u.matched, u.tries, u.person_id
FROM (SELECT DISTINCT w.person_id FROM unnest(%(unit_ids)s::bigint[]) AS k (unit_id)
      CROSS JOIN LATERAL (SELECT person_id FROM ownership
                          WHERE unit_id = k.unit_id AND during @> %(now)s::timestamptz OFFSET 0) w) p
CROSS JOIN LATERAL (SELECT unit_id FROM ownership
                    WHERE person_id = p.person_id AND during @> %(now)s::timestamptz
                      AND unit_id <> ALL (%(unit_ids)s::bigint[]) OFFSET 0) o
CROSS JOIN LATERAL (
  SELECT unit_id, standing, matched, tries, person_id FROM campaign_unit
  WHERE campaign_id = %(id)s AND unit_id = o.unit_id AND due_at <= %(now)s
  FOR NO KEY UPDATE SKIP LOCKED) u
LIMIT %(limit)s;

-- name: formers
-- What a campaign superseded, and what that had superseded, and so on, the latest first.
WITH RECURSIVE former AS (
  SELECT f.*, 1 AS depth FROM campaign f WHERE f.id = %(supersedes)s
  UNION ALL
  SELECT f.*, former.depth + 1 FROM campaign f JOIN former ON f.id = former.supersedes
)
SELECT id, number, kind, audience FROM former ORDER BY depth;

-- name: facts
-- What there is to know about held units: firmware, owner, what they were told of this campaign, and of former ones last.
SELECT k.unit_id, coalesce(firmware_key(u.firmware) >= firmware_key(%(below)s::text), false) AS reached, o.*, n.*,
       coalesce(former.standing = 'affected', false) AS told_of_former
FROM unnest(%(unit_ids)s::bigint[]) AS k (unit_id)
JOIN unit u ON u.id = k.unit_id
LEFT JOIN LATERAL (  -- OFFSET 0: looked up unit by unit, whatever the statistics say while a campaign is told
  SELECT p.id AS person_id, p.public_id AS person, p.name, p.email, p.language, lower(w.during) AS since
  FROM ownership w JOIN person p ON p.id = w.person_id
  WHERE w.unit_id = k.unit_id AND w.during @> %(now)s::timestamptz OFFSET 0) o ON true
LEFT JOIN LATERAL (
  SELECT id AS notice_id, public_id AS notice, severity, state, updated_at FROM notice
  WHERE campaign_id = %(id)s AND unit_id = k.unit_id AND person_id = o.person_id AND owned_since = o.since OFFSET 0
  ) n ON true
LEFT JOIN LATERAL (
  SELECT f.standing FROM notice b JOIN campaign_unit f ON f.campaign_id = b.campaign_id AND f.unit_id = b.unit_id
  WHERE b.campaign_id = ANY (%(formers)s::bigint[]) AND b.unit_id = k.unit_id AND b.person_id = o.person_id
    AND b.owned_since = o.since
  ORDER BY b.id DESC LIMIT 1) former ON true
ORDER BY k.unit_id;

-- name: looked_at
-- Units that were looked at; again when an ownership begins that is known already.
UPDATE campaign_unit c
SET tries = 0,
    due_at = (SELECT min(lower(o.during)) FROM ownership o WHERE o.unit_id = c.unit_id AND lower(o.during) > %(now)s)
WHERE c.campaign_id = %(id)s AND c.unit_id = ANY (%(unit_ids)s::bigint[]);

-- name: look_later
-- Look at a unit again at a time, after so many tries that failed.
UPDATE campaign_unit SET due_at = %(due_at)s, tries = %(tries)s WHERE campaign_id = %(id)s AND unit_id = %(unit_id)s;

-- name: put_off
-- Look at no unit of a campaign until a time, after so many tries that failed.
UPDATE campaign SET tell_after = %(due_at)s, tell_tries = %(tries)s WHERE id = %(id)s;

-- name: told_again
-- A campaign that could not be told can be told again.
UPDATE campaign SET tell_after = NULL, tell_tries = 0 WHERE id = %(id)s;

-- name: hold_of_units
-- The published campaigns that concern one of some units and are not closed for it; they cannot end meanwhile.
SELECT id FROM campaign
WHERE state = 'published'
  AND id IN (SELECT campaign_id FROM campaign_unit
             WHERE unit_id = ANY (%(unit_ids)s::bigint[]) AND standing = 'affected' AND closed_at IS NULL)
ORDER BY id
FOR SHARE;

-- name: look_again
-- Have the worker look at units, whoever owns them now.
UPDATE campaign_unit SET due_at = %(now)s
WHERE unit_id = ANY (%(unit_ids)s::bigint[]) AND campaign_id = ANY (%(ids)s::bigint[])
  AND standing = 'affected' AND closed_at IS NULL;

-- name: hold_published
-- The published campaigns; they cannot end meanwhile.
SELECT id FROM campaign WHERE state = 'published' ORDER BY id FOR SHARE;

-- name: look_again_at_all
-- Have the worker look at units in every published campaign that is not closed for them, whoever owns them now.
UPDATE campaign_unit u SET due_at = %(now)s FROM campaign c
WHERE u.unit_id = ANY (%(unit_ids)s::bigint[]) AND c.id = u.campaign_id AND c.state = 'published'
  AND u.standing = 'affected' AND u.closed_at IS NULL;

-- name: close
-- Close units in the updates whose version they have reached.
UPDATE campaign_unit u SET closed_at = %(now)s, due_at = NULL
FROM unnest(%(unit_ids)s::bigint[], %(firmwares)s::text[]) AS r (unit_id, firmware), campaign c
WHERE u.unit_id = r.unit_id AND u.campaign_id = ANY (%(ids)s::bigint[]) AND c.id = u.campaign_id
  AND c.kind = 'update' AND u.standing = 'affected' AND u.closed_at IS NULL
  AND firmware_key(r.firmware) >= firmware_key(c.audience->>'below')
RETURNING u.unit_id, u.campaign_id;

-- name: resolve_closed
-- Resolve the open notices of units that were closed, each in a campaign.
UPDATE notice n SET state = 'resolved', resolved_at = %(now)s, updated_at = %(now)s
FROM unnest(%(unit_ids)s::bigint[], %(ids)s::bigint[]) AS k (unit_id, campaign_id) JOIN campaign c ON c.id = k.campaign_id
WHERE n.campaign_id = k.campaign_id AND n.unit_id = k.unit_id AND n.state = 'open'
RETURNING n.public_id, n.unit_id, n.person_id, c.public_id AS campaign;

-- name: close_units
-- Close held units that have the version already.
UPDATE campaign_unit SET closed_at = %(now)s, due_at = NULL
WHERE campaign_id = %(id)s AND unit_id = ANY (%(unit_ids)s::bigint[]);

-- name: progress
-- How far campaigns came: their figures by channel, and the units that the worker is to look at later.
SELECT campaign_id, channel, figure, sum(amount)::bigint AS amount FROM campaign_figure
WHERE campaign_id = ANY (%(ids)s::bigint[])
GROUP BY campaign_id, channel, figure
UNION ALL
SELECT u.campaign_id, '', 'later', count(*) FROM campaign_unit u JOIN campaign c ON c.id = u.campaign_id
WHERE u.campaign_id = ANY (%(ids)s::bigint[]) AND u.due_at > %(now)s AND is_counted(c.kind, u.standing)
GROUP BY u.campaign_id;

-- name: take_up_owners
-- Take up some new owners of units in campaigns; returns the number of changes.
SELECT take_up_owners(%(now)s, %(limit)s) AS changes;

-- name: campaigns_to_sum
-- Campaigns whose figures are in many rows.
SELECT campaign_id FROM campaign_figure WHERE NOT is_sum
GROUP BY campaign_id HAVING count(*) >= %(most)s
ORDER BY campaign_id;

-- name: sum_figures
-- Replace the rows of a campaign's figures by their sums.
WITH part AS (
  DELETE FROM campaign_figure WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM campaign_figure WHERE campaign_id = %(id)s AND NOT is_sum LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
  RETURNING channel, figure, amount
)
INSERT INTO campaign_figure AS s (campaign_id, channel, figure, amount, is_sum)
SELECT %(id)s, channel, figure, sum(amount), true FROM part
GROUP BY channel, figure
ORDER BY channel, figure
ON CONFLICT (campaign_id, channel, figure) WHERE is_sum DO UPDATE SET amount = s.amount + excluded.amount;

-- name: units
-- The frozen audience behind a unit, in a steady order, with what the present owner was told and did.
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, u.lot, u.firmware, cu.matched, cu.standing, cu.closed_at,
       o.unit_id IS NOT NULL AS registered, n.created_at AS told_at, n.read_at IS NOT NULL AS seen,
       n.acknowledged_at IS NOT NULL AS acknowledged,
       n.read_at IS NOT NULL OR EXISTS (
         SELECT FROM outbox d WHERE d.notice_id = coalesce(lead.id, n.id) AND d.channel <> 'feed'
                                AND d.status = 'delivered') AS notified
FROM campaign_unit cu
JOIN unit u ON u.id = cu.unit_id
LEFT JOIN ownership o ON o.unit_id = cu.unit_id AND o.during @> %(now)s::timestamptz
LEFT JOIN notice n ON n.campaign_id = cu.campaign_id AND n.unit_id = cu.unit_id AND n.person_id = o.person_id
                  AND n.owned_since = lower(o.during)
LEFT JOIN notice lead ON lead.public_id = n.group_key
WHERE cu.campaign_id = %(id)s AND cu.unit_id > %(after)s
  AND (%(standing)s::text IS NULL OR cu.standing = %(standing)s::text)
ORDER BY cu.unit_id
LIMIT %(limit)s;

-- name: choices
-- Every product with its lots and how many units each has.
SELECT p.code, p.name, p.model, coalesce(sum(l.units), 0)::int AS units,
       coalesce(jsonb_agg(jsonb_build_object('lot', l.lot, 'units', l.units) ORDER BY l.lot)
                FILTER (WHERE l.lot IS NOT NULL), '[]') AS lots
FROM product p
LEFT JOIN (SELECT product_id, lot, count(*) AS units FROM unit WHERE NOT is_test GROUP BY product_id, lot) l ON l.product_id = p.id
GROUP BY p.id
ORDER BY p.code;

-- name: live_of_units
-- The published campaigns with an audience among the units of a product, each with those of some units that are of it.
SELECT c.id, c.public_id, c.number, c.product_id, c.audience, c.schema, k.unit_ids
FROM (SELECT product_id, array_agg(id) AS unit_ids FROM unit WHERE id = ANY (%(unit_ids)s::bigint[]) GROUP BY product_id) k
JOIN campaign c ON c.product_id = k.product_id
WHERE c.state = 'published' AND c.audience IS NOT NULL
ORDER BY c.id;

-- name: ask_recheck
-- Have the audiences of all published campaigns compared with the units of now.
UPDATE campaign SET recheck_at = %(now)s WHERE state = 'published' AND audience IS NOT NULL;

-- name: recheck
-- A published campaign whose audience is to be compared with the units of now, held by one worker only.
UPDATE campaign SET recheck_at = NULL
WHERE id = (SELECT id FROM campaign WHERE state = 'published' AND recheck_at <= %(now)s
            ORDER BY recheck_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, public_id, number, product_id, audience, schema;

-- name: find_candidates
-- Keep some units that match a published campaign and are not in its frozen audience; forget some that match no more.
WITH matching AS MATERIALIZED (
  SELECT m.unit_id, m.matched
  FROM audience_unit(%(product_id)s::int, %(lots)s::text[], %(serials)s::text[], %(below)s::text) m
  WHERE NOT EXISTS (SELECT FROM campaign_unit f
                    WHERE f.campaign_id = %(id)s AND f.unit_id = m.unit_id AND f.standing = 'affected')
), gone AS (
  DELETE FROM campaign_candidate WHERE campaign_id = %(id)s AND unit_id IN (
    SELECT k.unit_id FROM campaign_candidate k
    WHERE k.campaign_id = %(id)s AND NOT EXISTS (SELECT FROM matching m WHERE m.unit_id = k.unit_id)
    LIMIT %(limit)s)
  RETURNING unit_id
), added AS (
  INSERT INTO campaign_candidate AS k (campaign_id, unit_id, matched, found_at)
  SELECT %(id)s, m.unit_id, m.matched, %(now)s FROM matching m
  WHERE NOT EXISTS (SELECT FROM campaign_candidate k
                    WHERE k.campaign_id = %(id)s AND k.unit_id = m.unit_id AND k.matched = m.matched)
  LIMIT %(limit)s
  ON CONFLICT (campaign_id, unit_id) DO UPDATE SET matched = excluded.matched
  RETURNING unit_id
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM gone) AS gone;

-- name: recheck_on
-- Compare a published campaign again, from a moment on.
UPDATE campaign SET recheck_at = %(now)s WHERE id = %(id)s AND state = 'published';

-- name: compare_units
-- The same for some units, by the rules of audience_unit, which would look at every version of the product.
WITH matching AS MATERIALIZED (
  SELECT u.id AS unit_id,
         CASE WHEN %(lots)s::text[] IS NOT NULL THEN 'lot ' || u.lot
              WHEN %(serials)s::text[] IS NOT NULL THEN 'serial list'
              ELSE 'firmware ' || u.firmware END AS matched
  FROM unit u
  WHERE u.id = ANY (%(unit_ids)s::bigint[]) AND u.product_id = %(product_id)s AND NOT u.is_test
    AND (u.lot = ANY (%(lots)s::text[]) OR u.serial = ANY (%(serials)s::text[])
         OR firmware_key(u.firmware) < firmware_key(%(below)s::text))
    AND NOT EXISTS (SELECT FROM campaign_unit f
                    WHERE f.campaign_id = %(id)s AND f.unit_id = u.id AND f.standing = 'affected')
), gone AS (
  DELETE FROM campaign_candidate k
  WHERE k.campaign_id = %(id)s AND k.unit_id = ANY (%(unit_ids)s::bigint[])
    AND NOT EXISTS (SELECT FROM matching m WHERE m.unit_id = k.unit_id)
  RETURNING unit_id
), added AS (
  INSERT INTO campaign_candidate AS k (campaign_id, unit_id, matched, found_at)
  SELECT %(id)s, unit_id, matched, %(now)s FROM matching
  ON CONFLICT (campaign_id, unit_id) DO UPDATE SET matched = excluded.matched WHERE k.matched <> excluded.matched
  RETURNING unit_id
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM gone) AS gone;

-- name: joined
-- How many units match published campaigns since their audiences were frozen, and how many of them have an owner.
SELECT k.campaign_id, count(*) AS units, count(o.unit_id) AS registered
FROM campaign_candidate k
JOIN campaign c ON c.id = k.campaign_id AND c.state = 'published'
LEFT JOIN LATERAL (SELECT unit_id FROM ownership
                   WHERE unit_id = k.unit_id AND during @> %(now)s::timestamptz OFFSET 0) o ON true
WHERE k.campaign_id = ANY (%(ids)s::bigint[])
GROUP BY k.campaign_id;

-- name: joined_units
-- The units that match a published campaign since its audience was frozen, behind a unit, in a steady order.
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, u.lot, u.firmware, k.matched, k.found_at,
       o.unit_id IS NOT NULL AS registered
FROM campaign_candidate k
JOIN campaign c ON c.id = k.campaign_id AND c.state = 'published'
JOIN unit u ON u.id = k.unit_id
LEFT JOIN ownership o ON o.unit_id = k.unit_id AND o.during @> %(now)s::timestamptz
WHERE k.campaign_id = %(id)s AND k.unit_id > %(after)s
ORDER BY k.unit_id
LIMIT %(limit)s;

-- name: forget_candidates
-- Forget some of the units that matched campaigns which have ended.
DELETE FROM campaign_candidate WHERE ctid = ANY (ARRAY(
  SELECT k.ctid FROM campaign_candidate k JOIN campaign c ON c.id = k.campaign_id
  WHERE c.ended_at < %(before)s LIMIT %(limit)s));

-- name: failures_to_tell
-- Campaigns, units of campaigns, and alarms of new owners that could not be told and are tried again.
SELECT 'campaign' AS kind, c.number AS campaign, NULL AS unit, NULL AS alarm, c.tell_tries AS tries,
       c.tell_after AS next_try_at
FROM campaign c WHERE c.tell_tries > 0 AND c.state = 'published'
UNION ALL
SELECT 'unit', c.number, u.public_id, NULL, f.tries, f.due_at
FROM campaign_unit f
JOIN campaign c ON c.id = f.campaign_id AND c.state = 'published'
JOIN unit u ON u.id = f.unit_id
WHERE f.tries > 0 AND f.due_at IS NOT NULL
UNION ALL
SELECT 'alarm', NULL, u.public_id, a.public_id, d.tries, d.due_at
FROM alarm_due d JOIN alarm a ON a.id = d.alarm_id JOIN unit u ON u.id = a.unit_id
WHERE d.tries > 0
ORDER BY next_try_at, campaign, unit
LIMIT %(limit)s;

-- name: try_telling_again
-- Have all that could not be told tried again at once. Returns the number of campaigns, units and alarms.
WITH campaigns AS (
  UPDATE campaign SET tell_after = %(now)s WHERE tell_tries > 0 AND state = 'published' RETURNING id
), units AS (
  UPDATE campaign_unit SET due_at = %(now)s WHERE tries > 0 AND due_at > %(now)s RETURNING unit_id
), alarms AS (
  UPDATE alarm_due SET due_at = %(now)s WHERE tries > 0 AND due_at > %(now)s RETURNING alarm_id
)
SELECT (SELECT count(*) FROM campaigns) + (SELECT count(*) FROM units) + (SELECT count(*) FROM alarms) AS asked;
