-- What an operator sees: quarantine counted by reason and tried again, and the trace from a reading to its notice.

ALTER TABLE quarantine ADD retry_at timestamptz;  -- somebody asked for another try; ingest takes it up

CREATE INDEX quarantine_retry ON quarantine (id) WHERE retry_at IS NOT NULL;

CREATE TABLE quarantine_count (                 -- since the beginning; outlives the messages themselves
  reason   text   PRIMARY KEY,
  messages bigint NOT NULL DEFAULT 0,           -- refused on arrival
  trimmed  bigint NOT NULL DEFAULT 0            -- gone for want of room, never looked at again
);
INSERT INTO quarantine_count (reason, messages) SELECT reason, count(*) FROM quarantine GROUP BY reason;

ALTER TABLE notice ADD trace text;              -- what the log lines of its road carry
