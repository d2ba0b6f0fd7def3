-- name: append
-- Add one event to the log, in the caller's transaction; a trigger lets it wait for its place.
INSERT INTO event (kind, actor, unit_id, person_id, data) VALUES (%(kind)s, %(actor)s, %(unit_id)s, %(person_id)s, %(data)s);

-- name: append_rows
-- Add an event for each unit, in the order given.
INSERT INTO event (kind, actor, unit_id, person_id, data)
SELECT r.kind, %(actor)s, r.unit_id, r.person_id, r.data
FROM unnest(%(kinds)s::text[], %(unit_ids)s::bigint[], %(person_ids)s::bigint[], %(data)s::jsonb[]) WITH ORDINALITY
     AS r (kind, unit_id, person_id, data, line)
ORDER BY r.line;

-- name: place
-- Give the events that were committed until now their places, at most so many.
SELECT event_turn(%(limit)s) AS placed;

-- name: read
-- Events behind a place, in the one order; LIMIT 1 has each looked up by its key, in its own month only.
SELECT s.place, e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data, e.unit, e.person
FROM event_place s
CROSS JOIN LATERAL (
  SELECT e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data,
         (SELECT u.public_id FROM unit u WHERE u.id = e.unit_id) AS unit,
         (SELECT p.public_id FROM person p WHERE p.id = e.person_id) AS person
  FROM event e WHERE e.id = s.event_id AND e.at = s.at LIMIT 1) AS e
WHERE s.place > %(place)s
ORDER BY s.place
LIMIT %(limit)s;

-- name: read_one
-- The event at a place, if it is still kept.
SELECT s.place, e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data, e.unit, e.person
FROM event_place s
CROSS JOIN LATERAL (
  SELECT e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data,
         (SELECT u.public_id FROM unit u WHERE u.id = e.unit_id) AS unit,
         (SELECT p.public_id FROM person p WHERE p.id = e.person_id) AS person
  FROM event e WHERE e.id = s.event_id AND e.at = s.at LIMIT 1) AS e
WHERE s.place = %(place)s;

-- name: end
-- The highest place that was given.
SELECT place FROM event_place ORDER BY place DESC LIMIT 1;

-- name: register_reader
-- Begin a named reader at the start of the log, unless it is known.
INSERT INTO event_reader (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING;

-- name: lock_reader
-- A reader's place, held against a second process with the same name until the transaction ends.
SELECT place FROM event_reader WHERE name = %(name)s FOR UPDATE;

-- name: advance_reader
-- Note how far a reader got, in the transaction of what it did.
UPDATE event_reader SET place = %(place)s WHERE name = %(name)s;

-- name: unread
-- How many events a reader has not had, counted to a limit, and for how long the first of them could be read.
SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(placed_at)), 0)::float8 AS age_s
FROM (SELECT placed_at FROM event_place
      WHERE place > (SELECT coalesce(max(place), 0) FROM event_reader WHERE name = %(name)s)
      ORDER BY place LIMIT %(limit)s) AS unread;

-- name: waiting
-- How many committed events have no place yet, counted to a limit, and the lowest of them.
SELECT count(*) AS events, min(event_id) AS first FROM (SELECT event_id FROM event_waiting LIMIT %(limit)s) AS waiting;

-- name: make_months
-- Make room for the events of this month and of so many behind it, by the clock that stamps them.
SELECT event_make_month((date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date)
FROM generate_series(0, %(ahead)s::int) AS n;

-- name: last_month
-- The begin of the last month that there is room for.
SELECT max(to_date(right(c.relname, 6), 'YYYYMM')) AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass;

-- name: drop_before
-- Drop the whole months before a day that nobody needs any more.
SELECT event_drop_before(%(day)s) AS months;

-- name: drop_places
-- Forget the places, of the next so many behind one, of events that are older than a moment and were dropped.
WITH next AS (SELECT place, at FROM event_place WHERE place > %(after)s ORDER BY place LIMIT %(limit)s),
gone AS (DELETE FROM event_place p USING next n WHERE p.place = n.place AND n.at < %(before)s RETURNING 1)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT max(place) FROM next) AS last;

-- name: oldest_month
-- Where the kept log begins.
SELECT min(to_date(right(c.relname, 6), 'YYYYMM')) AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass;

-- name: keep_dead_letter
-- Note that a reader could not handle an event, and when it tries again.
INSERT INTO event_dead_letter (reader, place, at, attempts, error, first_failed_at, last_failed_at, next_try_at)
VALUES (%(reader)s, %(place)s, %(at)s, %(attempts)s, %(error)s, %(now)s, %(now)s, %(next_try_at)s)
ON CONFLICT (reader, place) DO UPDATE
SET attempts = excluded.attempts, error = excluded.error, last_failed_at = excluded.last_failed_at,
    next_try_at = excluded.next_try_at;

-- name: give_up_dead_letters
-- Drop the oldest of a reader's dead letters where there are more than are kept.
DELETE FROM event_dead_letter
WHERE reader = %(reader)s
  AND place IN (SELECT place FROM event_dead_letter WHERE reader = %(reader)s ORDER BY place DESC OFFSET %(keep)s)
RETURNING place, attempts;

-- name: due_dead_letters
-- A reader's dead letters that are due, held until the transaction ends.
SELECT place, attempts FROM event_dead_letter
WHERE reader = %(reader)s AND next_try_at <= %(now)s
ORDER BY place LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: settle_dead_letter
-- Forget a dead letter that was handled.
DELETE FROM event_dead_letter WHERE reader = %(reader)s AND place = %(place)s;

-- name: dead_letters
-- Dead letters with what they are about, the newest event first.
SELECT d.place, d.reader, d.at, d.attempts, d.error, d.first_failed_at, d.last_failed_at, d.next_try_at,
       e.kind, (SELECT u.public_id FROM unit u WHERE u.id = e.unit_id) AS unit,
       (SELECT p.public_id FROM person p WHERE p.id = e.person_id) AS person
FROM event_dead_letter d
LEFT JOIN LATERAL (
  SELECT e.kind, e.unit_id, e.person_id FROM event e
  WHERE e.id = (SELECT s.event_id FROM event_place s WHERE s.place = d.place) AND e.at = d.at LIMIT 1) AS e ON true
WHERE d.place < %(before)s
ORDER BY d.place DESC
LIMIT %(limit)s;

-- name: count_dead_letters
-- How many events wait for another try.
SELECT count(*) AS letters FROM event_dead_letter;

-- name: retry_dead_letters
-- Let dead letters be due at once: these, or all.
UPDATE event_dead_letter SET next_try_at = %(now)s
WHERE %(places)s::bigint[] IS NULL OR place = ANY (%(places)s::bigint[]);
