-- name: create
-- Begin a job that the process which creates it runs itself.
INSERT INTO job (public_id, kind, state, actor, arguments, phase, lease_owner, lease_until, started_at)
VALUES (%(public_id)s, %(kind)s, 'running', %(actor)s, %(arguments)s, %(phase)s, %(owner)s,
        clock_timestamp() + %(lease)s, clock_timestamp())
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts;

-- name: take
-- Take up the oldest job that waits, whose process is gone, or that is over and not tidied up.
UPDATE job
SET lease_owner = %(owner)s, lease_until = clock_timestamp() + %(lease)s, attempts = attempts + 1,
    state = CASE state WHEN 'waiting' THEN 'running' ELSE state END,
    started_at = coalesce(started_at, clock_timestamp())
WHERE id = (SELECT id FROM job
            WHERE NOT is_tidy AND (lease_until IS NULL OR lease_until < clock_timestamp())
              AND kind = ANY (%(kinds)s::text[])
            ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts;

-- name: renew
-- Keep a job that this process runs, say how far its turn is, and hear whether it is to be cancelled.
UPDATE job SET lease_until = clock_timestamp() + %(lease)s, done = %(done)s, total = coalesce(%(total)s, total)
WHERE id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING cancel_asked;

-- name: advance
-- Note where a job stands after a turn, in the turn's transaction, as long as this process has it.
UPDATE job
SET phase = coalesce(%(phase)s, phase), place = %(place)s, done = %(done)s, total = %(total)s,
    result = coalesce(%(result)s, result), error = NULL, attempts = 0,
    lease_until = clock_timestamp() + %(lease)s,
    state = CASE WHEN %(phase)s::text IS NULL THEN 'done' ELSE state END,
    finished_at = CASE WHEN %(phase)s::text IS NULL THEN clock_timestamp() END
WHERE id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts, cancel_asked;

-- name: finish
-- End a job that this process has, failed or cancelled, and say why.
UPDATE job SET state = %(state)s, error = %(error)s, finished_at = clock_timestamp()
WHERE id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts;

-- name: leave
-- Leave a job to whoever takes it up, at once or after a while; and why its turn failed.
UPDATE job SET lease_owner = NULL, lease_until = clock_timestamp() + %(pause)s, error = coalesce(%(error)s, error)
WHERE id = %(id)s AND lease_owner = %(owner)s;

-- name: tidied
-- Note that nothing is left of what a job staged.
UPDATE job SET is_tidy = true, lease_owner = NULL, lease_until = NULL
WHERE id = %(id)s AND lease_owner = %(owner)s AND finished_at IS NOT NULL;

-- name: newest
-- The newest jobs.
SELECT public_id, kind, state, actor, arguments, phase, done, total, result, error, created_at, finished_at, cancel_asked,
       coalesce(lease_until < clock_timestamp(), false) AS is_left
FROM job ORDER BY id DESC LIMIT %(limit)s;

-- name: ask_to_cancel
-- Have the process that runs a job cancel it.
UPDATE job SET cancel_asked = true WHERE public_id = %(public_id)s AND finished_at IS NULL RETURNING kind, phase;

-- name: state
-- How a job ended, or that it has not.
SELECT state FROM job WHERE public_id = %(public_id)s;

-- name: forget
-- Forget jobs that ended before a moment.
DELETE FROM job WHERE id IN (
  SELECT id FROM job WHERE is_tidy AND finished_at < %(before)s ORDER BY finished_at LIMIT %(limit)s);
