-- Notices are recorded in sets. A campaign's texts are stored once; the feed is no channel: a notice says itself from when
-- it is told there; alarms wait in one place until they are told, the gravest first.

-- The texts of campaigns -------------------------------------------------------------------------------------------

CREATE TABLE campaign_text (                    -- what the notices of a campaign say, once in each language
  campaign_id bigint   NOT NULL REFERENCES campaign,
  kind        text     NOT NULL,                -- of the notice: recall, update or withdrawal
  language    text     NOT NULL,
  document    jsonb    NOT NULL,                -- text, details
  schema      smallint NOT NULL,
  PRIMARY KEY (campaign_id, kind, language)
);

-- What a notice of a campaign says in a language, else in English; nothing for a notice of an alarm.
CREATE FUNCTION campaign_told(of_campaign bigint, of_kind text, wanted text) RETURNS TABLE (told jsonb)
LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('document', t.document, 'schema', t.schema, 'language', t.language) FROM campaign_text t
  WHERE t.campaign_id = of_campaign AND t.kind = of_kind AND t.language IN (wanted, 'en')
  ORDER BY t.language = wanted DESC LIMIT 1
$$;

-- Notices ----------------------------------------------------------------------------------------------------------

-- Where it was told long ago, at an unknown time; only what is recent or to come counts for anything.
ALTER TABLE notice
  ALTER text DROP NOT NULL,                     -- null: the text stands with the campaign
  ADD CHECK (text IS NOT NULL OR campaign_id IS NOT NULL),
  ADD visible_at  timestamptz NOT NULL DEFAULT '-infinity',  -- from then on it is told in the feed
  ADD hold_reason text,                         -- why only then
  ADD is_held     boolean NOT NULL DEFAULT false,  -- it is not told yet; then the worker writes its event
  ADD skip_reason text,                         -- why it was never told: it was over before
  ADD group_key   text;                         -- the public id of the notice whose message is also of this one
ALTER TABLE notice ALTER visible_at SET DEFAULT now();

UPDATE notice n
SET visible_at = o.due_at, is_held = o.status = 'waiting', hold_reason = CASE WHEN o.due_at > n.created_at THEN o.reason END
FROM outbox o
WHERE o.notice_id = n.id AND o.channel = 'feed'
  AND (o.status = 'waiting' OR (o.status = 'delivered' AND o.due_at > now() - interval '1 hour'));
UPDATE notice n SET skip_reason = o.reason FROM outbox o
WHERE o.notice_id = n.id AND o.channel = 'feed' AND o.status = 'skipped';
DELETE FROM outbox WHERE channel = 'feed' AND status = 'waiting';
CREATE INDEX outbox_feed ON outbox (id) WHERE channel = 'feed';  -- what is left; maintenance deletes it in turns

CREATE INDEX notice_held ON notice (visible_at) WHERE is_held;
CREATE INDEX notice_told_later ON notice (person_id, visible_at) WHERE visible_at > created_at;

-- As before; what it says may stand with its campaign.
CREATE OR REPLACE VIEW my_notice WITH (security_barrier) AS
SELECT n.id AS row, n.public_id AS id, n.severity, n.count, n.text, n.created_at, n.read_at, n.acknowledged_at,
       least(n.updated_at, o.until) AS updated_at,
       CASE WHEN o.until <= now() AND (n.resolved_at >= o.until) IS NOT FALSE THEN 'resolved' ELSE n.state END AS state,
       CASE WHEN o.until <= now() THEN least(n.resolved_at, o.until) ELSE n.resolved_at END AS resolved_at,
       CASE WHEN o.until > now() OR n.resolved_at < o.until THEN n.why
            WHEN n.kind <> 'alarm' THEN n.why || jsonb_build_object('replaced_by', NULL)
            ELSE n.why || jsonb_build_object('cleared_at', NULL, 'cleared_value', NULL, 'cleared_reason',
                                             'the unit is no longer yours')
                 || CASE WHEN n.updated_at < o.until THEN '{}'
                         ELSE jsonb_build_object('extreme', n.why->'value') END
       END AS why,
       u.public_id AS unit, u.printed AS serial, p.name AS product, p.model,
       CASE WHEN n.visible_at > now() THEN n.visible_at END AS held_until,
       CASE WHEN n.visible_at > now() THEN n.hold_reason END AS hold_reason, n.kind, n.schema,
       t.told, n.group_key
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
JOIN unit u ON u.id = n.unit_id
JOIN product p ON p.id = u.product_id
JOIN person me ON me.id = n.person_id
LEFT JOIN LATERAL (                             -- as campaign_told, which the owners' role may not call
  SELECT jsonb_build_object('document', x.document, 'schema', x.schema, 'language', x.language) AS told
  FROM campaign_text x
  WHERE x.campaign_id = n.campaign_id AND x.kind = n.kind AND x.language IN (me.language, 'en')
  ORDER BY x.language = me.language DESC LIMIT 1) t ON true
WHERE n.person_id = my_person();

CREATE OR REPLACE VIEW my_delivery WITH (security_barrier) AS
SELECT n.id AS notice, d.channel, d.status, coalesce(d.finished_at, d.due_at) AS at, d.reason
FROM my_notice n
JOIN outbox d ON d.notice_id = n.row AND d.channel <> 'feed';

-- Alarms to be told ------------------------------------------------------------------------------------------------

ALTER TABLE alarm_due
  ADD rank  smallint NOT NULL DEFAULT 1,        -- 0 is safety, then critical, warning and info
  ADD place bigint,                             -- of the event that raised it; null: only its owner is new
  ADD trace text;                               -- what the log lines of its road carry
