-- Readings by hour and by day, with retention by product for raw readings, hours and days.

-- Buckets ---------------------------------------------------------------------------------------------------------

-- Ordinary partitions on every server: months of hours and years of days, made and dropped by the functions below.
CREATE TABLE rollup_hour (                      -- the readings of a metric of a unit in one hour
  unit_id       bigint      NOT NULL,
  begins        timestamptz NOT NULL,
  low           float8      NOT NULL,
  high          float8      NOT NULL,
  total         float8      NOT NULL,           -- of the values: by it and `readings` the mean of any span is known
  received_from timestamptz NOT NULL,           -- when the first of them was received: fences owners, as for readings
  readings      int         NOT NULL,
  metric_id     smallint    NOT NULL,
  PRIMARY KEY (unit_id, metric_id, begins)
) PARTITION BY RANGE (begins);
CREATE TABLE rollup_day (LIKE rollup_hour INCLUDING ALL) PARTITION BY RANGE (begins);  -- the same of a UTC day

-- Where rolling stands. Ingest makes the row, for only then are late readings noted; without it nothing is rolled.
CREATE TABLE rollup_mark (
  only_one     boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
  closed_to    timestamptz,                     -- ingest notes each hour before it that it writes into
  rolled_to    timestamptz,                     -- all before it is rolled; null: not begun
  rolling_to   timestamptz,                     -- the end of the span that is being rolled, within one UTC day
  after_unit   bigint      NOT NULL DEFAULT 0,  -- up to this metric of this unit the span is done
  after_metric smallint    NOT NULL DEFAULT 0,
  raw_from     timestamptz                      -- raw readings before it were dropped, of all products
);

CREATE TABLE rollup_touched (                   -- closed hours that readings were written into: to be counted again
  unit_id   bigint      NOT NULL,
  metric_id smallint    NOT NULL,
  begins    timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX rollup_touched_begins ON rollup_touched (begins);

-- Retention -------------------------------------------------------------------------------------------------------

-- How long raw readings, hours and days of a product are kept; null: as the settings say.
ALTER TABLE product ADD keep_raw interval, ADD keep_hour interval, ADD keep_day interval;

CREATE TABLE rollup_floor (                     -- from when on a product's raw readings, hours and days are kept
  product_id int         NOT NULL REFERENCES product,
  level      text        NOT NULL CHECK (level IN ('raw', 'hour', 'day')),
  kept_from  timestamptz NOT NULL,              -- written before anything is deleted; never goes back
  deleted_to timestamptz NOT NULL DEFAULT '1900-01-01',  -- all units' rows before it are deleted
  after_unit bigint      NOT NULL DEFAULT 0,    -- and those from there to `kept_from`, of units up to this one
  PRIMARY KEY (product_id, level)
);

-- Make room for the hours of a day's month and the days of its year. Attached, which does not lock out readers.
CREATE FUNCTION rollup_make_room(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  span record;
BEGIN
  FOR span IN
    SELECT parent, parent || '_' || to_char(first, pattern) AS name, first, first + width AS next
    FROM (VALUES ('rollup_hour', 'YYYYMM', date_trunc('month', day::timestamp), interval '1 month'),
                 ('rollup_day', 'YYYY', date_trunc('year', day::timestamp), interval '1 year'))
         AS v (parent, pattern, first, width)
  LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                          WHERE i.inhparent = span.parent::regclass AND c.relname = span.name);
    EXECUTE format('DROP TABLE IF EXISTS %I', span.name);  -- one that was never attached
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', span.name, span.parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', span.parent, span.name,
                   to_char(span.first, 'YYYY-MM-DD"T00:00:00Z"'), to_char(span.next, 'YYYY-MM-DD"T00:00:00Z"'));
  END LOOP;
END $$;

-- Drop the months of hours that end by one day, and the years of days that end by another; returns how many went.
CREATE FUNCTION rollup_drop_before(hours date, days date) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old text;
  gone int := 0;
BEGIN
  FOR old IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'rollup_hour'::regclass
      AND (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')::date <= hours
    UNION ALL
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'rollup_day'::regclass
      AND (to_date(right(c.relname, 4), 'YYYY') + interval '1 year')::date <= days
  LOOP
    EXECUTE format('DROP TABLE %I', old);
    gone := gone + 1;
  END LOOP;
  RETURN gone;
END $$;

-- Delete the raw readings of some units between two days: of products that keep them shorter than others do.
CREATE FUNCTION telemetry_forget(units bigint[], since timestamptz, before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  gone bigint;
BEGIN
  -- Planned for these days, so that partitions of others are left out.
  EXECUTE 'DELETE FROM telemetry WHERE unit_id = ANY ($1) AND time >= ' || quote_literal(since)
          || ' AND time < ' || quote_literal(before) USING units;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
ALTER FUNCTION telemetry_forget(bigint[], timestamptz, timestamptz) SET enable_seqscan = off;

-- Put the oldest chunk of days before `day` into TimescaleDB's columnstore; false where there is none left to put there.
-- The gateway uses none of its background policies.
CREATE FUNCTION telemetry_to_columnstore(day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  extension text := timescale_schema();
  chunk text;
BEGIN
  IF extension IS NULL OR (SELECT relkind FROM pg_class WHERE oid = 'telemetry'::regclass) = 'p' THEN
    RETURN false;
  END IF;
  SELECT format('%I.%I', c.chunk_schema, c.chunk_name) INTO chunk FROM timescaledb_information.chunks c
  WHERE c.hypertable_schema = current_schema() AND c.hypertable_name = 'telemetry' AND NOT c.is_compressed
    AND c.range_end <= to_char(day, 'YYYY-MM-DD"T00:00:00Z"')::timestamptz
  ORDER BY c.range_start LIMIT 1;
  IF chunk IS NULL THEN
    RETURN false;
  END IF;
  IF NOT (SELECT h.compression_enabled FROM timescaledb_information.hypertables h
          WHERE h.hypertable_schema = current_schema() AND h.hypertable_name = 'telemetry') THEN
    ALTER TABLE telemetry SET (timescaledb.compress, timescaledb.compress_segmentby = 'unit_id, metric_id',
                               timescaledb.compress_orderby = 'time DESC');
  END IF;
  -- Since 2.18 it has another name.
  IF EXISTS (SELECT FROM pg_proc WHERE proname = 'convert_to_columnstore' AND pronamespace = extension::regnamespace) THEN
    EXECUTE format('CALL %I.convert_to_columnstore(%L::regclass)', extension, chunk);
  ELSE
    EXECUTE format('SELECT %I.compress_chunk(%L::regclass)', extension, chunk);
  END IF;
  RETURN true;
END $$;
-- Rather try again in an hour than hold up who writes into that day.
ALTER FUNCTION telemetry_to_columnstore(date) SET lock_timeout = '500ms';
ALTER FUNCTION rollup_drop_before(date, date) SET lock_timeout = '500ms';

DO $$
DECLARE
  signature text;
BEGIN
  FOREACH signature IN ARRAY '{"rollup_make_room(date)", "rollup_drop_before(date, date)",
    "telemetry_forget(bigint[], timestamptz, timestamptz)", "telemetry_to_columnstore(date)"}'::text[]
  LOOP
    -- What they name is looked up here and nowhere else, whatever the caller's own search path says.
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', signature);
  END LOOP;
END $$;
