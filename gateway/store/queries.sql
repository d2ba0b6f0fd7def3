-- name: try_lock
-- Take a lock until the session ends, unless another session has it.
SELECT pg_try_advisory_lock(%(lock)s) AS mine;

-- name: lock_session
-- Wait for a lock, and keep it until the session ends.
SELECT pg_advisory_lock(%(lock)s);

-- name: hold
-- Wait for a lock, and keep it until the transaction ends.
SELECT pg_advisory_xact_lock(%(lock)s);

-- name: hold_shared
-- Wait for a lock that others may hold with us, and keep it until the transaction ends.
SELECT pg_advisory_xact_lock_shared(%(lock)s);

-- name: try_hold
-- Take a lock until the transaction ends, unless another has it.
SELECT pg_try_advisory_xact_lock(%(lock)s) AS mine;

-- name: hold_key
-- Wait for the lock of one key, and keep it until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, %(lock)s));

-- name: nth_newest_try
-- The newest try but %(newer)s within the window: if there is one, the limit is reached.
SELECT at FROM attempt
WHERE kind = %(kind)s AND key = %(key)s AND at > now() - %(window)s
ORDER BY at DESC OFFSET %(newer)s LIMIT 1;

-- name: count_tries
-- The number of tries within the window.
SELECT count(*) AS tries FROM attempt WHERE kind = %(kind)s AND key = %(key)s AND at > now() - %(window)s;

-- name: note_try
-- Store a try.
INSERT INTO attempt (kind, key, at) VALUES (%(kind)s, %(key)s, now());

-- name: take_back_try
-- Delete the newest try with a key.
DELETE FROM attempt WHERE ctid = (
  SELECT ctid FROM attempt WHERE kind = %(kind)s AND key = %(key)s ORDER BY at DESC LIMIT 1);

-- name: clear_tries
-- Delete every try with a key.
DELETE FROM attempt WHERE kind = %(kind)s AND key = %(key)s;

-- name: forget_tries
-- Delete the oldest tries from before a time.
DELETE FROM attempt WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM attempt WHERE at < %(before)s ORDER BY at LIMIT %(limit)s));

-- name: transaction_time
-- When this transaction began, by the database's clock.
SELECT now() AS now;

-- name: clock_time
-- The database's clock at this moment.
SELECT clock_timestamp() AS now;

-- name: beat
-- Write a role's sign of life over the one before.
INSERT INTO role_beat (role, at, detail) VALUES (%(role)s, now(), %(detail)s)
ON CONFLICT (role) DO UPDATE SET at = excluded.at, detail = excluded.detail;

-- name: last_beat
-- A role's last sign of life.
SELECT clock_timestamp() - at AS age, detail FROM role_beat WHERE role = %(role)s;

-- name: standings
-- What each role waits for; a silent role waits for a sign of life.
SELECT r.role,
       CASE WHEN b.at > now() - %(longer_than)s THEN b.detail->>'waiting_for' ELSE %(sign_of_life)s END AS waiting_for
FROM unnest(%(roles)s::text[]) AS r (role) LEFT JOIN role_beat b ON b.role = r.role;

-- name: lock_waits
-- Our sessions that wait for a lock, the longest first, and the sessions that hold it or wait before them.
SELECT a.application_name AS who, clock_timestamp() - w.since AS waited, h.pid AS holder, b.application_name AS program,
       b.usename AS "user", b.state, clock_timestamp() - b.xact_start AS age
FROM (SELECT pid, min(waitstart) AS since FROM pg_locks WHERE NOT granted GROUP BY pid) AS w
JOIN pg_stat_activity a ON a.pid = w.pid
LEFT JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS h (pid) ON true
LEFT JOIN pg_stat_activity b ON b.pid = h.pid
WHERE a.datname = current_database() AND starts_with(a.application_name, 'gateway')
  AND w.since < clock_timestamp() - %(longer_than)s
ORDER BY w.since, a.pid, h.pid
LIMIT 20;

-- name: act_as_owner
-- Act as the owners' role for the rest of the transaction, and set the person of its views.
SELECT set_config('gateway.person_id', %(person_id)s::text, true), set_config('role', 'gateway_owner', true);

-- name: has_migrations
-- Whether this database was ever migrated.
SELECT to_regclass('schema_migration') IS NOT NULL AS there;

-- name: applied_migrations
-- The applied migrations with the digests of their texts.
SELECT name, digest FROM schema_migration;

-- name: note_migration
-- Store that a migration was applied.
INSERT INTO schema_migration (name, digest) VALUES (%(name)s, %(digest)s);

-- name: migration_rights
-- What the present user lacks for a migration.
SELECT current_user AS me, current_database() AS database, current_schema() AS schema,
       has_schema_privilege(current_schema(), 'CREATE') AS may_create,
       NOT has_database_privilege(current_database(), 'CREATE')
         AND ((SELECT count(*) FROM pg_extension WHERE extname IN ('btree_gist', 'pg_trgm')) < 2
              OR to_regclass('telemetry') IS NULL AND EXISTS (
                SELECT FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL
                  AND EXISTS (SELECT FROM pg_settings WHERE starts_with(name, 'timescaledb.')))) AS lacks_extension,
       owner.oid IS NULL AND NOT (me.rolsuper OR me.rolcreaterole) AS lacks_role,
       CASE WHEN me.rolsuper THEN false
            WHEN owner.oid IS NULL THEN NOT me.rolcreaterole
            -- Before version 16, a user with CREATEROLE may also join every role.
            WHEN current_setting('server_version_num')::int < 160000
            THEN NOT (me.rolcreaterole OR pg_has_role(owner.oid, 'MEMBER'))
            ELSE NOT (pg_has_role(owner.oid, 'SET') OR pg_has_role(owner.oid, 'MEMBER WITH ADMIN OPTION'))
       END AS lacks_membership
FROM pg_roles me LEFT JOIN pg_roles owner ON owner.rolname = 'gateway_owner'
WHERE me.rolname = current_user;

-- name: session_names
-- The present user and schema.
SELECT current_user AS me, current_schema() AS schema;

-- name: missing_rights
-- The rights that the roles need and the present user lacks.
SELECT lower(privilege) || ' ' || name AS what
FROM (SELECT c.relname AS name, c.oid, p.privilege
      FROM pg_class c CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p (privilege)
      WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition
        AND (c.relkind IN ('r', 'p') OR c.relkind = 'v' AND p.privilege = 'SELECT')
        AND (c.relname, p.privilege) NOT IN (('event', 'UPDATE'), ('event', 'DELETE'))
        AND (c.relname, p.privilege) NOT IN (('telemetry', 'UPDATE'), ('telemetry', 'DELETE'), ('alarm_act', 'UPDATE'))
        AND (c.relname <> 'schema_migration' OR p.privilege = 'SELECT')) AS needed
WHERE NOT has_table_privilege(oid, privilege)
UNION ALL
SELECT 'call ' || f FROM unnest('{telemetry_make_day(date),telemetry_drop_before(date),
                                  telemetry_to_columnstore(date),rollup_make_room(date),
                                  event_make_month(date),event_drop_before(date)}'::text[]
                                || '{"rollup_drop_before(date,date)"}'::text[]
                                || '{"telemetry_forget(bigint[],timestamptz,timestamptz)"}'::text[]) AS f
WHERE NOT has_function_privilege(f, 'EXECUTE')
UNION ALL
SELECT 'use ' || name FROM unnest('{event_number,notice_id_seq}'::text[]) AS name
WHERE NOT has_sequence_privilege(name, 'USAGE');

-- name: may_become_owner
-- Whether a user may act as the role that serves owners; since version 16 not every member may.
SELECT pg_has_role(%(user)s, 'gateway_owner', CASE WHEN current_setting('server_version_num')::int >= 160000
                                                   THEN 'SET' ELSE 'MEMBER' END) AS may;

-- name: about_server
-- The server's version, and how safely it stores what it has committed.
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       current_user AS me, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('TimeZone') AS zone,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale;

-- name: telemetry_kind
-- The kind of the table of readings, as a letter of pg_class; no row while there is no table.
SELECT relkind::text AS kind FROM pg_class WHERE oid = to_regclass('telemetry');

-- name: telemetry_partitions
-- The names of the partitions of the table of readings.
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'telemetry'::regclass;

-- name: make_day
-- Make the partition of a day of readings.
SELECT telemetry_make_day(%(day)s);

-- name: drop_days_before
-- Drop the readings of the days before one.
SELECT telemetry_drop_before(%(day)s) AS dropped;

-- name: to_columnstore
-- Put the oldest chunk of days before one into the columnstore of TimescaleDB.
SELECT telemetry_to_columnstore(%(day)s) AS done;

-- name: timescale_here
-- TimescaleDB if it is installed or can be: when it is preloaded, it has settings.
SELECT installed_version FROM pg_available_extensions
WHERE name = 'timescaledb'
  -- Only a superuser may read shared_preload_libraries.
  AND EXISTS (SELECT FROM pg_settings WHERE starts_with(name, 'timescaledb.'));

-- name: timescale_schema
-- The schema that TimescaleDB is installed in.
SELECT extnamespace::regnamespace::text AS name FROM pg_extension WHERE extname = 'timescaledb';

-- name: make_hypertable
-- Make the table of readings a hypertable with a chunk a day; {schema} is TimescaleDB's.
SELECT {schema}.create_hypertable('telemetry', {schema}.by_range('time', INTERVAL '1 day'),
                                  create_default_indexes => false);

-- name: chunk_spans
-- Begin and end of each chunk of readings.
SELECT range_start, range_end FROM timescaledb_information.chunks
WHERE hypertable_schema = current_schema() AND hypertable_name = 'telemetry';

-- name: count_chunks
-- The number of chunks of readings, and of those in the columnstore.
SELECT count(*) AS chunks, count(*) FILTER (WHERE is_compressed) AS in_columnstore
FROM timescaledb_information.chunks
WHERE hypertable_schema = current_schema() AND hypertable_name = 'telemetry';

-- name: failed_timescale_jobs
-- TimescaleDB's jobs whose last run failed.
SELECT j.job_id, j.proc_name FROM timescaledb_information.job_stats s
JOIN timescaledb_information.jobs j ON j.job_id = s.job_id
WHERE s.last_run_status = 'Failed' ORDER BY j.job_id LIMIT 10;
