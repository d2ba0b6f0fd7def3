-- The roles' own DDL, as two functions that run with the rights of who migrates: so the roles' user need own nothing.
-- Neither public nor gateway_owner may call them; `gateway migrate --grant USER` lets the roles' user.

-- Make room for one UTC day. Partitions are attached, which does not lock out readers.
CREATE FUNCTION telemetry_make_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  name text := 'telemetry_' || to_char(day, 'YYYYMMDD');
BEGIN
  PERFORM pg_advisory_xact_lock(7402202);         -- two roles may want the same day at once
  IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'telemetry'::regclass AND c.relname = name) THEN
    RETURN;
  END IF;
  EXECUTE format('DROP TABLE IF EXISTS %I', name);  -- one that was never attached
  EXECUTE format('CREATE TABLE %I (LIKE telemetry INCLUDING ALL)', name);
  EXECUTE format('ALTER TABLE telemetry ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                 to_char(day, 'YYYY-MM-DD"T00:00:00Z"'), to_char(day + 1, 'YYYY-MM-DD"T00:00:00Z"'));
END $$;

-- Forget the raw readings of the UTC days before `day`; answers how many days (or chunks) went.
CREATE FUNCTION telemetry_drop_before(day date) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old text;
  gone bigint := 0;
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = 'telemetry'::regclass) <> 'p' THEN
    SELECT count(*) INTO gone FROM drop_chunks('telemetry', to_char(day, 'YYYY-MM-DD"T00:00:00Z"')::timestamptz);
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
  -- What they name is looked up here and nowhere else, whatever the caller's own search path says.
  EXECUTE format('ALTER FUNCTION telemetry_make_day(date) SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION telemetry_drop_before(date) SET search_path = %I, pg_temp', current_schema());
END $$;

REVOKE EXECUTE ON FUNCTION telemetry_make_day(date), telemetry_drop_before(date) FROM PUBLIC;
