-- Alarms are worked: every act of the staff, and on the alarm's own row where it stands now, for the lists.

ALTER TABLE alarm
  ADD revision        int NOT NULL DEFAULT 1,   -- one more with each act, and when it clears: an act names the one it saw
  ADD acknowledged_at timestamptz DEFAULT now(),  -- what cleared before is nobody's work any more; see below
  ADD acknowledged_by bigint REFERENCES person,
  ADD assignee_id     bigint REFERENCES person,
  ADD verdict         text,
  ADD resolved_at     timestamptz,              -- the staff said that it is over
  ADD acts            int NOT NULL DEFAULT 0;   -- how many there are
ALTER TABLE alarm ALTER acknowledged_at DROP DEFAULT;
UPDATE alarm SET acknowledged_at = NULL WHERE cleared_at IS NULL;

-- What is urgent, the least first: by standing in steps of four (active, acknowledged, cleared, closed), by severity within.
CREATE FUNCTION alarm_urgency(severity text, cleared_at timestamptz, acknowledged_at timestamptz, resolved_at timestamptz)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN resolved_at IS NOT NULL OR cleared_at IS NOT NULL AND acknowledged_at IS NOT NULL THEN 12
    ELSE CASE WHEN cleared_at IS NOT NULL THEN 8 WHEN acknowledged_at IS NOT NULL THEN 4 ELSE 0 END
       + CASE severity WHEN 'safety' THEN 0 WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END
  END
$$;
CREATE INDEX alarm_by_urgency ON alarm (alarm_urgency(severity, cleared_at, acknowledged_at, resolved_at), (-id));

CREATE TABLE alarm_act (                        -- append-only
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alarm_id  bigint      NOT NULL REFERENCES alarm,
  at        timestamptz NOT NULL,
  person_id bigint      NOT NULL REFERENCES person,
  act       text        NOT NULL,
  value     text,                               -- a verdict; of an assignment the account's public id, null: given back
  text      text,                               -- what they wrote
  revision  int         NOT NULL,               -- of the alarm, after it
  key       text        NOT NULL,               -- made by who sent it: what is sent twice is done once
  UNIQUE (alarm_id, key)
);
CREATE INDEX alarm_act_alarm ON alarm_act (alarm_id, id);

-- Notices in a list: open ones of alarms by severity (0 to 3), campaigns (4, and 6 when they are over), alarms' that are over.
CREATE FUNCTION notice_urgency(severity text, state text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN state <> 'open' THEN 5
              ELSE CASE severity WHEN 'safety' THEN 0 WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END END
$$;
CREATE INDEX notice_by_urgency ON notice (notice_urgency(severity, state), (-id)) WHERE campaign_id IS NULL;
