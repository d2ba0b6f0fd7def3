-- name: addresses
-- The addresses of people, whether a code proved them, and why they get no mail.
SELECT p.id AS person_id, p.email,
       coalesce(a.confirmed_at IS NOT NULL AND a.disabled_at IS NULL, false) AS confirmed, s.reason AS mail_refused
FROM person p
LEFT JOIN account a ON a.person_id = p.id
LEFT JOIN suppression s ON s.email = lower(p.email)
WHERE p.id = ANY (%(person_ids)s::bigint[]);

-- name: suppress
-- Send no more mail of notices to addresses; returns those that got mail until now.
INSERT INTO suppression (email, at, reason)
SELECT DISTINCT ON (lower(r.email)) lower(r.email), %(now)s, r.reason
FROM unnest(%(emails)s::text[], %(reasons)s::text[]) AS r (email, reason)
ON CONFLICT (email) DO NOTHING
RETURNING email;
