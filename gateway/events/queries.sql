-- name: append
-- Add one event to the log, in the caller's transaction.
INSERT INTO event (kind, actor, unit_id, person_id, data) VALUES (%(kind)s, %(actor)s, %(unit_id)s, %(person_id)s, %(data)s);

-- name: read
-- Events behind a position, oldest first, and only where no older transaction can still commit.
SELECT e.xid::text::bigint AS xid, e.id, e.at, e.kind, e.actor, e.unit_id, e.person_id, e.data,
       u.public_id AS unit, p.public_id AS person
FROM event e
LEFT JOIN unit u ON u.id = e.unit_id
LEFT JOIN person p ON p.id = e.person_id
WHERE (e.xid, e.id) > (%(xid)s::text::xid8, %(id)s)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.id
LIMIT %(limit)s;

-- name: behind
-- Whether any event stands behind a position, readable or not yet.
SELECT FROM event WHERE (xid, id) > (%(xid)s::text::xid8, %(id)s) LIMIT 1;

-- name: end
-- The position of the newest readable event.
SELECT xid::text::bigint AS xid, id FROM event
WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY event.xid DESC, event.id DESC
LIMIT 1;

-- name: register_reader
-- Begin a named reader at the start of the log, unless it is known.
INSERT INTO event_reader (name, xid, id) VALUES (%(name)s, '0', 0) ON CONFLICT (name) DO NOTHING;

-- name: lock_reader
-- A reader's place, held against a second process with the same name until the transaction ends.
SELECT xid::text::bigint AS xid, id FROM event_reader WHERE name = %(name)s FOR UPDATE;

-- name: advance_reader
-- Note how far a reader got, in the transaction of what it did.
UPDATE event_reader SET xid = %(xid)s::text::xid8, id = %(id)s WHERE name = %(name)s;

-- name: unread
-- How many events a reader has not had, counted to a limit, and the age of the oldest in seconds.
SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS age_s
FROM (SELECT e.at FROM event e
      WHERE (e.xid, e.id) > (SELECT coalesce(max(r.xid), '0'), coalesce(max(r.id), 0) FROM event_reader r
                             WHERE r.name = %(name)s)
      ORDER BY e.xid, e.id LIMIT %(limit)s) AS waiting;
