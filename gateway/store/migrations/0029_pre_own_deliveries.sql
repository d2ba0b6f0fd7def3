-- The deliveries of an owner's notices are looked up by the notice alone: a page of the feed asks for each of its notices.
CREATE OR REPLACE VIEW my_delivery WITH (security_barrier) AS
SELECT n.public_id AS notice, d.channel, d.status, coalesce(d.finished_at, d.due_at) AS at, d.reason
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
JOIN outbox d ON d.channel <> 'feed'            -- of a message about many units, those of its first notice
             AND d.notice_id = coalesce((SELECT lead.id FROM notice lead WHERE lead.public_id = n.group_key), n.id)
WHERE n.person_id = my_person();
