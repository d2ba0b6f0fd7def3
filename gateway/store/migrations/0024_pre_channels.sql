-- Channels are listed in the code only, and a claim finds what is due by an index, however much waits.

ALTER TABLE preference DROP CONSTRAINT preference_channel_check;  -- notify/channels/registry.py knows which there are

ALTER TABLE outbox ADD is_safety boolean NOT NULL DEFAULT false;  -- goes out before all others
UPDATE outbox o SET is_safety = true FROM notice n
WHERE n.id = o.notice_id AND n.severity = 'safety' AND o.status IN ('waiting', 'claimed', 'skipped');
CREATE INDEX outbox_due ON outbox (channel, is_safety, due_at, id) WHERE status = 'waiting';
