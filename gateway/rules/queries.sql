-- name: newest_version
-- The newest version of a rule.
SELECT id, version, digest, active FROM rule_version WHERE rule_id = %(rule_id)s ORDER BY version DESC LIMIT 1;

-- name: retire
-- Take the active version of a rule out of force.
UPDATE rule_version v SET active = false FROM product p
WHERE v.rule_id = %(rule_id)s AND v.active AND p.id = v.product_id
RETURNING v.id, v.version, p.code AS product;

-- name: reactivate
-- Activate an earlier version again.
UPDATE rule_version SET active = true WHERE id = %(id)s;

-- name: insert_version
-- Write a new version of a rule, in force from now on.
INSERT INTO rule_version (rule_id, version, product_id, document, schema, digest, active)
SELECT %(rule_id)s, %(version)s, p.id, %(document)s, %(schema)s, %(digest)s, true FROM product p WHERE p.code = %(product)s
RETURNING id;

-- name: active_ids
-- The rule versions in force, and the newest revision of the catalog.
SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids,
       (SELECT coalesce(max(number), 0) FROM catalog_revision) AS revision
FROM rule_version WHERE active;

-- name: in_force_at
-- The rule versions in force at a revision of the catalog, by product.
SELECT DISTINCT ON (product_id) product_id, rules FROM product_revision
WHERE revision <= %(revision)s ORDER BY product_id, revision DESC;

-- name: in_force_of
-- The documents of the rules in force for products, by product code.
SELECT v.id, v.rule_id, v.version, v.product_id, v.document, v.schema, p.code AS product
FROM rule_version v JOIN product p ON p.id = v.product_id
WHERE v.active AND p.code = ANY(%(products)s) ORDER BY v.rule_id;

-- name: versions
-- Rule versions by number.
SELECT id, rule_id, version, product_id, document, schema FROM rule_version WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: insert_alarms
-- Create alarms unless they exist: (version, unit, onset) is an alarm's identity.
WITH changes AS (
  SELECT * FROM unnest(%(public_ids)s::text[], %(versions)s::int[], %(units)s::bigint[], %(severities)s::text[],
                       %(onsets)s::timestamptz[], %(raised_at)s::timestamptz[], %(historic)s::boolean[],
                       %(evidence)s::jsonb[]) WITH ORDINALITY
    AS g (public_id, version_id, unit_id, severity, onset, raised_at, historic, evidence, line)
), inserted AS (
  INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic, evidence,
                     schema)
  SELECT public_id, version_id, unit_id, severity, onset, raised_at, %(now)s, historic, evidence, %(schema)s
  FROM changes ORDER BY line
  ON CONFLICT (rule_version_id, unit_id, onset) DO NOTHING
  RETURNING id, public_id, historic
)
SELECT i.id, i.public_id, i.historic, g.line FROM inserted i JOIN changes g USING (public_id);

-- name: clear_alarms
-- Clear the active ones of some alarms.
UPDATE alarm a SET cleared_at = g.cleared_at, clearing = g.clearing, clearing_schema = %(schema)s, revision = revision + 1
FROM unnest(%(versions)s::int[], %(units)s::bigint[], %(onsets)s::timestamptz[], %(cleared_at)s::timestamptz[],
            %(clearings)s::jsonb[]) WITH ORDINALITY AS g (version_id, unit_id, onset, cleared_at, clearing, line)
WHERE a.rule_version_id = g.version_id AND a.unit_id = g.unit_id AND a.onset = g.onset AND a.cleared_at IS NULL
RETURNING a.id, a.public_id, a.historic, g.line;

-- name: clear_retired
-- Clear the active alarms of rule versions that are out of force.
UPDATE alarm a SET cleared_at = %(cleared_at)s, clearing = %(clearing)s, clearing_schema = %(schema)s,
       revision = revision + 1
FROM rule_version v
WHERE v.id = a.rule_version_id AND a.cleared_at IS NULL AND NOT v.id = ANY(%(in_force)s)
RETURNING a.id, a.public_id, a.unit_id, a.historic, v.rule_id, v.version;

-- name: clear_product
-- Clear the active alarms of a product.
UPDATE alarm a SET cleared_at = %(cleared_at)s, clearing = %(clearing)s, clearing_schema = %(schema)s,
       revision = revision + 1
FROM rule_version v
WHERE v.id = a.rule_version_id AND a.cleared_at IS NULL AND v.product_id = %(product_id)s
RETURNING a.id, a.public_id, a.unit_id, a.historic, v.rule_id, v.version;

-- name: alarms
-- Alarms with their rules' documents and their units.
SELECT a.id, a.public_id, a.unit_id, a.severity, a.onset, a.raised_at, a.judged_at, a.historic, a.evidence,
       a.cleared_at, a.clearing, a.schema, a.clearing_schema, v.rule_id, v.version, v.document,
       v.schema AS rule_schema, u.printed AS serial,
       p.name AS product_name,
       (SELECT r.title FROM product_metric r JOIN metric m ON m.id = r.metric_id
        WHERE r.product_id = p.id AND m.name = a.evidence->>'metric') AS metric_title
FROM alarm a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN unit u ON u.id = a.unit_id
JOIN product p ON p.id = u.product_id
WHERE a.id = ANY (%(ids)s::bigint[])
ORDER BY a.id;

-- name: marks
-- The batch up to which each partition is saved, and the revision of the catalog at that batch.
SELECT partition, seq, revision FROM partition_mark ORDER BY partition;

-- name: set_mark
-- Store the batch up to which a partition is saved.
INSERT INTO partition_mark (partition, seq, revision) VALUES (%(partition)s, %(seq)s, %(revision)s)
ON CONFLICT (partition) DO UPDATE SET seq = excluded.seq, revision = excluded.revision;

-- name: snapshots
-- The saved rule state, by product and partition.
SELECT product_id, partition, seq, state, schema FROM rule_snapshot ORDER BY product_id, partition;

-- name: snapshot_of
-- The saved rule state of one product, by partition.
SELECT product_id, partition, seq, state, schema FROM rule_snapshot WHERE product_id = %(product_id)s ORDER BY partition;

-- name: save_snapshot
-- Save the state of one product's partition.
INSERT INTO rule_snapshot (product_id, partition, seq, state, schema)
VALUES (%(product_id)s, %(partition)s, %(seq)s, %(state)s, %(schema)s)
ON CONFLICT (product_id, partition) DO UPDATE
SET seq = excluded.seq, state = excluded.state, schema = excluded.schema;

-- name: drop_snapshots
-- Drop the saved rule state of one product.
DELETE FROM rule_snapshot WHERE product_id = %(product_id)s;

-- name: forget_alarms
-- Delete the alarms that were cleared longest ago and that no notice, ledger line or new owner refers to, with their acts.
WITH old AS MATERIALIZED (
  SELECT a.id FROM alarm a
  WHERE a.cleared_at < %(before)s AND NOT EXISTS (SELECT FROM notice_alarm n WHERE n.alarm_id = a.id)
    AND NOT EXISTS (SELECT FROM ledger l WHERE l.alarm_id = a.id)
    AND NOT EXISTS (SELECT FROM alarm_due d WHERE d.alarm_id = a.id)
  ORDER BY a.cleared_at LIMIT %(limit)s
  FOR UPDATE SKIP LOCKED
), acts AS (
  DELETE FROM alarm_act WHERE alarm_id IN (SELECT id FROM old)
)
DELETE FROM alarm WHERE id IN (SELECT id FROM old);
