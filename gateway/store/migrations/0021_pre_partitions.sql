-- The rule state in 64 partitions across all products (core/partition.py), each saved by itself with a mark of its own.

CREATE TABLE partition_mark (                   -- up to which batch a partition's saved state goes, of all products
  partition smallint PRIMARY KEY,
  seq       bigint NOT NULL,
  revision  bigint NOT NULL                     -- of the catalog, at that batch
);
INSERT INTO partition_mark (partition, seq, revision)
SELECT n, coalesce(m.seq, 0), coalesce(m.revision, 0) FROM generate_series(0, 63) AS n LEFT JOIN ingest_mark m ON true;
DROP TABLE ingest_mark;

-- Null: saved by a version that put the units into 16 partitions by their numbers; the first start puts them in order.
ALTER TABLE rule_snapshot ADD seq bigint;       -- the batch that the state is of, or a later one: the partition's mark

-- Null: written by a version that did not know; so it may be any.
ALTER TABLE ingest_journal ADD partitions smallint[];  -- that the readings are of

-- Later batches wait, and later changes of the catalog are not yet in `rules`.
ALTER TABLE product_suspension ADD seq bigint NOT NULL DEFAULT 0;
