-- name: create
-- Create a job that the creating process runs.
INSERT INTO job (public_id, kind, state, actor, arguments, phase, lease_owner, lease_until, started_at)
VALUES (%(public_id)s, %(kind)s, 'running', %(actor)s, %(arguments)s, %(phase)s, %(owner)s,
        clock_timestamp() + %(lease)s, clock_timestamp())
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts;

-- name: take
-- Take the oldest job that waits, that has lost its process, or that is over but not tidied up.
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
-- Renew the lease of a job with the progress of its turn. Returns whether the job is to be cancelled.
UPDATE job SET lease_until = clock_timestamp() + %(lease)s, done = %(done)s, total = coalesce(%(total)s, total)
WHERE id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING cancel_asked;

-- name: advance
-- Store a job's place after a turn, in the turn's transaction, if this process still has the job.
UPDATE job
SET phase = coalesce(%(phase)s, phase), place = %(place)s, done = %(done)s, total = %(total)s,
    result = coalesce(%(result)s, result), error = NULL, attempts = 0,
    lease_until = clock_timestamp() + %(lease)s,
    state = CASE WHEN %(phase)s::text IS NULL THEN 'done' ELSE state END,
    finished_at = CASE WHEN %(phase)s::text IS NULL THEN clock_timestamp() END
WHERE id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts, cancel_asked;

-- name: finish
-- End a job of this process as failed or cancelled, with the error.
UPDATE job SET state = %(state)s, error = %(error)s, finished_at = clock_timestamp()
WHERE id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING id, public_id, kind, state, actor, arguments, phase, place, done, total, result, error, attempts;

-- name: leave
-- Release a job for another process, now or after a pause, with the error of its turn.
UPDATE job SET lease_owner = NULL, lease_until = clock_timestamp() + %(pause)s, error = coalesce(%(error)s, error)
WHERE id = %(id)s AND lease_owner = %(owner)s;

-- name: tidied
-- Store that a job has no staged rows any more.
UPDATE job SET is_tidy = true, lease_owner = NULL, lease_until = NULL
WHERE id = %(id)s AND lease_owner = %(owner)s AND finished_at IS NOT NULL;

-- name: newest
-- The newest jobs.
SELECT public_id, kind, state, actor, arguments, phase, done, total, result, error, created_at, finished_at, cancel_asked,
       coalesce(lease_until < clock_timestamp(), false) AS is_left
FROM job ORDER BY id DESC LIMIT %(limit)s;

-- name: ask_to_cancel
-- Ask the process that runs a job to cancel it.
UPDATE job SET cancel_asked = true WHERE public_id = %(public_id)s AND finished_at IS NULL RETURNING kind, phase;

-- name: state
-- The state of a job.
SELECT state FROM job WHERE public_id = %(public_id)s;

-- name: forget
-- Delete jobs that ended before a time.
DELETE FROM job WHERE id IN (
  SELECT id FROM job WHERE is_tidy AND finished_at < %(before)s ORDER BY finished_at LIMIT %(limit)s);
