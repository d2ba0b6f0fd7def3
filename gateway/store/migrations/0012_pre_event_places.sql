-- The event log by months, and each event's place: given after its commit, in short turns, whatever else runs.

-- A log that is large takes its time to be copied; nobody reads it meanwhile.
SET LOCAL statement_timeout = '1h';

-- The log by months ---------------------------------------------------------------------------------------------

ALTER TABLE event RENAME TO event_former;
ALTER TABLE event_former RENAME CONSTRAINT event_pkey TO event_former_pkey;
CREATE SEQUENCE event_number;

CREATE TABLE event (                            -- every domain event, once, append-only; ids only, no names, no addresses
  id        bigint      NOT NULL DEFAULT nextval('event_number'),
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind      text        NOT NULL,
  actor     text        NOT NULL,               -- gateway, cli, or a person's public id
  unit_id   bigint,
  person_id bigint,
  data      jsonb       NOT NULL,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- Make room for the events of one UTC month. Partitions are attached, which locks out neither readers nor writers.
CREATE FUNCTION event_make_month(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  first date := date_trunc('month', day::timestamp)::date;
  name text := 'event_' || to_char(day, 'YYYYMM');
BEGIN
  PERFORM pg_advisory_xact_lock(7402206);         -- two roles may want the same month at once
  IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'event'::regclass AND c.relname = name) THEN
    RETURN;
  END IF;
  EXECUTE format('DROP TABLE IF EXISTS %I', name);  -- one that was never attached
  EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', name);
  EXECUTE format('CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I'
                 ' FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()', name);
  EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                 to_char(first, 'YYYY-MM-DD"T00:00:00Z"'),
                 to_char(first + interval '1 month', 'YYYY-MM-DD"T00:00:00Z"'));
END $$;

-- Places ----------------------------------------------------------------------------------------------------------

CREATE TABLE event_place (                      -- the order that readers follow; a number may be left out
  place     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id  bigint      NOT NULL,
  at        timestamptz NOT NULL,               -- the event's: it names the month to look in
  placed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE event_waiting (                    -- events without a place: written with them, gone when they get it
  xid      xid8        NOT NULL DEFAULT pg_current_xact_id(),
  event_id bigint      NOT NULL,
  at       timestamptz NOT NULL,
  PRIMARY KEY (xid, event_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE FUNCTION event_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_waiting (event_id, at) SELECT id, at FROM added;
  RETURN NULL;
END $$;

-- Give the events that were committed until now their places, at most `most` of them; returns how many there were.
--
-- The lock is held to the end of the transaction, and the statement behind it has a snapshot of its own: so whoever sees
-- a place sees all lower ones. Called outside of a transaction, it is one round trip, and no client can hold it up.
--
-- What was deleted stays in the index for as long as any snapshot of this database is old. So the session remembers the
-- snapshot in which it found nothing waiting, and looks for transactions that ended since: those which that snapshot
-- does not know, and those which it knows as running and which run no more. A new session looks at everything.
-- All of it as of one snapshot: what ends while we look is left to the next turn, or it could come before what it followed.
CREATE FUNCTION event_turn(most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  now_seen pg_snapshot := pg_current_snapshot();  -- older than what the statements below see, never newer
  has_written boolean := pg_current_xact_id_if_assigned() IS NOT NULL;
  empty pg_snapshot := nullif(current_setting('gateway.no_event_waited', true), '')::pg_snapshot;
  later xid8 := coalesce(pg_snapshot_xmax(empty), '0');
  ended xid8[] := ARRAY(SELECT pg_snapshot_xip(empty) EXCEPT SELECT pg_snapshot_xip(now_seen));
  placed int := 0;
BEGIN
  IF EXISTS (SELECT FROM event_waiting WHERE xid >= later) OR EXISTS (SELECT FROM event_waiting WHERE xid = ANY (ended))
  THEN
    PERFORM pg_advisory_xact_lock(7402205);
    now_seen := pg_current_snapshot();
    ended := ARRAY(SELECT pg_snapshot_xip(empty) EXCEPT SELECT pg_snapshot_xip(now_seen));
    WITH taken AS (
      DELETE FROM event_waiting WHERE ctid = ANY (ARRAY(
        SELECT w.ctid FROM (SELECT ctid, xid, event_id FROM event_waiting WHERE xid >= later
                            UNION ALL
                            SELECT ctid, xid, event_id FROM event_waiting WHERE xid = ANY (ended)) AS w
        WHERE pg_visible_in_snapshot(w.xid, now_seen)
           OR w.xid >= pg_snapshot_xmax(pg_current_snapshot())  -- seen, and yet to come: of a dump from another cluster
        ORDER BY w.xid, w.event_id LIMIT most))
      RETURNING xid, event_id, at),
    given AS (
      INSERT INTO event_place (event_id, at) SELECT event_id, at FROM taken ORDER BY xid, event_id RETURNING 1)
    SELECT count(*) INTO placed FROM given;
  END IF;
  IF placed < most AND NOT has_written THEN       -- else what this transaction goes on to write would be passed over
    PERFORM set_config('gateway.no_event_waited', now_seen::text, false);
  END IF;
  RETURN placed;
END $$;

-- Readers ---------------------------------------------------------------------------------------------------------

ALTER TABLE event_reader ADD place bigint NOT NULL DEFAULT 0;

-- What there is keeps its order, and readers their places in it.
DO $$
DECLARE
  month date;
BEGIN
  FOR month IN
    SELECT generate_series(date_trunc('month', least((SELECT min(at) FROM event_former), now()) AT TIME ZONE 'UTC'),
                           now() AT TIME ZONE 'UTC' + interval '3 months', interval '1 month')::date
  LOOP
    PERFORM event_make_month(month);
  END LOOP;
END $$;

INSERT INTO event (id, at, kind, actor, unit_id, person_id, data)
SELECT id, at, kind, actor, unit_id, person_id, data FROM event_former;
SELECT setval('event_number', greatest(max(id), 1), max(id) IS NOT NULL) FROM event_former;
INSERT INTO event_place (event_id, at, placed_at) SELECT id, at, at FROM event_former ORDER BY xid, id;
UPDATE event_reader r
SET place = (SELECT count(*) FROM event_former e WHERE (e.xid, e.id) <= (r.xid, r.id));
ALTER TABLE event_reader DROP xid, DROP id;
DROP TABLE event_former;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only();
CREATE TRIGGER event_waits AFTER INSERT ON event
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION event_waits();

-- Forgetting ------------------------------------------------------------------------------------------------------

CREATE TABLE event_dead_letter (                -- events that a reader could not handle, and tries again
  reader          text        NOT NULL,
  place           bigint      NOT NULL,
  at              timestamptz NOT NULL,         -- the event's: its month stays
  attempts        int         NOT NULL DEFAULT 1,
  error           text        NOT NULL,
  first_failed_at timestamptz NOT NULL,
  last_failed_at  timestamptz NOT NULL,
  next_try_at     timestamptz NOT NULL,
  PRIMARY KEY (reader, place)
);
CREATE INDEX event_dead_letter_due ON event_dead_letter (reader, next_try_at);

-- Drop the months that end by `day`, the oldest first and up to the first that somebody needs: a reader that has not
-- read it, an event without a place, a dead letter. Returns how many went.
CREATE FUNCTION event_drop_before(day date) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  month record;
  needed timestamptz := least(
    (SELECT min(p.at) FROM event_place p WHERE p.place > (SELECT min(place) FROM event_reader)),
    (SELECT min(at) FROM event_waiting),
    (SELECT min(at) FROM event_dead_letter),
    to_char(day, 'YYYY-MM-DD"T00:00:00Z"')::timestamptz);
  gone int := 0;
BEGIN
  FOR month IN
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'event'::regclass
      AND (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month') AT TIME ZONE 'UTC' <= needed
    ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE %I', month.name);
    gone := gone + 1;
  END LOOP;
  RETURN gone;
END $$;

DO $$
BEGIN
  -- What they name is looked up here and nowhere else, whatever the caller's own search path says.
  EXECUTE format('ALTER FUNCTION event_make_month(date) SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION event_drop_before(date) SET search_path = %I, pg_temp', current_schema());
END $$;
-- Rather try again in an hour than hold up who appends: dropping waits for every transaction that has read the log.
ALTER FUNCTION event_drop_before(date) SET lock_timeout = '500ms';
-- Whoever holds the lock does one statement: longer than this is a fault, and is said.
ALTER FUNCTION event_turn(int) SET lock_timeout = '5s';
ALTER FUNCTION event_turn(int) SET enable_seqscan = off;  -- a table of dead rows looks small to the planner

REVOKE EXECUTE ON FUNCTION event_make_month(date), event_drop_before(date) FROM PUBLIC;
