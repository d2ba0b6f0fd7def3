-- name: earlier
-- The last notice of a rule and unit to a person, held until the transaction ends.
SELECT id, public_id, severity, state, updated_at FROM notice
WHERE person_id = %(person_id)s AND unit_id = %(unit_id)s AND rule_id = %(rule_id)s
ORDER BY created_at DESC LIMIT 1 FOR UPDATE;

-- name: answered
-- Whether the stages answered to an alarm already.
SELECT EXISTS (SELECT FROM ledger WHERE alarm_id = %(alarm_id)s) AS answered;

-- name: told_since
-- When a person was or will be told something, from a moment on.
SELECT o.due_at FROM outbox o JOIN notice n ON n.id = o.notice_id
WHERE n.person_id = %(person_id)s AND o.status IN ('waiting', 'delivered') AND o.due_at > %(since)s
ORDER BY o.due_at;

-- name: insert_notice
-- Write a feed item.
INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why, created_at, updated_at)
VALUES (%(public_id)s, %(person_id)s, %(unit_id)s, %(rule_id)s, %(severity)s, 'open', %(text)s, %(why)s, %(now)s,
        %(now)s)
RETURNING id;

-- name: join_notice
-- Let one more alarm join a notice: it is open (again), and counts one more.
UPDATE notice SET state = 'open', resolved_at = NULL, count = count + 1, why = %(why)s, updated_at = %(now)s
WHERE id = %(id)s
RETURNING count;

-- name: link_alarm
-- Note which alarm a notice tells of.
INSERT INTO notice_alarm (notice_id, alarm_id, person_id) VALUES (%(notice_id)s, %(alarm_id)s, %(person_id)s);

-- name: insert_outbox
-- Have a notice sent on a channel.
INSERT INTO outbox (notice_id, channel, due_at, reason) VALUES (%(notice_id)s, %(channel)s, %(due_at)s, %(reason)s);

-- name: send_after_all
-- Have a notice sent that was open again after its delivery had been skipped.
UPDATE outbox SET status = 'waiting', due_at = %(now)s, reason = %(reason)s, finished_at = NULL
WHERE notice_id = %(notice_id)s AND status = 'skipped';

-- name: insert_ledger
-- Write what the stages answered to an alarm.
INSERT INTO ledger (at, alarm_id, person_id, notice_id, outcome, reason, steps)
VALUES (%(at)s, %(alarm_id)s, %(person_id)s, %(notice_id)s, %(outcome)s, %(reason)s, %(steps)s);

-- name: resolve
-- Resolve the open notices of a cleared alarm whose other alarms are cleared too.
UPDATE notice n SET state = 'resolved', resolved_at = %(now)s, updated_at = %(now)s, why = n.why || %(why)s
FROM notice_alarm na
WHERE na.alarm_id = %(alarm_id)s AND n.id = na.notice_id AND n.state = 'open'
  AND NOT EXISTS (SELECT FROM notice_alarm other JOIN alarm a ON a.id = other.alarm_id
                  WHERE other.notice_id = n.id AND a.cleared_at IS NULL)
RETURNING n.public_id, n.person_id, n.unit_id, n.text;

-- name: due
-- Deliveries that are due, each taken by one worker only.
SELECT o.id, o.channel, o.due_at, n.public_id, n.person_id, n.unit_id, n.state, n.severity, n.text, n.why
FROM outbox o JOIN notice n ON n.id = o.notice_id
WHERE o.status = 'waiting' AND o.due_at <= %(now)s
ORDER BY o.due_at, o.id
LIMIT %(limit)s
FOR UPDATE OF o SKIP LOCKED;

-- name: finish
-- Note how a delivery ended.
UPDATE outbox SET status = %(status)s, reason = %(reason)s, finished_at = %(now)s WHERE id = %(id)s;

-- name: feed
-- Notices below a number, the newest first.
SELECT n.id AS row, n.public_id AS id, n.severity, n.state, n.count, n.text, n.why, n.created_at, n.updated_at,
       n.resolved_at, p.name AS person, u.public_id AS unit, u.printed AS serial, pr.name AS product, pr.model,
       o.due_at AS held_until, o.reason AS hold_reason
FROM notice n
JOIN person p ON p.id = n.person_id
JOIN unit u ON u.id = n.unit_id
JOIN product pr ON pr.id = u.product_id
LEFT JOIN outbox o ON o.notice_id = n.id AND o.status = 'waiting' AND o.due_at > now()
WHERE n.id < %(before)s
ORDER BY n.id DESC
LIMIT %(limit)s;

-- name: ledger
-- What the stages answered, the newest first.
SELECT l.id, l.at, a.public_id AS alarm, p.public_id AS person, n.public_id AS notice, l.outcome, l.reason, l.steps
FROM ledger l
JOIN alarm a ON a.id = l.alarm_id
LEFT JOIN person p ON p.id = l.person_id
LEFT JOIN notice n ON n.id = l.notice_id
WHERE l.id < %(before)s
ORDER BY l.id DESC
LIMIT %(limit)s;
