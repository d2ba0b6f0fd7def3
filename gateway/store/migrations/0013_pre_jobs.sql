-- Jobs: long work in short turns that any worker can take up again; and the rows of files that are being imported.

CREATE TABLE job (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id    text        NOT NULL UNIQUE,
  kind         text        NOT NULL,
  state        text        NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  actor        text        NOT NULL,
  arguments    jsonb       NOT NULL,
  phase        text        NOT NULL,            -- the kind's own name for where it stands
  place        jsonb       NOT NULL DEFAULT '{}',  -- where in the phase the next turn begins
  done         bigint      NOT NULL DEFAULT 0,  -- of the phase
  total        bigint,                          -- null while it is not known
  result       jsonb       NOT NULL DEFAULT '{}',
  error        text,                            -- why it failed, or why its last turn did
  attempts     int         NOT NULL DEFAULT 0,  -- how often it was taken up since its last turn
  lease_owner  text,                            -- the process that runs it
  lease_until  timestamptz,                     -- afterwards any worker may take it up
  cancel_asked boolean     NOT NULL DEFAULT false,
  is_tidy      boolean     NOT NULL DEFAULT false,  -- it is over, and what it had staged is removed
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at   timestamptz,
  finished_at  timestamptz,
  CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CHECK (NOT is_tidy OR finished_at IS NOT NULL)
);
CREATE INDEX job_open ON job (id) WHERE NOT is_tidy;
CREATE INDEX job_finished ON job (finished_at) WHERE is_tidy;

-- No foreign keys on what is staged: a million checks for rows that live as long as their job, and are removed by it.

CREATE TABLE import_unit (                      -- a line of a units file; null is unknown
  job_id        bigint   NOT NULL,
  product_id    int      NOT NULL,
  serial        text     NOT NULL,              -- canonical
  file          smallint NOT NULL,
  line          int      NOT NULL,
  public_id     text     NOT NULL,              -- for a unit that is new
  printed       text     NOT NULL,
  lot           text,
  firmware      text,
  made_on       date,
  hardware      text,
  region        text,
  sold_on       date,
  support_until date,
  order_number  text,
  is_test       boolean,
  code_hash     bytea,                          -- of a claim code that is new, or another than before
  PRIMARY KEY (job_id, product_id, serial, file, line)
);

CREATE TABLE import_owner (                     -- a line of an owners file; null is unknown
  job_id          bigint      NOT NULL,
  product_id      int         NOT NULL,
  serial          text        NOT NULL,         -- canonical
  since           timestamptz NOT NULL,
  file            smallint    NOT NULL,
  line            int         NOT NULL,
  unit            text        NOT NULL,         -- as written
  email           text        NOT NULL,         -- lower case
  public_id       text        NOT NULL,         -- for a person who is new
  name            text        NOT NULL,
  phone           text,
  address         text,
  country         text,
  time_zone       text,
  customer_number text,
  contract_level  text,
  language        text,
  PRIMARY KEY (job_id, product_id, serial, since, file, line)
);
CREATE INDEX import_owner_person ON import_owner (job_id, email, file DESC, line DESC);

CREATE TABLE import_change (                    -- what an import changed, until everything that follows from it is done
  job_id    bigint  NOT NULL,
  turn      int     NOT NULL,                   -- what follows is done turn by turn
  unit_id   bigint  NOT NULL,
  is_new    boolean NOT NULL,                   -- a unit that was not there, or an ownership that began
  person_id bigint,                             -- of an ownership
  since     timestamptz,
  until     timestamptz                         -- when the next owner of the same file begins
);
CREATE INDEX import_change_turn ON import_change (job_id, turn);

-- What staged owners come to, unit by unit in the order of their dates, between two keys of the staged rows. The check
-- and the import itself both ask here, so that they cannot differ. Verdicts: 'begins'; 'known', which changes nothing;
-- 'no unit', 'past' (somebody has or had it then) and 'clash' (two owners of one date in the file), which are refused.
CREATE FUNCTION import_owner_plan(job bigint, after_product int, after_serial text, upto_product int, upto_serial text)
  RETURNS TABLE (file smallint, line int, unit text, unit_id bigint, email text, since timestamptz, until timestamptz,
                 verdict text, owned_since timestamptz) LANGUAGE sql STABLE AS $$
  WITH staged AS (
    SELECT s.file, s.line, s.unit, s.email, s.since, u.id AS unit_id, h.owner, h.is_known, h.owned_since,
           s.since <= h.last_since OR (NOT h.is_open AND s.since < h.last_until) AS is_past
    FROM import_owner s
    LEFT JOIN unit u ON u.product_id = s.product_id AND u.serial = s.serial
    CROSS JOIN LATERAL (
      SELECT max(lower(o.during)) AS last_since, max(upper(o.during)) AS last_until,
             bool_or(upper_inf(o.during)) AS is_open, max(p.email) FILTER (WHERE upper_inf(o.during)) AS owner,
             bool_or(o.during @> s.since AND p.email = s.email) AS is_known,
             min(lower(o.during)) FILTER (WHERE upper_inf(o.during) OR upper(o.during) > s.since) AS owned_since
      FROM ownership o JOIN person p ON p.id = o.person_id
      WHERE o.unit_id = u.id) h
    WHERE s.job_id = job AND (s.product_id, s.serial) > (after_product, after_serial)
      AND (s.product_id, s.serial) <= (upto_product, upto_serial)
  ), ordered AS (
    SELECT s.*, lag(s.since) OVER w AS before, coalesce(lag(s.email) OVER w, s.owner) AS email_before
    FROM staged s
    WINDOW w AS (PARTITION BY s.unit_id, s.is_past ORDER BY s.since, s.file, s.line)
  ), judged AS (
    SELECT o.*, CASE WHEN o.unit_id IS NULL THEN 'no unit'
                     WHEN o.is_past THEN CASE WHEN o.is_known THEN 'known' ELSE 'past' END
                     WHEN o.email = o.email_before THEN 'known'
                     WHEN o.since = o.before THEN 'clash'
                     ELSE 'begins' END AS verdict
    FROM ordered o
  )
  SELECT j.file, j.line, j.unit, j.unit_id, j.email, j.since,
         lead(j.since) OVER (PARTITION BY j.unit_id, j.verdict ORDER BY j.since, j.file, j.line),
         j.verdict, CASE WHEN j.verdict = 'clash' THEN j.before ELSE j.owned_since END
  FROM judged j
$$;

-- As before, without the maker's own test units: the live count and the freeze both ask here.
CREATE OR REPLACE FUNCTION audience_unit(product int, lots text[], serials text[], below text)
  RETURNS TABLE (unit_id bigint, matched text) LANGUAGE sql STABLE AS $$
  SELECT u.id, 'lot ' || u.lot FROM unit u WHERE u.product_id = product AND u.lot = ANY (lots) AND NOT u.is_test
  UNION ALL
  SELECT u.id, 'serial list' FROM unit u WHERE u.product_id = product AND u.serial = ANY (serials) AND NOT u.is_test
  UNION ALL
  SELECT u.id, 'firmware ' || u.firmware FROM unit u
  WHERE u.product_id = product AND NOT u.is_test AND below IS NOT NULL AND u.firmware IN (
    -- OFFSET 0: a product has few versions and many units, so each version is read once.
    SELECT v.firmware FROM (SELECT DISTINCT firmware FROM unit WHERE product_id = product OFFSET 0) v
    WHERE firmware_key(v.firmware) < firmware_key(below))
$$;
