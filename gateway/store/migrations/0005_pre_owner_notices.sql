-- The owner's views of notices and deliveries. (Behind 0004, whose columns they show.)

CREATE INDEX notice_unread ON notice (person_id) WHERE read_at IS NULL;

-- What he was told while the unit was his. When it is no longer his, the notice is over, and what came later stays out.
CREATE VIEW my_notice WITH (security_barrier) AS
SELECT n.id AS row, n.public_id AS id, n.severity, n.count, n.text, n.created_at, n.read_at, n.acknowledged_at,
       least(n.updated_at, o.until) AS updated_at,
       CASE WHEN o.until <= now() THEN 'resolved' ELSE n.state END AS state,
       CASE WHEN o.until <= now() THEN least(n.resolved_at, o.until) ELSE n.resolved_at END AS resolved_at,
       CASE WHEN o.until > now() OR n.resolved_at < o.until THEN n.why
            ELSE n.why || jsonb_build_object('cleared_at', NULL, 'cleared_value', NULL, 'cleared_reason',
                                             'the unit is no longer yours')
                 || CASE WHEN n.updated_at < o.until THEN '{}'
                         ELSE jsonb_build_object('extreme', n.why->'value') END
       END AS why,
       u.public_id AS unit, u.printed AS serial, p.name AS product, p.model,
       held.due_at AS held_until, held.reason AS hold_reason
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
JOIN unit u ON u.id = n.unit_id
JOIN product p ON p.id = u.product_id
LEFT JOIN outbox held ON held.notice_id = n.id AND held.channel = 'feed' AND held.status = 'waiting'
                     AND held.due_at > now()
WHERE n.person_id = my_person();

CREATE VIEW my_delivery WITH (security_barrier) AS  -- how each notice of his went, channel by channel
SELECT n.id AS notice, d.channel, d.status, coalesce(d.finished_at, d.due_at) AS at, d.reason
FROM my_notice n
JOIN outbox d ON d.notice_id = n.row;

GRANT SELECT ON my_notice, my_delivery TO gateway_owner;
