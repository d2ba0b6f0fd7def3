-- Notices that an approval withdraws get their events afterwards, in turns of the worker; and whoever cannot be told is
-- tried again ever more seldom, and said once in the event log.

ALTER TABLE notice ADD event_due boolean NOT NULL DEFAULT false;  -- it was withdrawn, and its event is not written yet
CREATE INDEX notice_event_due ON notice (id) WHERE event_due;

ALTER TABLE alarm_due     ADD tries int NOT NULL DEFAULT 0;       -- that failed, one after another
ALTER TABLE campaign_unit ADD tries int NOT NULL DEFAULT 0;       -- the same
ALTER TABLE campaign      ADD tell_tries int NOT NULL DEFAULT 0,  -- the same, of the campaign as a whole
                          ADD tell_after timestamptz;             -- until then none of its units is looked at
