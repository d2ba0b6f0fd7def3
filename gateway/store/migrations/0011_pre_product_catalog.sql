-- The product catalog in revisions: what products measured, and which rules were in force, by a number in commit order.

CREATE TABLE catalog_revision (                 -- a change of the catalog; written under a lock held to its commit
  number bigint      PRIMARY KEY,               -- one higher with each commit
  at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor  text        NOT NULL,
  what   text        NOT NULL
);

CREATE TABLE product_revision (                 -- a product from this revision of the catalog to its next one
  product_id int    NOT NULL REFERENCES product,
  revision   bigint NOT NULL,
  rules      int[]  NOT NULL,                   -- the rule versions in force
  PRIMARY KEY (product_id, revision)
);

CREATE TABLE product_revision_metric (          -- its metric registry
  product_id  int      NOT NULL,
  revision    bigint   NOT NULL,
  metric_id   smallint NOT NULL REFERENCES metric,
  position    smallint NOT NULL,
  title       jsonb    NOT NULL,
  unit        text     NOT NULL,
  low         float8   NOT NULL,
  high        float8   NOT NULL,
  normal_low  float8,
  normal_high float8,
  cadence     interval NOT NULL,
  PRIMARY KEY (product_id, revision, metric_id),
  FOREIGN KEY (product_id, revision) REFERENCES product_revision ON DELETE CASCADE
);

CREATE TABLE product_suspension (               -- a product whose readings are stored, and not judged for now
  product_id int         PRIMARY KEY REFERENCES product,
  product    text        NOT NULL,              -- its code: readiness reads it, and must not wait for a locked product
  since      timestamptz NOT NULL,
  reason     text        NOT NULL,
  rules      int[]       NOT NULL               -- versions in force ever since the saved state: of others it knows nothing
);

CREATE TABLE unjudged_batch (                   -- a suspended product's part of a batch; kept as long as its readings are
  product_id int         NOT NULL REFERENCES product,
  seq        bigint      NOT NULL,              -- of the batch in the journal
  at         timestamptz NOT NULL,
  readings   bytea       NOT NULL,              -- as in the journal
  PRIMARY KEY (product_id, seq)
);

-- 0: written by a version that knew no revisions, so of the revision before.
ALTER TABLE ingest_journal ADD revision bigint NOT NULL DEFAULT 0;
ALTER TABLE ingest_mark ADD revision bigint NOT NULL DEFAULT 0;

-- What is here becomes revision 2. Revision 1 has the rules that the saved state is of: others may be in force since.
INSERT INTO catalog_revision (number, actor, what)
SELECT n, 'gateway', 'brought over' FROM generate_series(1, 2) AS n WHERE EXISTS (SELECT FROM product);

INSERT INTO product_revision (product_id, revision, rules)
SELECT p.id, n, coalesce((
  SELECT array_agg(v.id ORDER BY v.id) FROM rule_version v
  WHERE v.product_id = p.id
    AND CASE n WHEN 2 THEN v.active ELSE v.id = ANY((SELECT m.versions FROM ingest_mark m)::int[]) END), '{}')
FROM product p CROSS JOIN generate_series(1, 2) AS n;

INSERT INTO product_revision_metric
SELECT r.product_id, n, r.metric_id, r.position, r.title, r.unit, r.low, r.high, r.normal_low, r.normal_high, r.cadence
FROM product_metric r CROSS JOIN generate_series(1, 2) AS n;

UPDATE ingest_mark SET revision = 1 WHERE EXISTS (SELECT FROM product);
