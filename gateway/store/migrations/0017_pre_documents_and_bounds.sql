-- Stored documents carry the number of their schema, campaign numbers are used once, live recalls and alarms are
-- compared with units and owners that come later, and what grows can be found by its age.

-- Schema numbers ---------------------------------------------------------------------------------------------------
-- A column beside the document, so that arrays and bytes have one too and a document stays as its author wrote it.
-- What is here already is of schema 1. core/documents.py reads them.

ALTER TABLE rule_version   ADD schema smallint NOT NULL DEFAULT 1;  -- of document
ALTER TABLE alarm          ADD schema smallint NOT NULL DEFAULT 1,  -- of evidence
                           ADD clearing_schema smallint NOT NULL DEFAULT 1;  -- written later, by another version perhaps
ALTER TABLE campaign       ADD schema smallint NOT NULL DEFAULT 1;  -- of content and audience
ALTER TABLE notice         ADD schema smallint NOT NULL DEFAULT 1;  -- of text and why
ALTER TABLE ledger         ADD schema smallint NOT NULL DEFAULT 1;  -- of steps
ALTER TABLE letter         ADD schema smallint NOT NULL DEFAULT 1;  -- of data
ALTER TABLE rule_snapshot  ADD schema smallint NOT NULL DEFAULT 1;  -- of state
ALTER TABLE ingest_journal ADD schema smallint NOT NULL DEFAULT 1;  -- of readings and messages

-- Numbers of campaigns ---------------------------------------------------------------------------------------------

CREATE TABLE campaign_number (                  -- the last number given of a kind and year, discarded drafts included
  kind text NOT NULL,
  year int  NOT NULL,
  last int  NOT NULL,
  PRIMARY KEY (kind, year)
);
-- Drafts that were discarded stand in the event log only; R-2026-01 is kind R, year 2026, number 1.
INSERT INTO campaign_number (kind, year, last)
SELECT split_part(number, '-', 1), split_part(number, '-', 2)::int, max(split_part(number, '-', 3)::int)
FROM (SELECT number FROM campaign
      UNION ALL
      SELECT data->>'number' FROM event WHERE kind = 'campaign.drafted') AS given
WHERE number ~ '^[A-Z]-\d{4}-\d{1,9}$'
GROUP BY 1, 2;

-- Units that a live campaign does not know yet ---------------------------------------------------------------------

ALTER TABLE campaign ADD recheck_at timestamptz;  -- its audience is to be compared with all units of the product again
UPDATE campaign SET recheck_at = now() WHERE state = 'published' AND audience IS NOT NULL;

CREATE TABLE campaign_candidate (               -- units that match a live campaign and are not in its frozen audience
  campaign_id bigint      NOT NULL REFERENCES campaign,
  unit_id     bigint      NOT NULL REFERENCES unit,
  matched     text        NOT NULL,
  found_at    timestamptz NOT NULL,
  PRIMARY KEY (campaign_id, unit_id)
);
CREATE INDEX campaign_candidate_unit ON campaign_candidate (unit_id);
CREATE INDEX campaign_live ON campaign (product_id) WHERE state = 'published';

-- Recalls that may concern a person's unit without having been told of it: the unit matches, but came or changed after
-- the audience was frozen. Compared here and now, so that a page never calls such a unit fine.
CREATE VIEW my_check WITH (security_barrier) AS
SELECT u.public_id AS unit, c.number, c.content, c.schema, c.published_at
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN campaign c ON c.product_id = u.product_id AND c.state = 'published' AND c.kind = 'recall'
WHERE o.since <= now() AND now() < o.until AND NOT u.is_test
  AND NOT EXISTS (SELECT FROM campaign_unit f
                  WHERE f.campaign_id = c.id AND f.unit_id = u.id AND f.standing = 'affected')
  AND CASE c.audience->>'by'
        WHEN 'lots' THEN c.audience->'lots' ? u.lot
        WHEN 'firmware' THEN firmware_key(u.firmware) < firmware_key(c.audience->>'below')
        ELSE EXISTS (SELECT FROM campaign_candidate k WHERE k.campaign_id = c.id AND k.unit_id = u.id) END;
GRANT SELECT ON my_check TO gateway_owner;

-- Active alarms and the owners that come later ---------------------------------------------------------------------

CREATE TABLE alarm_due (                        -- alarms to be told to who owns the unit at that time
  alarm_id bigint      PRIMARY KEY REFERENCES alarm,
  due_at   timestamptz NOT NULL
);
CREATE INDEX alarm_due_at ON alarm_due (due_at);

-- An owner's notice shows the schema of its documents too. As before otherwise.
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
       held.due_at AS held_until, held.reason AS hold_reason, n.kind, n.schema
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
JOIN unit u ON u.id = n.unit_id
JOIN product p ON p.id = u.product_id
LEFT JOIN outbox held ON held.notice_id = n.id AND held.channel = 'feed' AND held.status = 'waiting'
                     AND held.due_at > now()
WHERE n.person_id = my_person();

-- Age --------------------------------------------------------------------------------------------------------------
-- For maintenance (roles/maintenance.py), which deletes the oldest first, a bounded number in each transaction.

CREATE INDEX notice_ended ON notice (updated_at) WHERE state <> 'open' AND campaign_id IS NULL;
CREATE INDEX ledger_untold ON ledger (at) WHERE campaign_id IS NULL AND notice_id IS NULL;
CREATE INDEX ledger_notice ON ledger (notice_id);
CREATE INDEX alarm_cleared ON alarm (cleared_at) WHERE cleared_at IS NOT NULL;
CREATE INDEX delivery_try_at ON delivery_try (at);
CREATE INDEX delivery_try_phone ON delivery_try (push_token_id) WHERE push_token_id IS NOT NULL;
CREATE INDEX engagement_at ON engagement (at);
CREATE INDEX push_token_retired ON push_token (retired_at) WHERE retired_at IS NOT NULL;
