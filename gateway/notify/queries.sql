-- name: earlier
-- The last notice of each rule and unit to a person in their present time of owning it, held until the transaction ends.
SELECT k.place, n.id, n.public_id, n.severity, n.state, n.updated_at, n.text, n.schema, n.skip_reason,
       (SELECT count(*) FROM notice_alarm na JOIN alarm a ON a.id = na.alarm_id
        WHERE na.notice_id = n.id AND a.judged_at > %(now)s::timestamptz - interval '1 hour') AS recent_alarms
FROM unnest(%(person_ids)s::bigint[], %(unit_ids)s::bigint[], %(rule_ids)s::text[], %(sinces)s::timestamptz[])
  WITH ORDINALITY AS k (person_id, unit_id, rule_id, since, place)
CROSS JOIN LATERAL (
  SELECT * FROM notice
  WHERE person_id = k.person_id AND unit_id = k.unit_id AND rule_id = k.rule_id AND created_at >= k.since
  ORDER BY created_at DESC LIMIT 1 FOR UPDATE) n;

-- name: decided
-- For whom it was decided already whether they are told of alarms; null for nobody.
SELECT alarm_id, person_id FROM ledger WHERE alarm_id = ANY (%(alarm_ids)s::bigint[])
UNION
SELECT alarm_id, person_id FROM notice_alarm WHERE alarm_id = ANY (%(alarm_ids)s::bigint[]);

-- name: told_since
-- When people were or will be told something, from a moment on; one message about many units counts once.
SELECT DISTINCT person_id, coalesce(group_key, public_id) AS message, visible_at FROM notice
WHERE person_id = ANY (%(person_ids)s::bigint[]) AND skip_reason IS NULL AND visible_at > %(since)s
  AND (created_at > %(since)s OR visible_at > created_at)
ORDER BY visible_at;

-- name: next_notices
-- Row ids for so many new notices.
SELECT nextval('notice_id_seq') AS id FROM generate_series(1, %(count)s);

-- name: join_notices
-- Let one more alarm join each notice: it is open (again), and counts one more. One that is told again is new again.
UPDATE notice n
SET state = 'open', resolved_at = NULL, count = n.count + 1, text = r.text, schema = %(schema)s, updated_at = %(now)s,
    why = r.why || jsonb_strip_nulls(jsonb_build_object('sent_because', n.why -> 'sent_because')),
    skip_reason = CASE WHEN NOT r.told THEN n.skip_reason END,
    visible_at = CASE WHEN r.told AND n.skip_reason IS NOT NULL OR r.again THEN %(now)s ELSE n.visible_at END,
    read_at = CASE WHEN NOT r.again THEN n.read_at END,
    acknowledged_at = CASE WHEN NOT r.again THEN n.acknowledged_at END
FROM json_to_recordset(%(rows)s) AS r (id bigint, text jsonb, why jsonb, told boolean, again boolean)
WHERE n.id = r.id
RETURNING n.id, n.count;

-- name: link_alarms
-- Note which alarms notices tell of.
INSERT INTO notice_alarm (notice_id, alarm_id, person_id)
SELECT * FROM unnest(%(notice_ids)s::bigint[], %(alarm_ids)s::bigint[], %(person_ids)s::bigint[]);

-- name: send_again
-- Have notices sent again: their deliveries begin anew, but for those that are being sent.
INSERT INTO outbox AS o (notice_id, channel, due_at, reason, follows, is_safety)
SELECT r.notice_id, r.channel, r.due_at, r.reason, r.follows, n.severity = 'safety'
FROM json_to_recordset(%(rows)s) AS r (notice_id bigint, channel text, due_at timestamptz, reason text, follows text)
JOIN notice n ON n.id = r.notice_id
ON CONFLICT (notice_id, channel) DO UPDATE
SET status = 'waiting', due_at = excluded.due_at, reason = excluded.reason, follows = excluded.follows, attempts = 0,
    claimed_at = NULL, finished_at = NULL, provider_id = NULL, renewed_at = %(now)s
WHERE o.status <> 'claimed';

-- name: send_after_all
-- Have notices sent that were open again after their deliveries had been skipped.
UPDATE outbox SET status = 'waiting', due_at = %(now)s, reason = %(reason)s, finished_at = NULL
WHERE notice_id = ANY (%(notice_ids)s::bigint[]) AND status = 'skipped' AND follows IS NULL;

-- name: resolve
-- Resolve the open notices of cleared alarms whose other alarms are cleared too; the last one says how it ended.
WITH cleared AS (
  SELECT DISTINCT ON (na.notice_id) na.notice_id, r.onset, r.why
  FROM json_to_recordset(%(rows)s) AS r (alarm_id bigint, onset timestamptz, cleared_at timestamptz, why jsonb)
  JOIN notice_alarm na ON na.alarm_id = r.alarm_id
  ORDER BY na.notice_id, r.cleared_at DESC, r.alarm_id DESC
)
UPDATE notice n SET state = 'resolved', resolved_at = %(now)s, updated_at = %(now)s,
       why = CASE WHEN (n.why->>'onset')::timestamptz > c.onset  -- it began before they owned the unit
                  THEN (n.why || c.why) || jsonb_build_object('extreme', n.why->'extreme')
                  ELSE n.why || c.why END
FROM cleared c
WHERE n.id = c.notice_id AND n.state = 'open'
  AND NOT EXISTS (SELECT FROM notice_alarm other JOIN alarm a ON a.id = other.alarm_id
                  WHERE other.notice_id = n.id AND a.cleared_at IS NULL)
RETURNING n.public_id, n.person_id, n.unit_id, n.text, n.why, n.schema;

-- name: held_due
-- Held notices whose time has come, each taken by one worker only.
SELECT n.id, n.public_id AS notice, n.person_id, n.unit_id, n.kind, n.state, n.severity, n.text, n.why, n.schema,
       c.public_id AS campaign,
       EXISTS (SELECT FROM ownership w WHERE w.unit_id = n.unit_id AND w.person_id = n.person_id
               AND w.during @> %(now)s::timestamptz AND lower(w.during) <= n.created_at) AS still_owned
FROM notice n
LEFT JOIN campaign c ON c.id = n.campaign_id
WHERE n.is_held AND n.visible_at <= %(now)s
ORDER BY n.visible_at, n.id
LIMIT %(limit)s
FOR UPDATE OF n SKIP LOCKED;

-- name: show
-- Held notices are told now, or never with a reason.
UPDATE notice n SET is_held = false, skip_reason = r.reason
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS r (id, reason) WHERE n.id = r.id;

-- name: keep_campaign_text
-- Keep what the notices of a campaign say, unless it is kept.
INSERT INTO campaign_text (campaign_id, kind, language, document, schema)
SELECT %(campaign_id)s, kind, language, document, %(schema)s
FROM json_to_recordset(%(rows)s) AS r (kind text, language text, document jsonb)
ON CONFLICT (campaign_id, kind, language) DO NOTHING;

-- name: feed
-- Notices below a number, the newest first; those of campaigns in a language.
SELECT n.id AS row, n.public_id AS id, n.kind, n.severity, n.state, n.count, n.text, n.why, n.schema, n.created_at, n.updated_at,
       n.resolved_at, p.name AS person, u.public_id AS unit, u.printed AS serial, pr.name AS product, pr.model,
       CASE WHEN n.visible_at > now() THEN n.visible_at END AS held_until,
       CASE WHEN n.visible_at > now() THEN n.hold_reason END AS hold_reason, n.group_key, t.told
FROM notice n
JOIN person p ON p.id = n.person_id
JOIN unit u ON u.id = n.unit_id
JOIN product pr ON pr.id = u.product_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, %(language)s) t ON true
WHERE n.id < %(before)s
ORDER BY n.id DESC
LIMIT %(limit)s;

-- name: deliveries
-- Deliveries below a number, the newest first: each notice on each channel, and how it ended.
SELECT o.id, n.public_id AS notice, o.channel, o.status, o.reason, o.due_at, o.finished_at, o.attempts,
       n.created_at AS recorded_at
FROM outbox o JOIN notice n ON n.id = o.notice_id
WHERE o.id < %(before)s AND o.channel <> 'feed'
ORDER BY o.id DESC
LIMIT %(limit)s;

-- name: ledger
-- What the stages answered, the newest first.
SELECT l.id, l.at, a.public_id AS alarm, c.public_id AS campaign, u.public_id AS unit, p.public_id AS person,
       n.public_id AS notice, l.outcome, l.reason, l.steps, l.schema
FROM ledger l
LEFT JOIN alarm a ON a.id = l.alarm_id
LEFT JOIN campaign c ON c.id = l.campaign_id
JOIN unit u ON u.id = coalesce(l.unit_id, a.unit_id)
LEFT JOIN person p ON p.id = l.person_id
LEFT JOIN notice n ON n.id = l.notice_id
WHERE l.id < %(before)s
ORDER BY l.id DESC
LIMIT %(limit)s;

-- name: backlog
-- By channel: how many deliveries wait, and for how many seconds the oldest has been due.
SELECT channel, count(*) AS waiting, greatest(extract(epoch FROM now() - min(due_at)), 0)::float8 AS overdue_s
FROM outbox WHERE status = 'waiting' GROUP BY channel;

-- name: claim
-- Take deliveries of a channel that are due, safety first, each by one worker only; with all that their messages need.
WITH due AS MATERIALIZED (
  SELECT d.id FROM (VALUES (true), (false)) AS s (is_safety)
  CROSS JOIN LATERAL (
    SELECT o.id FROM outbox o JOIN notice n ON n.id = o.notice_id
    WHERE o.status = 'waiting' AND o.channel = %(channel)s AND o.is_safety = s.is_safety AND o.due_at <= %(now)s
    ORDER BY o.due_at, o.id LIMIT %(limit)s
    FOR UPDATE OF o, n SKIP LOCKED) d
  LIMIT %(limit)s
), o AS (
  UPDATE outbox SET status = 'claimed', claimed_at = %(now)s, attempts = attempts + 1
  FROM due WHERE outbox.id = due.id
  RETURNING outbox.*
)
SELECT o.id, o.notice_id, n.public_id AS notice, n.trace, o.channel, n.person_id, p.public_id AS person, n.unit_id, n.kind,
       c.public_id AS campaign, n.severity, n.state, n.text, n.why, n.schema, t.told, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, u.printed AS serial, m.serials, w.apart, o.renewed_at,
       pr.name AS product, pr.model, o.attempts, o.follows, o.claimed_at, n.read_at, n.acknowledged_at,
       EXISTS (SELECT FROM ownership w WHERE w.unit_id = n.unit_id AND w.person_id = n.person_id
               AND w.during @> %(now)s::timestamptz AND lower(w.during) <= n.created_at) AS still_owned
FROM o
JOIN notice n ON n.id = o.notice_id
JOIN person p ON p.id = n.person_id
JOIN unit u ON u.id = n.unit_id
JOIN product pr ON pr.id = u.product_id
LEFT JOIN campaign c ON c.id = n.campaign_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, p.language) t ON true
LEFT JOIN LATERAL message_units(n.person_id, n.group_key, %(now)s) m ON n.group_key IS NOT NULL
LEFT JOIN LATERAL unit_apart(n.person_id, n.unit_id, %(now)s) w ON n.group_key IS NULL
ORDER BY o.is_safety DESC, o.due_at, o.id;

-- name: abandoned
-- Deliveries of a channel that were claimed so long ago that their worker must have ended.
SELECT o.id, o.notice_id, n.public_id AS notice, n.trace, o.channel, n.person_id, p.public_id AS person, n.unit_id, n.kind,
       c.public_id AS campaign, n.severity, n.state, n.text, n.why, n.schema, t.told, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, u.printed AS serial, m.serials, w.apart, o.renewed_at,
       pr.name AS product, pr.model, o.attempts, o.follows, o.claimed_at, n.read_at, n.acknowledged_at
FROM outbox o
JOIN notice n ON n.id = o.notice_id
JOIN person p ON p.id = n.person_id
JOIN unit u ON u.id = n.unit_id
JOIN product pr ON pr.id = u.product_id
LEFT JOIN campaign c ON c.id = n.campaign_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, p.language) t ON true
LEFT JOIN LATERAL message_units(n.person_id, n.group_key, %(now)s) m ON n.group_key IS NOT NULL
LEFT JOIN LATERAL unit_apart(n.person_id, n.unit_id, %(now)s) w ON n.group_key IS NULL
WHERE o.status = 'claimed' AND o.channel = %(channel)s AND o.claimed_at < %(before)s
ORDER BY o.claimed_at
LIMIT %(limit)s
FOR UPDATE OF o SKIP LOCKED;

-- name: unserved
-- Deliveries that are due on channels that are not set up here; the index is read for each channel that has any.
WITH RECURSIVE named (channel) AS (
  SELECT min(channel) FROM outbox WHERE status = 'waiting'
  UNION ALL
  SELECT (SELECT min(o.channel) FROM outbox o WHERE o.status = 'waiting' AND o.channel > named.channel)
  FROM named WHERE named.channel IS NOT NULL
)
SELECT o.id, o.notice_id, n.public_id AS notice, n.trace, o.channel, n.person_id, n.unit_id, c.public_id AS campaign
FROM named
CROSS JOIN LATERAL (
  SELECT id, notice_id, channel FROM outbox
  WHERE status = 'waiting' AND channel = named.channel AND due_at <= %(now)s
  ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED) o
JOIN notice n ON n.id = o.notice_id
LEFT JOIN campaign c ON c.id = n.campaign_id
WHERE named.channel <> ALL (%(channels)s)
LIMIT %(limit)s;

-- name: skip
-- End deliveries that are not sent; those that were taken for it do not count as tried.
UPDATE outbox o SET status = 'skipped', reason = r.reason, finished_at = %(now)s,
       attempts = attempts - (status = 'claimed')::int
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS r (id, reason) WHERE o.id = r.id;

-- name: settle
-- Note how claimed deliveries ended or when they are tried again; only who holds a claim may, or who learns that one arrived.
UPDATE outbox o
SET status = r.status, reason = r.reason, due_at = coalesce(r.due_at, o.due_at), finished_at = r.finished_at,
    provider_id = coalesce(r.provider_id, o.provider_id)
-- Binary arrays (b): the client writes text ones in Python, letter by letter.
FROM unnest(%(ids)s::bigint[], %(claims)b::timestamptz[], %(statuses)b::text[], %(reasons)b::text[],
            %(due)s::timestamptz[], %(finished)b::timestamptz[], %(provider_ids)b::text[])
  AS r (id, claimed_at, status, reason, due_at, finished_at, provider_id)
WHERE o.id = r.id AND ((o.status = 'claimed' AND o.claimed_at = r.claimed_at)
                       OR (o.status = 'unknown' AND r.status = 'delivered'))
RETURNING o.id;

-- name: insert_tries
-- Write what tries at addresses came to, in order.
INSERT INTO delivery_try (outbox_id, push_token_id, attempt, at, outcome, reason, provider_id)
SELECT r.outbox_id, r.push_token_id, r.attempt, %(now)s, r.outcome, r.reason, r.provider_id
FROM unnest(%(outbox_ids)s::bigint[], %(keys)s::bigint[], %(attempts)s::int[], %(outcomes)b::text[], %(reasons)b::text[],
            %(provider_ids)b::text[]) WITH ORDINALITY
  AS r (outbox_id, push_token_id, attempt, outcome, reason, provider_id, line)
ORDER BY r.line;

-- name: last_tries
-- What the last try at each address of deliveries came to, since they began anew; what arrived once stays so.
SELECT DISTINCT ON (t.outbox_id, t.push_token_id) t.outbox_id, t.push_token_id, t.attempt, t.outcome, t.reason, t.provider_id,
       bool_or(t.outcome = 'unknown') OVER (PARTITION BY t.outbox_id) AS again
FROM delivery_try t JOIN outbox o ON o.id = t.outbox_id
WHERE t.outbox_id = ANY (%(outbox_ids)s::bigint[]) AND t.at >= coalesce(o.renewed_at, '-infinity')
ORDER BY t.outbox_id, t.push_token_id, t.outcome = 'delivered' DESC, t.id DESC;

-- name: rows_of_notices
-- The deliveries of notices, by channel.
SELECT notice_id, channel, status, follows FROM outbox WHERE notice_id = ANY (%(notice_ids)s::bigint[]);

-- name: insert_next
-- Have notices sent on the next channel now, because the one before did not reach the person.
INSERT INTO outbox (notice_id, channel, due_at, reason, is_safety)
SELECT r.notice_id, r.channel, %(now)s, r.reason, n.severity = 'safety'
FROM unnest(%(notice_ids)s::bigint[], %(channels)s::text[], %(reasons)s::text[]) AS r (notice_id, channel, reason)
JOIN notice n ON n.id = r.notice_id
ON CONFLICT (notice_id, channel) DO NOTHING;

-- name: bring_forward
-- Let channels that would have followed go out now, because the one before did not reach the person.
UPDATE outbox o SET due_at = %(now)s, reason = r.reason, follows = NULL
FROM unnest(%(notice_ids)s::bigint[], %(channels)s::text[], %(reasons)s::text[]) AS r (notice_id, channel, reason)
WHERE o.notice_id = r.notice_id AND o.channel = r.channel AND o.status = 'waiting';

-- name: reaches
-- People's languages and own choices of a channel.
SELECT p.id AS person_id, p.language, r.channel AS choice
FROM person p
LEFT JOIN preference r ON r.person_id = p.id
WHERE p.id = ANY (%(person_ids)s::bigint[]);

-- name: mail_of
-- A person's mail address, whether a code proved it, and why it gets no mail of notices.
SELECT p.email AS address, coalesce(a.confirmed_at IS NOT NULL AND a.disabled_at IS NULL, false) AS confirmed,
       s.reason AS stopped_because
FROM person p
LEFT JOIN account a ON a.person_id = p.id
LEFT JOIN suppression s ON s.email = lower(p.email)
WHERE p.id = %(person_id)s;

-- name: phones
-- People's phones that may be told, the oldest first.
SELECT person_id, id, public_id, kind, value, platform, created_at FROM push_token
WHERE person_id = ANY (%(person_ids)s::bigint[]) AND retired_at IS NULL ORDER BY id;

-- name: register_phone
-- Note a phone; one that is known belongs to who registers it now, and lives again.
INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at)
VALUES (%(public_id)s, %(person_id)s, %(kind)s, %(value)s, %(platform)s, %(now)s)
ON CONFLICT (kind, value) DO UPDATE
SET person_id = excluded.person_id, platform = excluded.platform, retired_at = NULL, retired_reason = NULL
RETURNING id, public_id, kind, value, platform, created_at, xmax = 0 AS created;

-- name: retire_phone
-- Tell a phone nothing any more.
UPDATE push_token SET retired_at = %(now)s, retired_reason = %(reason)s WHERE id = %(id)s AND retired_at IS NULL;

-- name: suppress
-- Send no more mail of notices to an address.
INSERT INTO suppression (email, at, reason) VALUES (lower(%(email)s), %(now)s, %(reason)s) ON CONFLICT (email) DO NOTHING;

-- name: unsuppress
-- Let mail of notices go to an address again.
DELETE FROM suppression WHERE email = lower(%(email)s);

-- name: set_choice
-- Note the person's own choice of a channel.
INSERT INTO preference (person_id, channel, updated_at) VALUES (%(person_id)s, %(channel)s, %(now)s)
ON CONFLICT (person_id) DO UPDATE SET channel = excluded.channel, updated_at = excluded.updated_at;

-- name: engagements
-- What people did lately that shows where they look.
SELECT k.person_id, e.channel, e.kind, e.at
FROM unnest(%(person_ids)s::bigint[]) AS k (person_id)
CROSS JOIN LATERAL (
  SELECT channel, kind, at FROM engagement WHERE person_id = k.person_id AND at > %(since)s
  ORDER BY at DESC LIMIT %(limit)s) e;

-- name: insert_engagement
-- Note something that shows where a person looks; the same of the same notice counts once.
INSERT INTO engagement (person_id, notice_id, channel, kind, at)
VALUES (%(person_id)s, %(notice_id)s, %(channel)s, %(kind)s, %(now)s)
ON CONFLICT (notice_id, channel, kind) DO NOTHING;

-- name: opened_on
-- The channel on which a notice was opened last.
SELECT channel FROM engagement WHERE notice_id = %(notice_id)s AND kind = 'opened' ORDER BY at DESC LIMIT 1;

-- name: notice_by_public_id
-- A notice by the id that stands in links, held until the transaction ends.
SELECT n.id, n.person_id, n.unit_id, n.group_key, n.read_at, n.acknowledged_at, c.public_id AS campaign
FROM notice n LEFT JOIN campaign c ON c.id = n.campaign_id
WHERE n.public_id = %(public_id)s
FOR UPDATE OF n;

-- name: mark_read
-- Note that a notice was seen, the first time; an all-clear is over with that.
UPDATE notice
SET read_at = %(now)s,
    state = CASE WHEN kind = 'withdrawal' AND state = 'open' THEN 'resolved' ELSE state END,
    resolved_at = CASE WHEN kind = 'withdrawal' AND state = 'open' THEN %(now)s ELSE resolved_at END
WHERE id = %(id)s AND read_at IS NULL;

-- name: mark_others_read
-- The same of the other notices of a message about many units; returns those that were not read.
WITH held AS (
  SELECT id FROM notice WHERE person_id = %(person_id)s AND group_key = %(key)s AND read_at IS NULL ORDER BY id FOR UPDATE
)
UPDATE notice n
SET read_at = %(now)s,
    state = CASE WHEN n.kind = 'withdrawal' AND n.state = 'open' THEN 'resolved' ELSE n.state END,
    resolved_at = CASE WHEN n.kind = 'withdrawal' AND n.state = 'open' THEN %(now)s ELSE n.resolved_at END
FROM held WHERE n.id = held.id
RETURNING n.public_id, n.person_id, n.unit_id, (SELECT c.public_id FROM campaign c WHERE c.id = n.campaign_id) AS campaign;

-- name: mark_acknowledged
-- Note that a notice was confirmed, the first time.
UPDATE notice SET acknowledged_at = %(now)s
WHERE id = %(id)s AND acknowledged_at IS NULL;

-- name: person_by_public_id
-- A person by the id that stands in links.
SELECT id, email, language FROM person WHERE public_id = %(public_id)s;

-- name: secret
-- A random key of this installation.
SELECT value FROM installation_secret WHERE name = %(name)s;

-- name: insert_secret
-- Keep a random key, unless there is one.
INSERT INTO installation_secret (name, value) VALUES (%(name)s, %(value)s) ON CONFLICT (name) DO NOTHING;

-- name: letters_due
-- Service letters that are due, taken for a while so that no other worker sends them too.
UPDATE letter SET attempts = attempts + 1, due_at = %(lease)s
WHERE id IN (SELECT id FROM letter WHERE status = 'waiting' AND due_at <= %(now)s ORDER BY due_at, id
             LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, to_email, template, language, data, schema, attempts;

-- name: letter_later
-- Try a letter again at a time.
UPDATE letter SET due_at = %(due_at)s, reason = %(reason)s WHERE id = %(id)s AND status = 'waiting';

-- name: finish_letter
-- Note how a letter ended, and forget what stood in it.
UPDATE letter SET status = %(status)s, reason = %(reason)s, finished_at = %(now)s, data = '{}'
WHERE id = %(id)s AND status = 'waiting';

-- name: note_raised
-- Have raised alarms told, now.
INSERT INTO alarm_due (alarm_id, due_at, place, tries, trace, rank)
SELECT DISTINCT ON (r.alarm_id) r.alarm_id, %(now)s, r.place, r.tries, r.trace,
       coalesce(array_position(ARRAY['safety', 'critical', 'warning', 'info'], a.severity) - 1, 1)
FROM json_to_recordset(%(rows)s) AS r (alarm_id bigint, place bigint, tries int, trace text)
LEFT JOIN alarm a ON a.id = r.alarm_id
ORDER BY r.alarm_id, r.place
ON CONFLICT (alarm_id) DO UPDATE
SET due_at = excluded.due_at, place = excluded.place, tries = excluded.tries, trace = excluded.trace, rank = excluded.rank;

-- name: alarms_of_claimed_units
-- Have active alarms of units looked at whose owner was not considered: known at a moment, or for an owner to come.
INSERT INTO alarm_due (alarm_id, due_at, rank)
SELECT a.id, greatest(min(lower(o.during)), %(now)s),
       array_position(ARRAY['safety', 'critical', 'warning', 'info'], a.severity) - 1
FROM (SELECT unit_id, max(known_at) AS known_at
      FROM unnest(%(unit_ids)s::bigint[], %(known_ats)s::timestamptz[]) AS k (unit_id, known_at) GROUP BY unit_id) k
CROSS JOIN LATERAL (SELECT id, severity, judged_at FROM alarm
                    WHERE unit_id = k.unit_id AND cleared_at IS NULL AND NOT historic OFFSET 0) a
CROSS JOIN LATERAL (SELECT person_id, during FROM ownership
                    WHERE unit_id = k.unit_id AND (upper_inf(during) OR upper(during) > %(now)s) OFFSET 0) o
WHERE (a.judged_at <= k.known_at OR lower(o.during) > %(now)s)
  AND NOT EXISTS (SELECT FROM ledger l WHERE l.alarm_id = a.id AND l.person_id = o.person_id)
  AND NOT EXISTS (SELECT FROM notice_alarm n WHERE n.alarm_id = a.id AND n.person_id = o.person_id)
GROUP BY a.id, a.severity
ON CONFLICT (alarm_id) DO UPDATE SET due_at = least(alarm_due.due_at, excluded.due_at);

-- name: alarms_of_new_owners
-- The same for the units of everybody.
INSERT INTO alarm_due (alarm_id, due_at, rank)
SELECT a.id, greatest(min(lower(o.during)), %(now)s),
       array_position(ARRAY['safety', 'critical', 'warning', 'info'], a.severity) - 1
FROM alarm a
CROSS JOIN LATERAL (  -- by the index, alarm by alarm: few alarms are active
  SELECT person_id, during FROM ownership
  WHERE unit_id = a.unit_id AND (upper_inf(during) OR upper(during) > %(now)s) OFFSET 0) o
WHERE a.cleared_at IS NULL AND NOT a.historic
  AND (a.judged_at <= %(known_at)s::timestamptz OR lower(o.during) > %(now)s)
  AND NOT EXISTS (SELECT FROM ledger l WHERE l.alarm_id = a.id AND l.person_id = o.person_id)
  AND NOT EXISTS (SELECT FROM notice_alarm n WHERE n.alarm_id = a.id AND n.person_id = o.person_id)
GROUP BY a.id
ON CONFLICT (alarm_id) DO UPDATE SET due_at = least(alarm_due.due_at, excluded.due_at);

-- name: due_alarms
-- Alarms to be told to who owns the unit now, the gravest first, each taken by one worker only.
SELECT alarm_id, tries, place, trace FROM alarm_due WHERE due_at <= %(now)s
ORDER BY rank, due_at, alarm_id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: alarm_keys
-- Of which unit and rule alarms are. Asked by itself: in a join, a plan for few alarms would go through all for each.
SELECT a.id, a.unit_id, v.rule_id FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id
WHERE a.id = ANY (%(ids)s::bigint[]);

-- name: next_ownership
-- Look at alarms again when the next ownership begins that is known already.
UPDATE alarm_due d SET due_at = later.since, tries = 0, place = NULL, trace = NULL
FROM (SELECT a.id, min(lower(o.during)) AS since
      FROM alarm a JOIN ownership o ON o.unit_id = a.unit_id AND lower(o.during) > %(now)s
      WHERE a.id = ANY (%(ids)s::bigint[]) AND a.cleared_at IS NULL AND NOT a.historic
      GROUP BY a.id) AS later
WHERE d.alarm_id = later.id;

-- name: alarms_looked_at
-- Forget alarms that were due and have no further ownership before them.
DELETE FROM alarm_due WHERE alarm_id = ANY (%(ids)s::bigint[]) AND due_at <= %(now)s;

-- name: alarm_again
-- Look at an alarm again at a time, after so many tries that failed.
INSERT INTO alarm_due (alarm_id, due_at, tries, rank)
SELECT id, %(due_at)s, %(tries)s, array_position(ARRAY['safety', 'critical', 'warning', 'info'], severity) - 1
FROM alarm WHERE id = %(id)s
ON CONFLICT (alarm_id) DO UPDATE SET due_at = least(alarm_due.due_at, excluded.due_at), tries = excluded.tries;

-- name: forget_feed_rows
-- Delete rows of the outbox that were of the feed, which is no channel any more.
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE channel = 'feed' ORDER BY id LIMIT %(limit)s);

-- name: forget_letters
-- Forget the oldest letters that ended before a moment.
DELETE FROM letter WHERE id IN (
  SELECT id FROM letter WHERE finished_at < %(before)s ORDER BY finished_at LIMIT %(limit)s);

-- name: forget_tries
-- Forget the oldest tries of deliveries that ended.
DELETE FROM delivery_try WHERE id IN (
  SELECT t.id FROM delivery_try t JOIN outbox o ON o.id = t.outbox_id
  WHERE t.at < %(before)s AND o.finished_at IS NOT NULL ORDER BY t.at LIMIT %(limit)s);

-- name: forget_phones
-- Forget the phones that were retired longest ago and that no try names any more.
DELETE FROM push_token WHERE id IN (
  SELECT p.id FROM push_token p
  WHERE p.retired_at < %(before)s AND NOT EXISTS (SELECT FROM delivery_try t WHERE t.push_token_id = p.id)
  ORDER BY p.retired_at LIMIT %(limit)s);

-- name: forget_engagements
-- Forget the oldest of what people did, but for campaigns, whose reports count it.
DELETE FROM engagement WHERE id IN (
  SELECT e.id FROM engagement e
  WHERE e.at < %(before)s
    AND NOT EXISTS (SELECT FROM notice n WHERE n.id = e.notice_id AND n.campaign_id IS NOT NULL)
  ORDER BY e.at LIMIT %(limit)s);

-- name: forget_notices
-- Forget the oldest notices of alarms that are over, with everything that was written about them.
WITH old AS MATERIALIZED (
  SELECT n.id FROM notice n
  WHERE n.campaign_id IS NULL AND n.state <> 'open' AND n.updated_at < %(before)s
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.notice_id = n.id AND o.status IN ('waiting', 'claimed'))
  ORDER BY n.updated_at LIMIT %(limit)s
  FOR UPDATE SKIP LOCKED
), tries AS (
  DELETE FROM delivery_try t USING outbox o WHERE o.id = t.outbox_id AND o.notice_id IN (SELECT id FROM old)
), deliveries AS (
  DELETE FROM outbox WHERE notice_id IN (SELECT id FROM old)
), alarms AS (
  DELETE FROM notice_alarm WHERE notice_id IN (SELECT id FROM old)
), engagements AS (
  DELETE FROM engagement WHERE notice_id IN (SELECT id FROM old)
), lines AS (
  DELETE FROM ledger WHERE notice_id IN (SELECT id FROM old)
)
DELETE FROM notice WHERE id IN (SELECT id FROM old);

-- name: forget_ledger
-- Forget the oldest lines on alarms that nobody was told of.
DELETE FROM ledger WHERE id IN (
  SELECT id FROM ledger WHERE campaign_id IS NULL AND notice_id IS NULL AND at < %(before)s
  ORDER BY at LIMIT %(limit)s);

-- name: listed
-- A page of what was told, the urgent first, behind a place: notices of alarms, and a campaign as one line.
WITH looked AS MATERIALIZED (
  SELECT * FROM (
    SELECT notice_urgency(severity, state) AS rank, -id AS minus, id, severity FROM notice
    WHERE %(alarms)s AND %(units)s::bigint[] IS NULL AND campaign_id IS NULL
      AND notice_urgency(severity, state) BETWEEN %(low)s::int AND %(high)s::int
      AND (notice_urgency(severity, state), -id) > (%(rank)s::int, %(minus)s::bigint)
    ORDER BY 1, 2 LIMIT %(looked)s) of_all
  UNION ALL
  SELECT n.* FROM unnest(%(units)s::bigint[]) AS u (id)
  CROSS JOIN LATERAL (
    SELECT notice_urgency(severity, state), -id, id, severity FROM notice
    WHERE %(alarms)s AND unit_id = u.id AND campaign_id IS NULL
      AND notice_urgency(severity, state) BETWEEN %(low)s::int AND %(high)s::int
      AND (notice_urgency(severity, state), -id) > (%(rank)s::int, %(minus)s::bigint)
    LIMIT %(of_one)s) n
  UNION ALL
  SELECT n.* FROM unnest(%(persons)s::bigint[]) AS p (id)
  CROSS JOIN LATERAL (
    SELECT notice_urgency(severity, state), -id, id, severity FROM notice
    WHERE %(alarms)s AND person_id = p.id AND campaign_id IS NULL AND unit_id <> ALL (%(units)s::bigint[])
      AND notice_urgency(severity, state) BETWEEN %(low)s::int AND %(high)s::int
      AND (notice_urgency(severity, state), -id) > (%(rank)s::int, %(minus)s::bigint)
    LIMIT %(of_one)s) n
), chosen AS (
  SELECT rank, minus, id AS notice_id, NULL::bigint AS campaign_id FROM looked
  WHERE %(severity)s::text IS NULL OR severity = %(severity)s::text
  UNION ALL
  SELECT t.rank, t.minus, NULL, t.id FROM (
    SELECT CASE c.state WHEN 'published' THEN 4 ELSE 6 END AS rank, -c.id AS minus, c.id FROM campaign c
    WHERE c.state <> 'draft' AND c.kind = ANY (%(kinds)s::text[])
      AND (%(title)s::text IS NULL OR c.number ILIKE %(title)s::text OR EXISTS (SELECT FROM jsonb_each_text(c.content->'title') t WHERE t.value ILIKE %(title)s::text))) t
  WHERE t.rank BETWEEN %(low)s::int AND %(high)s::int AND (t.rank, t.minus) > (%(rank)s::int, %(minus)s::bigint)
), seen AS (
  SELECT count(*) AS looked, max(rank) AS last_rank,
         (SELECT max(minus) FROM looked l WHERE l.rank = (SELECT max(rank) FROM looked)) AS last_minus
  FROM looked
)
SELECT s.looked, s.last_rank, s.last_minus, c.rank, c.minus, c.campaign_id,
       coalesce(n.public_id, m.public_id) AS id, coalesce(n.kind, m.kind) AS kind, n.severity,
       CASE WHEN n.id IS NOT NULL THEN n.state WHEN m.state = 'published' THEN 'open' ELSE 'withdrawn' END AS state,
       n.text, n.schema, m.content->'title' AS titles, m.number, coalesce(n.count, 1) AS count,
       coalesce(n.created_at, m.published_at) AS created_at, coalesce(n.updated_at, m.ended_at, m.published_at) AS updated_at,
       CASE WHEN n.visible_at > %(now)s THEN n.visible_at END AS held_until, q.name AS person, u.public_id AS unit,
       u.printed AS serial, p.name AS product, p.model,
       (SELECT jsonb_object_agg(o.channel, o.status) FROM outbox o
        WHERE o.notice_id = n.id AND o.channel <> 'feed') AS deliveries
FROM seen s
LEFT JOIN (SELECT * FROM chosen ORDER BY rank, minus LIMIT %(limit)s) c ON true
LEFT JOIN notice n ON n.id = c.notice_id
LEFT JOIN campaign m ON m.id = c.campaign_id
LEFT JOIN person q ON q.id = n.person_id
LEFT JOIN unit u ON u.id = n.unit_id
LEFT JOIN product p ON p.id = coalesce(u.product_id, m.product_id)
ORDER BY c.rank, c.minus;

-- name: counted
-- How many the filters let through, among so many looked at: open notices of alarms, those that are over, and campaigns.
SELECT b.name, count(*) AS looked,
       count(*) FILTER (WHERE %(severity)s::text IS NULL OR a.severity = %(severity)s::text) AS notices
FROM (VALUES ('open', 0, 3), ('over', 5, 5)) AS b (name, low, high)
CROSS JOIN LATERAL (
  SELECT * FROM (
    SELECT severity FROM notice
    WHERE %(alarms)s AND %(units)s::bigint[] IS NULL AND campaign_id IS NULL
      AND notice_urgency(severity, state) BETWEEN b.low AND b.high
    ORDER BY notice_urgency(severity, state), -id LIMIT %(looked)s) of_all
  UNION ALL
  SELECT n.* FROM unnest(%(units)s::bigint[]) AS u (id)
  CROSS JOIN LATERAL (
    SELECT severity FROM notice
    WHERE %(alarms)s AND unit_id = u.id AND campaign_id IS NULL
      AND notice_urgency(severity, state) BETWEEN b.low AND b.high
    LIMIT %(of_one)s) n
  UNION ALL
  SELECT n.* FROM unnest(%(persons)s::bigint[]) AS p (id)
  CROSS JOIN LATERAL (
    SELECT severity FROM notice
    WHERE %(alarms)s AND person_id = p.id AND campaign_id IS NULL AND unit_id <> ALL (%(units)s::bigint[])
      AND notice_urgency(severity, state) BETWEEN b.low AND b.high
    LIMIT %(of_one)s) n
) a
GROUP BY b.name
UNION ALL
SELECT 'campaigns', count(*), count(*)
FROM (
  SELECT FROM campaign c
  WHERE c.state <> 'draft' AND c.kind = ANY (%(kinds)s::text[])
    AND (%(title)s::text IS NULL OR c.number ILIKE %(title)s::text OR EXISTS (SELECT FROM jsonb_each_text(c.content->'title') t WHERE t.value ILIKE %(title)s::text))
    AND CASE c.state WHEN 'published' THEN 4 ELSE 6 END BETWEEN %(low)s::int AND %(high)s::int
  LIMIT %(looked)s) c;

-- name: units_begun
-- Units whose serial begins so.
SELECT id FROM unit WHERE serial LIKE %(begin)s ORDER BY serial LIMIT %(limit)s;

-- name: people_begun
-- People whose name or last name begins with the words.
SELECT id FROM (
  (SELECT id FROM person
   WHERE search_text(name) ~>=~ search_text(%(words)s)
     AND search_text(name) ~<~ (search_text(%(words)s) || chr(1114111))
   ORDER BY search_text(name) USING ~<~ LIMIT %(limit)s)
  UNION
  (SELECT id FROM person
   WHERE search_last_name(name) ~>=~ search_text(%(words)s)
     AND search_last_name(name) ~<~ (search_text(%(words)s) || chr(1114111))
   ORDER BY search_last_name(name) USING ~<~ LIMIT %(limit)s)) AS begun
LIMIT %(limit)s;

-- name: records
-- Notices with whom they are to: one by its public id, or those that tell of an alarm.
SELECT n.id AS row, n.public_id AS id, n.kind, n.severity, n.state, n.count, n.text, n.why, n.schema, n.created_at,
       n.updated_at, n.resolved_at, q.name AS person, q.public_id AS person_id, u.public_id AS unit, u.printed AS serial,
       n.unit_id AS unit_row, n.person_id AS person_row, p.name AS product, p.model, n.read_at, n.acknowledged_at, n.visible_at, n.skip_reason,
       CASE WHEN n.visible_at > %(now)s THEN n.visible_at END AS held_until,
       CASE WHEN n.visible_at > %(now)s THEN n.hold_reason END AS hold_reason, n.group_key, t.told,
       c.public_id AS campaign_id
FROM notice n
JOIN person q ON q.id = n.person_id
JOIN unit u ON u.id = n.unit_id
JOIN product p ON p.id = u.product_id
LEFT JOIN campaign c ON c.id = n.campaign_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, %(language)s) t ON true
WHERE n.public_id = %(public_id)s::text
   OR n.id IN (SELECT notice_id FROM notice_alarm WHERE alarm_id = %(alarm_id)s::bigint)
ORDER BY n.id
LIMIT %(limit)s;

-- name: trail
-- What became of notices, in the order of time: each try on each channel, what was not tried, and who opened it.
WITH delivery AS (                              -- of a message about many units, those of its first notice
  SELECT n.id AS told, o.*
  FROM notice n
  JOIN outbox o ON o.notice_id = coalesce((SELECT lead.id FROM notice lead WHERE lead.public_id = n.group_key), n.id)
  WHERE n.id = ANY (%(ids)s::bigint[])
)
SELECT o.told AS notice_id, t.at, o.channel, t.outcome AS step, t.reason
FROM delivery o JOIN delivery_try t ON t.outbox_id = o.id
UNION ALL
SELECT o.told, coalesce(o.finished_at, o.claimed_at, o.due_at), o.channel, o.status, o.reason
FROM delivery o
WHERE o.channel <> 'feed'
  AND (o.status IN ('waiting', 'claimed', 'skipped') OR NOT EXISTS (SELECT FROM delivery_try t WHERE t.outbox_id = o.id))
UNION ALL
SELECT notice_id, at, channel, kind, '' FROM engagement WHERE notice_id = ANY (%(ids)s::bigint[])
ORDER BY 2
LIMIT %(limit)s;

-- name: ledger_of
-- What the stages decided about an alarm, or about what one notice tells of.
SELECT l.id, l.at, a.public_id AS alarm, c.public_id AS campaign, u.public_id AS unit, p.public_id AS person,
       n.public_id AS notice, l.outcome, l.reason, l.steps, l.schema
FROM ledger l
LEFT JOIN alarm a ON a.id = l.alarm_id
LEFT JOIN campaign c ON c.id = l.campaign_id
JOIN unit u ON u.id = coalesce(l.unit_id, a.unit_id)
LEFT JOIN person p ON p.id = l.person_id
LEFT JOIN notice n ON n.id = l.notice_id
WHERE l.alarm_id = %(alarm_id)s::bigint OR l.notice_id = %(notice_id)s::bigint
ORDER BY l.id DESC
LIMIT %(limit)s;
