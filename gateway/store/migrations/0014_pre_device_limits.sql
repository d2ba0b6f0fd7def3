-- Limits for each sender: a share of the quarantine, of the contradicting readings, and what waits for a locked unit.

-- Quarantine: who sent it, so that each has a share; topics are cut, as MQTT allows 64 kB of them.
ALTER TABLE quarantine ADD sender text;
UPDATE quarantine
SET topic = left(topic, 256),
    sender = left(CASE WHEN topic ~ '^m2m/v1/[^/]+/[^/]+/(telemetry|status)$'
                       THEN split_part(topic, '/', 3) || '/' || upper(regexp_replace(split_part(topic, '/', 4), '[\s-]+', '', 'g'))
                       ELSE '' END, 256);
ALTER TABLE quarantine ALTER sender SET NOT NULL;    -- product/serial, canonical; empty: a topic of no device
CREATE INDEX quarantine_sender_id ON quarantine (sender, id DESC);

CREATE TABLE quarantine_sender (                -- what each sender had refused; bounded, the longest quiet go first
  sender   text   NOT NULL,
  reason   text   NOT NULL,
  messages bigint NOT NULL,                     -- refused on arrival
  unkept   bigint NOT NULL,                     -- of them: beyond the sender's share, only counted
  last_at  timestamptz NOT NULL,
  PRIMARY KEY (sender, reason)
) WITH (fillfactor = 70);
CREATE INDEX quarantine_sender_last ON quarantine_sender (last_at);

-- The last messages of units: what was not taken of them without being refused.
UPDATE unit_message SET topic = left(topic, 256) WHERE length(topic) > 256;
ALTER TABLE unit_message
  ADD ignored     text[] NOT NULL DEFAULT '{}', -- names of fields that nobody reads, the first few
  ADD conflicting int    NOT NULL DEFAULT 0;    -- readings whose time had another value already

CREATE OR REPLACE VIEW my_message WITH (security_barrier) AS -- the last messages of an owner's units
SELECT u.public_id AS unit, s.number, s.received_at, s.topic, s.payload, s.size, s.reason, s.detail, s.ignored, s.conflicting
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN unit_message s ON s.unit_id = o.unit_id AND s.received_at >= o.since AND s.received_at < o.until;

-- Readings that contradict what stands: bounded for each unit and in time, and counted.
CREATE TABLE conflicting_count (                -- one row a unit that ever had one
  unit_id  bigint PRIMARY KEY,
  readings bigint NOT NULL,                     -- kept or not; one that is repeated counts again
  last_at  timestamptz NOT NULL
) WITH (fillfactor = 70);
INSERT INTO conflicting_count (unit_id, readings, last_at)
SELECT unit_id, count(*), max(received_at) FROM conflicting_reading GROUP BY unit_id;

-- Firmware reported by a unit whose row another transaction holds: applied when it is free.
CREATE TABLE firmware_waiting (                 -- one row a unit at most
  unit_id     bigint      PRIMARY KEY,          -- no foreign key: looking at the unit's row would wait for it
  firmware    text        NOT NULL,
  reported_at timestamptz NOT NULL,
  replayed    boolean     NOT NULL              -- retained at the broker, or tried again: gives way to what was heard
);

-- When a unit last reported its firmware, as far as the event log knows.
UPDATE unit u SET firmware_reported_at = e.at
FROM (SELECT unit_id, max(at) AS at FROM event WHERE kind = 'unit.firmware_reported' GROUP BY unit_id) AS e
WHERE u.id = e.unit_id;

-- Receipts: a count of starts far too high is refused from now on, and an operator can begin anew.
DELETE FROM receipt WHERE boot > 4102444800000 OR boot BETWEEN 4000000001 AND 999999999999;
ALTER TABLE receipt ADD reset_at timestamptz;   -- an operator wants it forgotten; ingest does it
CREATE INDEX receipt_reset ON receipt (unit_id) WHERE reset_at IS NOT NULL;
