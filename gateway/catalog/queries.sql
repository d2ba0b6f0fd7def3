-- name: newest
-- The number of the newest revision.
SELECT number FROM catalog_revision ORDER BY number DESC LIMIT 1;

-- name: begin_revision
-- Number a new revision; the caller holds the lock.
INSERT INTO catalog_revision (number, actor, what)
SELECT coalesce(max(number), 0) + 1, %(actor)s, %(what)s FROM catalog_revision
RETURNING number;

-- name: revise_product
-- Store the rule versions of a product that are in force from a revision on.
INSERT INTO product_revision (product_id, revision, rules)
SELECT p.id, %(revision)s, coalesce((SELECT array_agg(v.id ORDER BY v.id) FROM rule_version v
                                     WHERE v.product_id = p.id AND v.active), '{}')
FROM product p WHERE p.code = %(product)s
RETURNING product_id;

-- name: revise_metrics
-- Store a product's metric registry from a revision on.
INSERT INTO product_revision_metric
  (product_id, revision, metric_id, position, title, unit, low, high, normal_low, normal_high, cadence)
SELECT product_id, %(revision)s, metric_id, position, title, unit, low, high, normal_low, normal_high, cadence
FROM product_metric WHERE product_id = %(product_id)s;

-- name: forget_revisions
-- Delete a product's revisions before the one of the oldest saved rule state: no replay reaches back to them.
DELETE FROM product_revision r
WHERE r.product_id = %(product_id)s AND EXISTS (
  SELECT FROM product_revision n
  WHERE n.product_id = r.product_id AND n.revision > r.revision
    AND n.revision <= (SELECT min(revision) FROM partition_mark));

-- name: forget_numbers
-- Delete all but the newest revision numbers with actor and change; the event log keeps all of them.
DELETE FROM catalog_revision WHERE number <= %(revision)s::bigint - %(keep)s::bigint;

-- name: suspensions
-- The suspended products, with time and reason.
SELECT product_id, product, since, reason FROM product_suspension ORDER BY product;

-- name: suspend
-- Suspend a product, or give a suspended one a new reason; the time of the suspension stays.
INSERT INTO product_suspension AS s (product_id, product, since, reason, rules, seq)
SELECT id, code, %(now)s, %(reason)s, %(rules)s, %(seq)s FROM product WHERE id = %(product_id)s
ON CONFLICT (product_id) DO UPDATE SET reason = excluded.reason WHERE s.reason <> excluded.reason
RETURNING since;

-- name: suspended_at
-- The suspended products, and the batch after which the readings of each one wait.
SELECT product_id, seq FROM product_suspension;

-- name: resume
-- End a product's suspension.
DELETE FROM product_suspension WHERE product_id = %(product_id)s RETURNING since;

-- name: narrow
-- Remove rule versions that are no longer in force from the lists of products suspended before a batch.
UPDATE product_suspension s SET rules = ARRAY(SELECT unnest(s.rules) INTERSECT SELECT unnest(%(in_force)s::int[]))
WHERE s.seq < %(seq)s;

-- name: saved_under
-- Store the rule versions and the batch of a suspended product's saved state.
UPDATE product_suspension SET rules = %(rules)s, seq = %(seq)s WHERE product_id = %(product_id)s;

-- name: kept_rules
-- The rule versions that were always in force since a suspended product's state was saved.
SELECT rules FROM product_suspension WHERE product_id = %(product_id)s;

-- name: forget_state
-- Delete a suspended product's saved rule state, for all rule versions.
WITH dropped AS (DELETE FROM rule_snapshot WHERE product_id = %(product_id)s)
UPDATE product_suspension SET rules = '{}' WHERE product_id = %(product_id)s;

-- name: product_code
-- The code of a product.
SELECT code FROM product WHERE id = %(product_id)s;

-- name: keep_unjudged
-- Store the readings of suspended products in a batch; a batch that is stored already stays.
INSERT INTO unjudged_batch (product_id, seq, at, readings)
SELECT product_id, %(seq)s, now(), readings
FROM unnest(%(products)s::int[], %(readings)s::bytea[]) AS n (product_id, readings)
ON CONFLICT (product_id, seq) DO NOTHING;

-- name: unjudged
-- The next batches of a suspended product, in order, up to so many bytes.
SELECT seq, readings FROM (
  SELECT seq, readings, sum(octet_length(readings)) OVER (ORDER BY seq) - octet_length(readings) AS before
  FROM (SELECT seq, readings FROM unjudged_batch WHERE product_id = %(product_id)s ORDER BY seq LIMIT %(batches)s) AS next
) AS summed
WHERE before < %(bytes)s ORDER BY seq;

-- name: drop_judged
-- Delete the unjudged batches of a product up to one. Returns whether there are more; a look-up by the key is fast.
WITH deleted AS (
  DELETE FROM unjudged_batch WHERE product_id = %(product_id)s AND seq <= %(seq)s
)
SELECT (SELECT seq FROM unjudged_batch WHERE product_id = %(product_id)s AND seq > %(seq)s
        ORDER BY seq LIMIT 1) IS NOT NULL AS more;

-- name: drop_unjudged
-- Delete unjudged batches from before a time, when their readings are deleted too.
DELETE FROM unjudged_batch WHERE at < %(before)s;
