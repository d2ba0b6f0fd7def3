-- The progress of campaigns, counted in full from what is stored: what the kept figures are compared with.

-- name: progress
-- How far campaigns came, by unit: what the owners of now were told and did.
SELECT cu.campaign_id, count(*) AS units, count(o.unit_id) AS registered, count(*) - count(o.unit_id) AS unregistered,
       count(*) FILTER (WHERE n.read_at IS NOT NULL OR EXISTS (
         SELECT FROM outbox d JOIN notice lead ON lead.id = d.notice_id
         WHERE lead.public_id = coalesce(n.group_key, n.public_id) AND d.channel <> 'feed' AND d.status = 'delivered')) AS notified,
       count(n.read_at) AS seen, count(n.acknowledged_at) AS acknowledged, count(cu.closed_at) AS closed,
       count(*) FILTER (WHERE cu.due_at <= %(now)s) AS pending
FROM campaign_unit cu
JOIN campaign c ON c.id = cu.campaign_id
LEFT JOIN ownership o ON o.unit_id = cu.unit_id AND o.during @> %(now)s::timestamptz
LEFT JOIN notice n ON n.campaign_id = cu.campaign_id AND n.unit_id = cu.unit_id AND n.person_id = o.person_id
                  AND n.owned_since = lower(o.during)
WHERE cu.campaign_id = ANY (%(ids)s::bigint[])
  AND cu.standing = CASE c.kind WHEN 'withdrawal' THEN 'cleared' ELSE 'affected' END
GROUP BY cu.campaign_id;

-- name: channels
-- The deliveries of campaigns by channel, and the feed; there a notice counts as opened that was read and opened nowhere else.
SELECT n.campaign_id, d.channel, count(*) AS sent, count(*) FILTER (WHERE d.status = 'delivered') AS delivered,
       count(*) FILTER (WHERE CASE d.channel WHEN 'feed' THEN n.read_at IS NOT NULL AND e.opened IS NULL
                                             ELSE d.channel = ANY (e.opened) END) AS opened,
       count(*) FILTER (WHERE d.status IN ('waiting', 'claimed')) AS waiting,
       count(*) FILTER (WHERE d.status = 'unknown') AS unknown,
       count(*) FILTER (WHERE d.status = 'failed') AS failed,
       count(*) FILTER (WHERE d.status = 'skipped') AS skipped
FROM notice n
CROSS JOIN LATERAL (
  SELECT channel, status FROM outbox WHERE notice_id = n.id AND channel <> 'feed'
  UNION ALL
  SELECT 'feed', CASE WHEN n.is_held THEN 'waiting' WHEN n.skip_reason IS NOT NULL THEN 'skipped' ELSE 'delivered' END) d
LEFT JOIN LATERAL (SELECT array_agg(g.channel) AS opened FROM engagement g
                   WHERE g.notice_id = n.id AND g.kind = 'opened') e ON true
WHERE n.campaign_id = ANY (%(ids)s::bigint[])
GROUP BY n.campaign_id, d.channel
ORDER BY n.campaign_id, array_position(ARRAY['feed', 'email', 'push'], d.channel);
