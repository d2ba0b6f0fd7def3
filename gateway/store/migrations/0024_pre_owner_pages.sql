-- An owner's pages look up what they show by keys, however many units and notices there are.

-- Only the other views read it, and they are barriers themselves. As one of its own it was read as a whole for each unit.
ALTER VIEW my_tenure RESET (security_barrier);

CREATE INDEX ownership_person_unit ON ownership (person_id, unit_id);
DROP INDEX ownership_person;

-- The feed goes by the number of the notice, the newest first.
CREATE INDEX notice_person_id ON notice (person_id, id);
DROP INDEX notice_person;

-- Which notices are the person's, and by what a page of them is chosen; what they say is then looked up for that page only.
-- A recall is pinned while it is open, not acknowledged, and the unit is theirs (my_notice calls it resolved after that).
CREATE VIEW my_notice_row WITH (security_barrier) AS
SELECT n.id AS row, n.read_at,
       n.kind = 'recall' AND n.state = 'open' AND n.acknowledged_at IS NULL AND o.until > now() AS is_pinned
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
WHERE n.person_id = my_person();
GRANT SELECT ON my_notice_row TO gateway_owner;
