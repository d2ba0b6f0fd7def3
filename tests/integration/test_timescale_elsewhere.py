"""TimescaleDB in a schema that is on nobody's search path. A stand-in records what is called; no server here has it."""

from datetime import date

import pytest

from gateway.core.clock import system_clock
from gateway.store import connect
from gateway.store.migrate import migrate
from gateway.store.probe import probe
from gateway.store.timeseries import TimeSeries

DAY = date(2026, 7, 1)

STAND_IN = """
SET allow_system_table_mods = on;
CREATE SCHEMA ext;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (99999, 'timescaledb', 10, 'ext'::regnamespace, false, '2.28.3');
CREATE TABLE ext.called (what text);
CREATE FUNCTION ext.by_range(name text, span interval) RETURNS text
LANGUAGE sql AS 'SELECT format(''%s by %s'', name, span)';
CREATE FUNCTION ext.create_hypertable(relation regclass, dimension text, create_default_indexes boolean) RETURNS void
LANGUAGE sql AS 'INSERT INTO ext.called VALUES (format(''create_hypertable %s, %s'', relation, dimension))';
CREATE FUNCTION ext.drop_chunks(relation regclass, older_than timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  INSERT INTO ext.called VALUES (format('drop_chunks %s, %s', relation, older_than));
  SELECT unnest('{chunk 1,chunk 2}'::text[]) WHERE older_than > '2000-01-01'
$$;
CREATE SCHEMA timescaledb_information;
CREATE VIEW timescaledb_information.chunks AS
  SELECT current_schema()::text AS hypertable_schema, 'telemetry'::text AS hypertable_name, n > 1 AS is_compressed
  FROM generate_series(1, 3) n;
CREATE TABLE timescaledb_information.jobs (job_id int, proc_name text);
CREATE TABLE timescaledb_information.job_stats (job_id int, last_run_status text);
"""


@pytest.fixture
def timescale_stand_in(db, monkeypatch):
    if db.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").rowcount:
        pytest.skip("this server has TimescaleDB")
    db.execute("DROP TABLE telemetry CASCADE")
    db.execute(STAND_IN)
    monkeypatch.setattr(TimeSeries, "has_timescale", lambda _: True)
    TimeSeries(db).create()
    return db


def called_functions(db):
    return [row["what"] for row in db.execute("SELECT what FROM ext.called")]


def maintenance(url):
    (finding,) = [each for each in probe(url, system_clock) if each.name == "maintenance"]
    return finding


def test_the_hypertable_is_made_and_its_chunks_are_dropped_wherever_the_extension_is(timescale_stand_in):
    assert TimeSeries(timescale_stand_in).drop_before(DAY) == 2
    assert called_functions(timescale_stand_in) == [
        "create_hypertable telemetry, time by 1 day",
        "drop_chunks telemetry, 2026-07-01 00:00:00+00",
    ]


def test_the_check_tries_the_call_that_drops_and_drops_nothing(url, timescale_stand_in):
    before = called_functions(timescale_stand_in)
    assert maintenance(url).state == "ok"
    assert called_functions(timescale_stand_in) == before, "taken back"
    timescale_stand_in.execute("ALTER FUNCTION ext.drop_chunks RENAME TO gone")
    finding = maintenance(url)
    assert finding.state == "problem"
    assert "function ext.drop_chunks(regclass, timestamp with time zone) does not exist" in finding.measured


def test_the_check_names_chunks_and_jobs_that_failed(url, timescale_stand_in):
    findings = {each.name: each for each in probe(url, system_clock)}
    assert (
        findings["telemetry"].measured == "a hypertable of TimescaleDB 2.28.3, 3 chunks, 2 of them in the columnstore"
    )
    timescale_stand_in.execute(
        "INSERT INTO timescaledb_information.jobs VALUES (1001, 'policy_compression'), (1002, 'policy_x')"
    )
    timescale_stand_in.execute(
        "INSERT INTO timescaledb_information.job_stats VALUES (1001, 'Failed'), (1002, 'Success')"
    )
    assert (maintenance(url).state, maintenance(url).measured) == (
        "warning",
        "jobs of TimescaleDB failed: 1001 (policy_compression)",
    )


def test_on_partitions_the_check_tries_to_make_a_day_and_takes_it_back(url, db):
    if TimeSeries(db).is_hypertable:
        pytest.skip("this server has TimescaleDB, which makes its chunks by itself")
    days = TimeSeries(db).existing_days()
    assert maintenance(url).state == "ok"
    assert TimeSeries(db).existing_days() == days
    db.execute("CREATE OR REPLACE FUNCTION telemetry_make_day(day date) RETURNS void LANGUAGE sql AS 'SELECT 1/0'")
    assert "division by zero" in maintenance(url).measured


@pytest.mark.timescale
def test_a_real_extension_in_another_schema_is_found(empty_url):
    with connect(empty_url) as db:
        db.execute("CREATE SCHEMA ext")
        db.execute("CREATE EXTENSION timescaledb SCHEMA ext")
        migrate(empty_url)
        assert TimeSeries(db).is_hypertable
        assert TimeSeries(db).drop_before(DAY) == 0
        assert maintenance(empty_url).state == "ok"
