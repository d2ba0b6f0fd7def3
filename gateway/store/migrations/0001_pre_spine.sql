-- The spine: products and units, ownership, readings, rules and alarms, notices and deliveries, the event log.
-- (The telemetry table itself is made by store/timeseries.py: hypertable or partitions.)

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Products and units -------------------------------------------------------------------------------------------

CREATE TABLE product (
  id       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code     text NOT NULL UNIQUE,
  model    text NOT NULL,
  brand    text NOT NULL,
  gtin     text UNIQUE,
  name     jsonb NOT NULL,                      -- by language
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE metric (                           -- the dictionary of metric names
  id   smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE
);

CREATE TABLE product_metric (                   -- the metric registry of a product
  product_id  int      NOT NULL REFERENCES product,
  metric_id   smallint NOT NULL REFERENCES metric,
  position    smallint NOT NULL,                -- as in the product file
  title       jsonb    NOT NULL,                -- by language
  unit        text     NOT NULL,
  low         float8   NOT NULL,                -- physically possible
  high        float8   NOT NULL,
  normal_low  float8,
  normal_high float8,
  cadence     interval NOT NULL,
  PRIMARY KEY (product_id, metric_id),
  CHECK (low < high), CHECK ((normal_low IS NULL) = (normal_high IS NULL))
);

CREATE TABLE unit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id  text NOT NULL UNIQUE,
  product_id int  NOT NULL REFERENCES product,
  serial     text NOT NULL,                     -- canonical
  printed    text NOT NULL,                     -- as on the plate
  lot        text,
  firmware   text,
  made_on    date,
  UNIQUE (product_id, serial)
);

-- People and ownership -----------------------------------------------------------------------------------------

CREATE TABLE person (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id text NOT NULL UNIQUE,
  name      text NOT NULL,
  email     text NOT NULL UNIQUE,
  language  text NOT NULL DEFAULT 'en'
);

CREATE TABLE ownership (                        -- one owner of a unit at a time
  unit_id   bigint    NOT NULL REFERENCES unit,
  person_id bigint    NOT NULL REFERENCES person,
  during    tstzrange NOT NULL CHECK (NOT isempty(during)),
  EXCLUDE USING gist (unit_id WITH =, during WITH &&)
);
CREATE INDEX ownership_person ON ownership (person_id);

-- Readings -----------------------------------------------------------------------------------------------------

CREATE TABLE latest (                           -- the newest judged reading of each metric
  unit_id     bigint      NOT NULL,
  metric_id   smallint    NOT NULL,
  time        timestamptz NOT NULL,
  value       float8      NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (unit_id, metric_id)
) WITH (fillfactor = 70);

CREATE TABLE conflicting_reading (              -- a second value for a unit, metric and time: the first one stands
  unit_id     bigint      NOT NULL,
  metric_id   smallint    NOT NULL,
  time        timestamptz NOT NULL,
  value       float8      NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (unit_id, metric_id, time, value)
);

CREATE TABLE quarantine (                       -- messages that could not be taken whole, and why
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at timestamptz NOT NULL,
  topic       text  NOT NULL,
  reason      text  NOT NULL,
  detail      text  NOT NULL,
  payload     bytea NOT NULL,                   -- cut
  size        int   NOT NULL                    -- of the whole payload, bytes
);

-- Rules --------------------------------------------------------------------------------------------------------

CREATE TABLE rule_version (
  id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rule_id    text NOT NULL,
  version    int  NOT NULL,
  product_id int  NOT NULL REFERENCES product,
  document   jsonb NOT NULL,
  digest     text NOT NULL,
  active     boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (rule_id, version)
);
CREATE UNIQUE INDEX rule_version_active ON rule_version (rule_id) WHERE active;

CREATE TABLE ingest_journal (                   -- one row a committed batch; trimmed by the snapshots
  seq      bigint PRIMARY KEY,
  at       timestamptz NOT NULL,
  readings bytea NOT NULL,                      -- what was judged, see rules/evaluator.py
  messages bytea NOT NULL                       -- what was received, see m2m/redelivery.py
);

CREATE TABLE rule_snapshot (                    -- the rule state after batch `seq`, by product and partition
  product_id int      NOT NULL REFERENCES product,
  partition  smallint NOT NULL,
  state      bytea    NOT NULL,
  PRIMARY KEY (product_id, partition)
);

CREATE TABLE ingest_mark (                      -- one row: what the snapshots are of
  single   boolean PRIMARY KEY DEFAULT true CHECK (single),
  seq      bigint NOT NULL,
  versions int[]  NOT NULL                      -- the rule versions in force
);

CREATE TABLE alarm (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id       text        NOT NULL UNIQUE,
  rule_version_id int         NOT NULL REFERENCES rule_version,
  unit_id         bigint      NOT NULL REFERENCES unit,
  severity        text        NOT NULL,
  onset           timestamptz NOT NULL,         -- the first reading of the span (device time)
  raised_at       timestamptz NOT NULL,         -- the decisive reading (device time)
  judged_at       timestamptz NOT NULL,         -- when the gateway said so
  historic        boolean     NOT NULL,         -- too old when judged: told to nobody
  evidence        jsonb       NOT NULL,
  cleared_at      timestamptz,                  -- the clearing reading (device time)
  clearing        jsonb,                        -- its value, or why else it was cleared
  UNIQUE (rule_version_id, unit_id, onset)
);
CREATE INDEX alarm_active ON alarm (unit_id) WHERE cleared_at IS NULL;

-- Notices ------------------------------------------------------------------------------------------------------

CREATE TABLE notice (                           -- one message to one person about one unit: a feed item
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id   text        NOT NULL UNIQUE,
  person_id   bigint      NOT NULL REFERENCES person,
  unit_id     bigint      NOT NULL REFERENCES unit,
  rule_id     text        NOT NULL,
  severity    text        NOT NULL,
  state       text        NOT NULL CHECK (state IN ('open', 'resolved')),
  count       int         NOT NULL DEFAULT 1,   -- alarms that joined it
  text        jsonb       NOT NULL,             -- title, body, action
  why         jsonb       NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  resolved_at timestamptz
);
CREATE INDEX notice_person ON notice (person_id, created_at DESC);
CREATE INDEX notice_unit ON notice (unit_id, rule_id, created_at DESC);

CREATE TABLE notice_alarm (                     -- which alarms a notice tells of
  notice_id bigint NOT NULL REFERENCES notice,
  alarm_id  bigint NOT NULL REFERENCES alarm,
  person_id bigint NOT NULL REFERENCES person,
  PRIMARY KEY (alarm_id, person_id)             -- nobody is told twice of one alarm
);
CREATE INDEX notice_alarm_notice ON notice_alarm (notice_id);

CREATE TABLE ledger (                           -- what the stages answered, alarm by alarm
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        timestamptz NOT NULL,
  alarm_id  bigint NOT NULL REFERENCES alarm,
  person_id bigint REFERENCES person,
  notice_id bigint REFERENCES notice,
  outcome   text NOT NULL CHECK (outcome IN ('pass', 'hold', 'drop')),
  reason    text NOT NULL,
  steps     jsonb NOT NULL                      -- every stage's answer, in order
);
CREATE INDEX ledger_alarm ON ledger (alarm_id);

CREATE TABLE outbox (                           -- deliveries: one notice on one channel
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  notice_id   bigint NOT NULL REFERENCES notice,
  channel     text   NOT NULL,
  due_at      timestamptz NOT NULL,
  status      text   NOT NULL DEFAULT 'waiting'
              CHECK (status IN ('waiting', 'delivered', 'failed', 'skipped', 'unknown')),
  reason      text   NOT NULL,
  finished_at timestamptz,
  UNIQUE (notice_id, channel)                   -- the idempotency key
);
CREATE INDEX outbox_waiting ON outbox (due_at) WHERE status = 'waiting';

-- Events -------------------------------------------------------------------------------------------------------

CREATE TABLE event (                            -- every domain event, once, append-only
  xid       xid8        NOT NULL DEFAULT pg_current_xact_id(),
  id        bigint GENERATED ALWAYS AS IDENTITY,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind      text        NOT NULL,
  actor     text        NOT NULL,               -- gateway, cli, or a person's public id
  unit_id   bigint,
  person_id bigint,
  data      jsonb       NOT NULL,
  PRIMARY KEY (xid, id)
);

CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log is append-only';
END $$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only();

CREATE TABLE event_reader (                     -- how far each reader got
  name text PRIMARY KEY,
  xid  xid8   NOT NULL,
  id   bigint NOT NULL
);

-- Roles --------------------------------------------------------------------------------------------------------

CREATE TABLE role_beat (                        -- each role's sign of life
  role   text PRIMARY KEY,
  at     timestamptz NOT NULL,
  detail jsonb NOT NULL
);
