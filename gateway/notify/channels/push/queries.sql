-- name: phones
-- Phones of people that may be told, the oldest first.
SELECT person_id, id, kind, value FROM push_token
WHERE person_id = ANY (%(person_ids)s::bigint[]) AND retired_at IS NULL ORDER BY id;

-- name: retire
-- Tell phones nothing any more; returns those that were told until now.
UPDATE push_token t SET retired_at = %(now)s, retired_reason = r.reason
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS r (id, reason)
WHERE t.id = r.id AND t.retired_at IS NULL
RETURNING t.person_id, t.retired_reason AS reason;
