-- One message for many units of a campaign; and a grave alarm that comes back after an all-clear is sent again.

ALTER TABLE notice ADD group_size int;          -- of how many notices the message of its group is

-- Deliveries that go out again because an alarm came back after an all-clear.
ALTER TABLE outbox ADD renewed_at timestamptz;  -- tries before it do not count

-- The serials of the units that a message about many units is still needed for.
CREATE FUNCTION message_units(of_person bigint, of_key text, at timestamptz) RETURNS TABLE (serials text[])
LANGUAGE sql STABLE AS $$
  SELECT array_agg(u.printed ORDER BY n.id) FROM notice n JOIN unit u ON u.id = n.unit_id
  WHERE n.person_id = of_person AND n.group_key = of_key
    AND (n.state = 'open' OR n.state = 'resolved' AND n.severity = 'safety')
    AND EXISTS (SELECT FROM ownership w WHERE w.unit_id = n.unit_id AND w.person_id = n.person_id
                AND w.during @> at AND lower(w.during) <= n.created_at)
$$;

-- As before, and the size of the group.
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
       t.told, n.group_key, n.group_size
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

-- As before; without the feed, and with the deliveries of a message about many units.
CREATE OR REPLACE VIEW my_delivery WITH (security_barrier) AS
SELECT n.id AS notice, d.channel, d.status, coalesce(d.finished_at, d.due_at) AS at, d.reason
FROM my_notice n
JOIN notice lead ON lead.public_id = coalesce(n.group_key, n.id)
JOIN outbox d ON d.notice_id = lead.id AND d.channel <> 'feed';

-- As before; a message that arrived is of all notices of its group.
CREATE OR REPLACE FUNCTION count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
  SELECT n.campaign_id, d.channel, d.status, count(*) * TG_ARGV[0]::int
  FROM counted d JOIN notice n ON n.id = d.notice_id
  WHERE n.campaign_id IS NOT NULL AND d.channel <> 'feed'  -- what is left of it from before 0022
  GROUP BY n.campaign_id, d.channel, d.status;
  IF TG_ARGV[0]::int > 0 THEN
    INSERT INTO campaign_notice AS m (notice_id, campaign_id, is_counted, is_reached)
    SELECT DISTINCT n.id, n.campaign_id, is_counted(c.kind, u.standing), true
    FROM counted d
    JOIN notice lead ON lead.id = d.notice_id
    CROSS JOIN LATERAL (
      SELECT lead.id, lead.campaign_id, lead.unit_id
      UNION
      SELECT g.id, g.campaign_id, g.unit_id FROM notice g
      WHERE lead.group_key IS NOT NULL AND g.person_id = lead.person_id AND g.group_key = lead.public_id) n
    JOIN campaign c ON c.id = n.campaign_id
    JOIN campaign_unit u ON u.campaign_id = n.campaign_id AND u.unit_id = n.unit_id
    WHERE d.status = 'delivered' AND d.channel <> 'feed'
    ORDER BY n.id                               -- whoever touches several takes them in this order
    ON CONFLICT (notice_id) DO UPDATE SET is_reached = true WHERE NOT m.is_reached;
  END IF;
  RETURN NULL;
END $$;
ALTER FUNCTION count_deliveries() SET enable_hashjoin = off;
ALTER FUNCTION count_deliveries() SET enable_mergejoin = off;
ALTER FUNCTION count_deliveries() SET enable_seqscan = off;
