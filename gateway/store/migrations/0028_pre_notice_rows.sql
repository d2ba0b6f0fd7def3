-- Which notices are the person's, and by what a page of them is chosen; what they say is then looked up for that page only.
-- A recall is pinned while it is open, not acknowledged, and the unit is theirs (my_notice calls it resolved after that).
CREATE VIEW my_notice_row WITH (security_barrier) AS
SELECT n.id AS row, n.read_at,
       n.kind = 'recall' AND n.state = 'open' AND n.acknowledged_at IS NULL AND o.until > now() AS is_pinned
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
WHERE n.person_id = my_person();
GRANT SELECT ON my_notice_row TO gateway_owner;
