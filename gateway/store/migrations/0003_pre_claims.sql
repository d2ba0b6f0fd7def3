-- Registration by the owner himself: claim codes, what he calls a place, a unit's last messages, and the role that
-- serves owners. That role can read the my_* views and nothing else; every one of them is cut to the person whose
-- number stands in the setting gateway.person_id, and to the time in which the unit was his.

-- Claim codes --------------------------------------------------------------------------------------------------

CREATE TABLE claim_code (                       -- what stands on the plate or in the box, apart from the serial
  unit_id   bigint PRIMARY KEY REFERENCES unit,
  code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 48),  -- 16 bytes salt, 32 bytes SHA-256
  spent_at  timestamptz                         -- good for one ownership; free again when its owner gives the unit up
);

CREATE INDEX unit_serial ON unit (serial);     -- an owner knows the serial, not always the product

ALTER TABLE ownership
  ADD COLUMN how   text NOT NULL DEFAULT 'import' CHECK (how IN ('import', 'claim')),
  ADD COLUMN place text CHECK (length(place) BETWEEN 1 AND 80);   -- what the owner calls it: "Cellar"

-- The last messages of a unit ----------------------------------------------------------------------------------

CREATE TABLE unit_message (                     -- a ring of twenty slots for each unit, written by ingest
  unit_id     bigint      NOT NULL,
  slot        smallint    NOT NULL,
  number      bigint      NOT NULL,             -- counts the messages that were kept of this unit
  received_at timestamptz NOT NULL,
  topic       text        NOT NULL,
  payload     bytea       NOT NULL,             -- cut
  size        int         NOT NULL,             -- of the whole payload, bytes
  reason      text,                             -- why it, or some of it, was refused
  detail      text,
  PRIMARY KEY (unit_id, slot)
) WITH (fillfactor = 50);

-- The role and its views ---------------------------------------------------------------------------------------

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gateway_owner') THEN
    CREATE ROLE gateway_owner NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;                                         -- roles belong to the server: another database made it just now
END $$;

DO $$
BEGIN
  -- From 16 on, who made a role is its member, but may not yet act as it.
  IF NOT pg_has_role(current_user, 'gateway_owner',
                     CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    EXECUTE format('GRANT gateway_owner TO %I', current_user);
  END IF;
END $$;

CREATE FUNCTION my_person() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('gateway.person_id', true), '')::bigint
$$;

CREATE VIEW my_tenure WITH (security_barrier) AS  -- from when until when a unit was his; not granted, only used below
SELECT unit_id, lower(during) AS since, coalesce(upper(during), 'infinity') AS until, place
FROM ownership WHERE person_id = my_person();

CREATE VIEW my_unit WITH (security_barrier) AS    -- the units that are his now
SELECT u.id AS unit_id, u.public_id AS id, u.printed AS serial, p.code AS product_code, p.name AS product_name,
       p.model, o.place, o.since, u.firmware, u.lot,
       (SELECT max(l.received_at) FROM latest l
        WHERE l.unit_id = u.id AND l.time >= o.since AND l.received_at >= o.since) AS last_seen,
       (SELECT min(r.cadence) FROM product_metric r WHERE r.product_id = u.product_id) AS cadence
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN product p ON p.id = u.product_id
WHERE o.since <= now() AND now() < o.until;

CREATE VIEW my_latest WITH (security_barrier) AS  -- every metric of his units, with its newest reading where there is one
SELECT u.public_id AS unit, m.name AS metric, r.position, r.title, r.unit AS measure, r.normal_low, r.normal_high,
       l.value, l.time AS at
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN product_metric r ON r.product_id = u.product_id
JOIN metric m ON m.id = r.metric_id
LEFT JOIN latest l ON l.unit_id = u.id AND l.metric_id = r.metric_id AND l.time >= o.since AND l.received_at >= o.since
WHERE o.since <= now() AND now() < o.until;

CREATE VIEW my_reading WITH (security_barrier) AS -- measured while the unit was his, and not received before
SELECT u.public_id AS unit, m.name AS metric, t.time, t.value
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN telemetry t ON t.unit_id = o.unit_id AND t.time >= o.since AND t.time < o.until AND t.received_at >= o.since
JOIN metric m ON m.id = t.metric_id;

-- Raised while the unit was his, or active when it became his: its state passes on, its history does not.
CREATE VIEW my_alarm WITH (security_barrier) AS
SELECT a.public_id AS id, u.public_id AS unit, a.severity, v.document->'title' AS title, v.rule_id AS rule, v.version,
       greatest(a.onset, o.since) AS onset, greatest(a.raised_at, o.since) AS raised_at, a.historic,
       CASE WHEN a.onset >= o.since THEN a.evidence END AS evidence,
       nullif(least(a.cleared_at, o.until), 'infinity') AS cleared_at,
       CASE WHEN a.onset >= o.since AND a.cleared_at < o.until THEN a.clearing END AS clearing
FROM my_tenure o
JOIN alarm a ON a.unit_id = o.unit_id
            AND (a.raised_at >= o.since OR (a.cleared_at IS NULL AND o.until > now()))
            AND a.raised_at < o.until
JOIN unit u ON u.id = a.unit_id
JOIN rule_version v ON v.id = a.rule_version_id;

CREATE VIEW my_message WITH (security_barrier) AS -- the last messages of his units, received while they were his
SELECT u.public_id AS unit, s.number, s.received_at, s.topic, s.payload, s.size, s.reason, s.detail
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN unit_message s ON s.unit_id = o.unit_id AND s.received_at >= o.since AND s.received_at < o.until;

GRANT SELECT ON my_unit, my_latest, my_reading, my_alarm, my_message TO gateway_owner;
