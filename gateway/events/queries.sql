-- name: append
-- Add one event to the log, in the caller's transaction; a trigger queues it for its place.
INSERT INTO event (kind, actor, unit_id, person_id, data) VALUES (%(kind)s, %(actor)s, %(unit_id)s, %(person_id)s, %(data)s);

-- name: append_rows
-- Add events, in the order of the rows.
INSERT INTO event (kind, actor, unit_id, person_id, data)
SELECT r.kind, %(actor)s, r.unit_id, r.person_id, r.data
FROM ROWS FROM (json_to_recordset(%(rows)s) AS (kind text, unit_id bigint, person_id bigint, data jsonb))
     WITH ORDINALITY AS r (kind, unit_id, person_id, data, line)
ORDER BY r.line;

-- name: place
-- Give committed events their places, up to a limit.
SELECT event_turn(%(limit)s) AS placed;

-- name: read
-- Events after a place, in the order of places; LIMIT 1 forces a look-up by key in the event's month only.
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

-- name: read_kinds
-- The same of some kinds only, up to a place.
SELECT s.place, e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data, e.unit, e.person
FROM event_place s
CROSS JOIN LATERAL (
  SELECT e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data,
         (SELECT u.public_id FROM unit u WHERE u.id = e.unit_id) AS unit,
         (SELECT p.public_id FROM person p WHERE p.id = e.person_id) AS person
  FROM event e WHERE e.id = s.event_id AND e.at = s.at AND e.kind = ANY (%(kinds)s::text[]) LIMIT 1) AS e
WHERE s.place > %(place)s AND s.place <= %(last)s
ORDER BY s.place;

-- name: next_places
-- How many places there are behind one, counted to a limit, and the last of them.
SELECT count(*) AS events, max(place) AS last
FROM (SELECT place FROM event_place WHERE place > %(place)s ORDER BY place LIMIT %(limit)s) AS next;

-- name: read_one
-- The event at a place; no row once it is dropped.
SELECT s.place, e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data, e.unit, e.person
FROM event_place s
CROSS JOIN LATERAL (
  SELECT e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data,
         (SELECT u.public_id FROM unit u WHERE u.id = e.unit_id) AS unit,
         (SELECT p.public_id FROM person p WHERE p.id = e.person_id) AS person
  FROM event e WHERE e.id = s.event_id AND e.at = s.at LIMIT 1) AS e
WHERE s.place = %(place)s;

-- name: end
-- The highest place.
SELECT place FROM event_place ORDER BY place DESC LIMIT 1;

-- name: register_reader
-- Create a named reader that begins at the start of the log, unless it exists.
INSERT INTO event_reader (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING;

-- name: lock_reader
-- A reader's place, locked against another process of the same reader until the transaction ends.
SELECT place FROM event_reader WHERE name = %(name)s FOR UPDATE;

-- name: advance_reader
-- Store a reader's new place, in the transaction that handles the events.
UPDATE event_reader SET place = %(place)s WHERE name = %(name)s;

-- name: unread
-- The number of events that a reader has not read, up to a limit, and since when the first could be read.
SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(placed_at)), 0)::float8 AS age_s
FROM (SELECT placed_at FROM event_place
      WHERE place > (SELECT coalesce(max(place), 0) FROM event_reader WHERE name = %(name)s)
      ORDER BY place LIMIT %(limit)s) AS unread;

-- name: waiting
-- The number of committed events without a place, up to a limit, and the lowest of their ids.
SELECT count(*) AS events, min(event_id) AS first FROM (SELECT event_id FROM event_waiting LIMIT %(limit)s) AS waiting;

-- name: make_months
-- Make the partitions of this month and of the next ones, by the database's clock, which also stamps events.
SELECT event_make_month((date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date)
FROM generate_series(0, %(ahead)s::int) AS n;

-- name: last_month
-- The first day of the last month with a partition.
SELECT max(to_date(right(c.relname, 6), 'YYYYMM')) AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass;

-- name: drop_before
-- Drop the complete months before a day, unless a reader still needs them.
SELECT event_drop_before(%(day)s) AS months;

-- name: drop_places
-- Delete the places of dropped events from before a time, among the next places after one.
WITH next AS (SELECT place, at FROM event_place WHERE place > %(after)s ORDER BY place LIMIT %(limit)s),
deleted AS (DELETE FROM event_place p USING next n WHERE p.place = n.place AND n.at < %(before)s RETURNING 1)
SELECT (SELECT count(*) FROM deleted) AS deleted, (SELECT max(place) FROM next) AS last;

-- name: oldest_month
-- The first day of the oldest month that is kept.
SELECT min(to_date(right(c.relname, 6), 'YYYYMM')) AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass;

-- name: keep_dead_letter
-- Store that a reader could not handle an event, and when it tries again.
INSERT INTO event_dead_letter (reader, place, at, attempts, error, first_failed_at, last_failed_at, next_try_at)
VALUES (%(reader)s, %(place)s, %(at)s, %(attempts)s, %(error)s, %(now)s, %(now)s, %(next_try_at)s)
ON CONFLICT (reader, place) DO UPDATE
SET attempts = excluded.attempts, error = excluded.error, last_failed_at = excluded.last_failed_at,
    next_try_at = excluded.next_try_at;

-- name: give_up_dead_letters
-- Delete the oldest of a reader's dead letters beyond a number.
DELETE FROM event_dead_letter
WHERE reader = %(reader)s
  AND place IN (SELECT place FROM event_dead_letter WHERE reader = %(reader)s ORDER BY place DESC OFFSET %(keep)s)
RETURNING place, attempts;

-- name: due_dead_letters
-- A reader's dead letters that are due, locked until the transaction ends.
SELECT place, attempts FROM event_dead_letter
WHERE reader = %(reader)s AND next_try_at <= %(now)s
ORDER BY place LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: settle_dead_letter
-- Delete a dead letter that was handled.
DELETE FROM event_dead_letter WHERE reader = %(reader)s AND place = %(place)s;

-- name: dead_letters
-- Dead letters with their events, the newest event first.
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
-- The number of dead letters.
SELECT count(*) AS letters FROM event_dead_letter;

-- name: retry_dead_letters
-- Make dead letters due now: some, or all.
UPDATE event_dead_letter SET next_try_at = %(now)s
WHERE %(places)s::bigint[] IS NULL OR place = ANY (%(places)s::bigint[]);
