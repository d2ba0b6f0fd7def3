-- A store with a past: days that are missing are made beside the stream, charts are read by ids, and TimescaleDB may be
-- installed in any schema.

-- Readings of days that have no room yet ------------------------------------------------------------------------

CREATE TABLE telemetry_waiting (                -- stored and judged; ingest moves them to their day within seconds
  time        timestamptz NOT NULL,
  unit_id     bigint      NOT NULL,
  metric_id   smallint    NOT NULL,
  value       float8      NOT NULL,
  received_at timestamptz NOT NULL,
  late        boolean     NOT NULL
);
CREATE UNIQUE INDEX telemetry_waiting_key ON telemetry_waiting (unit_id, metric_id, time DESC);
CREATE INDEX telemetry_waiting_time ON telemetry_waiting (time);

-- The maintenance calls -----------------------------------------------------------------------------------------

-- The schema of the extension timescaledb in this database; null where it is not installed.
CREATE FUNCTION timescale_schema() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'timescaledb'
$$;

-- Forget the raw readings of the UTC days before `day`; returns the number of days (or chunks) that went.
CREATE OR REPLACE FUNCTION telemetry_drop_before(day date) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old text;
  gone bigint := 0;
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = 'telemetry'::regclass) <> 'p' THEN
    -- The search path of this function has our schema only; the extension may be in another.
    EXECUTE format('SELECT count(*) FROM %I.drop_chunks(%L::regclass, %L::timestamptz)', timescale_schema(),
                   'telemetry'::regclass, to_char(day, 'YYYY-MM-DD"T00:00:00Z"')) INTO gone;
    RETURN gone;
  END IF;
  FOR old IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'telemetry'::regclass AND to_date(right(c.relname, 8), 'YYYYMMDD') < day
  LOOP
    EXECUTE format('DROP TABLE %I', old);
    gone := gone + 1;
  END LOOP;
  RETURN gone;
END $$;

DO $$
BEGIN
  -- Replacing a function drops its settings. Its rights stay as they were granted.
  EXECUTE format('ALTER FUNCTION telemetry_drop_before(date) SET search_path = %I, pg_temp', current_schema());
END $$;

-- What owners read, by ids --------------------------------------------------------------------------------------

CREATE VIEW my_metric WITH (security_barrier) AS -- the numbers by which readings of the person's units are looked up
SELECT u.public_id AS unit, m.name AS metric, l.unit_id, l.metric_id
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN latest l ON l.unit_id = o.unit_id
JOIN metric m ON m.id = l.metric_id;

-- By numbers, which lead straight to the key and to the days that are asked for; as before, measured while the unit was
-- the person's, and not received before.
CREATE OR REPLACE VIEW my_reading WITH (security_barrier) AS
SELECT u.public_id AS unit, m.name AS metric, t.time, t.value, t.unit_id, t.metric_id
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN telemetry t ON t.unit_id = o.unit_id AND t.time >= o.since AND t.time < o.until AND t.received_at >= o.since
JOIN metric m ON m.id = t.metric_id;

GRANT SELECT ON my_metric TO gateway_owner;

-- Lists of one unit ---------------------------------------------------------------------------------------------

CREATE INDEX alarm_unit ON alarm (unit_id, id);
