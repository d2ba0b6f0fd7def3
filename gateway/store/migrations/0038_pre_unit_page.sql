-- What an owner's page says of one unit: its past alarms, the limits of its rules, how long it is supported, and that no
-- recall concerns it.

ALTER TABLE product ADD support_until date;     -- until when its units get updates and help; a unit may have its own date

-- As before, and what a chart needs: the metric, and whether the rule tells owners.
CREATE OR REPLACE VIEW my_alarm WITH (security_barrier) AS
SELECT a.public_id AS id, u.public_id AS unit, a.severity, v.document->'title' AS title, v.rule_id AS rule, v.version,
       greatest(a.onset, o.since) AS onset, greatest(a.raised_at, o.since) AS raised_at, a.historic,
       CASE WHEN a.onset >= o.since THEN a.evidence END AS evidence,
       nullif(least(a.cleared_at, o.until), 'infinity') AS cleared_at,
       CASE WHEN a.onset >= o.since AND a.cleared_at < o.until THEN a.clearing END AS clearing,
       a.id AS row, a.evidence->>'metric' AS metric, v.document->'audience' ? 'owner' AS is_for_owner
FROM my_tenure o
JOIN alarm a ON a.unit_id = o.unit_id
            AND (a.raised_at >= o.since OR (a.cleared_at IS NULL AND o.until > now()))
            AND a.raised_at < o.until
JOIN unit u ON u.id = a.unit_id
JOIN rule_version v ON v.id = a.rule_version_id;

-- The rules that judge the units that are the person's now, as far as they tell owners.
CREATE VIEW my_rule WITH (security_barrier) AS
SELECT u.public_id AS unit, v.rule_id AS rule, v.document, v.schema
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN rule_version v ON v.product_id = u.product_id AND v.active AND v.document->'audience' ? 'owner'
WHERE o.since <= now() AND now() < o.until;
CREATE INDEX rule_version_product ON rule_version (product_id) WHERE active;

-- What is known of the person's units of now. A unit is free of recalls only when each published one can be compared with
-- it, and none concerns it: without its lot or a firmware that can be read this is not known, nor of a maker's test unit,
-- nor by a list of serials that the worker is yet to compare again.
CREATE VIEW my_unit_facts WITH (security_barrier) AS
SELECT u.public_id AS unit, coalesce(u.support_until, p.support_until) AS support_until,
       NOT u.is_test AND NOT EXISTS (
         SELECT FROM campaign c
         WHERE c.product_id = u.product_id AND c.state = 'published' AND c.kind = 'recall'
           AND (EXISTS (SELECT FROM campaign_unit f
                        WHERE f.campaign_id = c.id AND f.unit_id = u.id AND f.standing = 'affected')
             OR EXISTS (SELECT FROM campaign_candidate k WHERE k.campaign_id = c.id AND k.unit_id = u.id)
             OR CASE c.audience->>'by'
                  WHEN 'lots' THEN coalesce(c.audience->'lots' ? u.lot, true)
                  WHEN 'firmware' THEN coalesce(firmware_key(u.firmware) < firmware_key(c.audience->>'below'), true)
                  ELSE c.recheck_at IS NOT NULL END)) AS is_recall_free
FROM my_tenure o
JOIN unit u ON u.id = o.unit_id
JOIN product p ON p.id = u.product_id
WHERE o.since <= now() AND now() < o.until;

GRANT SELECT ON my_rule, my_unit_facts TO gateway_owner;
