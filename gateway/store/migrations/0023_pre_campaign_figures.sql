-- How far a campaign came, in figures that are kept in the transactions that change what they count.
--
-- Every statement adds rows with its changes, and a figure is their sum. So nobody waits for a counter that another
-- transaction holds, and what is rolled back was never counted. The worker replaces many rows by their sum.

SET LOCAL statement_timeout = '1h';             -- a recall of a million units takes its time to be counted once
LOCK TABLE campaign, campaign_unit, ownership, notice, outbox, engagement IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE campaign_figure (
  campaign_id bigint  NOT NULL,
  channel     text    NOT NULL DEFAULT '',      -- of deliveries; else the figure counts units
  figure      text    NOT NULL,
  amount      bigint  NOT NULL,
  is_sum      boolean NOT NULL DEFAULT false    -- of rows that it replaced
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX campaign_figure_campaign ON campaign_figure (campaign_id);
CREATE UNIQUE INDEX campaign_figure_sum ON campaign_figure (campaign_id, channel, figure) WHERE is_sum;
CREATE INDEX campaign_figure_part ON campaign_figure (campaign_id) WHERE NOT is_sum;

-- Who owns a unit ----------------------------------------------------------------------------------------------

ALTER TABLE campaign_unit
  ADD person_id   bigint,                       -- who owned it when the worker last looked; null: nobody
  ADD owned_since timestamptz,
  ADD CHECK ((person_id IS NULL) = (owned_since IS NULL));

CREATE TABLE ownership_change (                 -- units whose owner is another from a moment on
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  unit_id bigint      NOT NULL,
  due_at  timestamptz NOT NULL
);
CREATE INDEX ownership_change_due ON ownership_change (due_at, id);

CREATE FUNCTION note_ownership_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ownership_change (unit_id, due_at)
  SELECT DISTINCT o.unit_id, t.due_at FROM changed o
  CROSS JOIN LATERAL (VALUES ('-infinity'::timestamptz), (lower(o.during)), (upper(o.during))) AS t (due_at)
  WHERE t.due_at = '-infinity' OR t.due_at > now();
  RETURN NULL;
END $$;

-- What became of notices -------------------------------------------------------------------------------------------

CREATE TABLE campaign_notice (                  -- from the first time that something came of it; no row: nothing did
  notice_id       bigint  PRIMARY KEY,          -- no reference: checking it would lock the notice, out of order
  campaign_id     bigint  NOT NULL,
  is_counted      boolean NOT NULL,             -- by unit: of a recall not what tells that a unit is no longer affected
  is_former       boolean NOT NULL DEFAULT false,  -- the unit is not in that ownership any more
  is_reached      boolean NOT NULL DEFAULT false,  -- delivered on a channel that leads to the person
  is_seen         boolean NOT NULL DEFAULT false,
  is_acknowledged boolean NOT NULL DEFAULT false,
  is_opened       boolean NOT NULL DEFAULT false   -- by the link of a message
);

-- Whether a campaign's progress counts units of this standing.
CREATE FUNCTION is_counted(kind text, standing text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT standing = CASE kind WHEN 'withdrawal' THEN 'cleared' ELSE 'affected' END
$$;

-- Counting ---------------------------------------------------------------------------------------------------------
-- Each function counts the rows of its transition table, TG_ARGV[0] times: 1 for what is there now, -1 for what was.

CREATE FUNCTION count_campaign_units() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, figure, amount)
  SELECT t.campaign_id, f.figure, f.amount * TG_ARGV[0]::int
  FROM (SELECT u.campaign_id, count(*) AS units, count(u.person_id) AS registered, count(u.closed_at) AS closed,
               count(u.due_at) AS due
        FROM counted u JOIN campaign c ON c.id = u.campaign_id
        WHERE is_counted(c.kind, u.standing)
        GROUP BY u.campaign_id) t
  CROSS JOIN LATERAL (VALUES ('units', t.units), ('registered', t.registered), ('closed', t.closed), ('due', t.due))
    AS f (figure, amount)
  WHERE f.amount > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION count_campaign_notices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
  SELECT t.campaign_id, f.channel, f.figure, f.amount * TG_ARGV[0]::int
  FROM (SELECT campaign_id,
               count(*) FILTER (WHERE is_counted AND NOT is_former AND (is_reached OR is_seen)) AS notified,
               count(*) FILTER (WHERE is_counted AND NOT is_former AND is_seen) AS seen,
               count(*) FILTER (WHERE is_counted AND NOT is_former AND is_acknowledged) AS acknowledged,
               count(*) FILTER (WHERE is_seen AND NOT is_opened) AS opened_in_feed
        FROM counted GROUP BY campaign_id) t
  CROSS JOIN LATERAL (VALUES ('', 'notified', t.notified), ('', 'seen', t.seen), ('', 'acknowledged', t.acknowledged),
                             ('feed', 'opened', t.opened_in_feed)) AS f (channel, figure, amount)
  WHERE f.amount > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
  SELECT n.campaign_id, d.channel, d.status, count(*) * TG_ARGV[0]::int
  FROM counted d JOIN notice n ON n.id = d.notice_id
  WHERE n.campaign_id IS NOT NULL AND d.channel <> 'feed'  -- what is left of it from before 0022
  GROUP BY n.campaign_id, d.channel, d.status;
  IF TG_ARGV[0]::int > 0 THEN
    INSERT INTO campaign_notice AS m (notice_id, campaign_id, is_counted, is_reached)
    SELECT DISTINCT n.id, n.campaign_id, is_counted(c.kind, u.standing), true
    FROM counted d
    JOIN notice n ON n.id = d.notice_id
    JOIN campaign c ON c.id = n.campaign_id
    JOIN campaign_unit u ON u.campaign_id = n.campaign_id AND u.unit_id = n.unit_id
    WHERE d.status = 'delivered' AND d.channel <> 'feed'
    ORDER BY n.id                               -- whoever touches several takes them in this order
    ON CONFLICT (notice_id) DO UPDATE SET is_reached = true WHERE NOT m.is_reached;
  END IF;
  RETURN NULL;
END $$;

-- What became of a notice in the feed, which is no delivery.
CREATE FUNCTION feed_status(is_held boolean, skip_reason text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN is_held THEN 'waiting' WHEN skip_reason IS NOT NULL THEN 'skipped' ELSE 'delivered' END
$$;

-- A notice whose unit has another owner, as far as the worker knows by now, counts as one to a former owner.
CREATE FUNCTION count_notices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
  SELECT n.campaign_id, 'feed', feed_status(n.is_held, n.skip_reason), count(*) FROM added n
  WHERE n.campaign_id IS NOT NULL
  GROUP BY n.campaign_id, feed_status(n.is_held, n.skip_reason);
  INSERT INTO campaign_notice (notice_id, campaign_id, is_counted, is_former)
  SELECT n.id, n.campaign_id, is_counted(c.kind, u.standing), true
  FROM added n
  JOIN campaign c ON c.id = n.campaign_id
  JOIN campaign_unit u ON u.campaign_id = n.campaign_id AND u.unit_id = n.unit_id
  WHERE (n.person_id, n.owned_since) IS DISTINCT FROM (u.person_id, u.owned_since);
  RETURN NULL;
END $$;

CREATE FUNCTION count_feed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
  VALUES (NEW.campaign_id, 'feed', feed_status(OLD.is_held, OLD.skip_reason), -1),
         (NEW.campaign_id, 'feed', feed_status(NEW.is_held, NEW.skip_reason), 1);
  RETURN NULL;
END $$;

CREATE FUNCTION note_attention() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_notice (notice_id, campaign_id, is_counted, is_seen, is_acknowledged)
  SELECT NEW.id, NEW.campaign_id, is_counted(c.kind, u.standing), NEW.read_at IS NOT NULL, NEW.acknowledged_at IS NOT NULL
  FROM campaign c JOIN campaign_unit u ON u.campaign_id = c.id
  WHERE c.id = NEW.campaign_id AND u.unit_id = NEW.unit_id
  ON CONFLICT (notice_id) DO UPDATE SET is_seen = excluded.is_seen, is_acknowledged = excluded.is_acknowledged;
  RETURN NULL;
END $$;

CREATE FUNCTION note_opened_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
  SELECT n.campaign_id, NEW.channel, 'opened', 1 FROM notice n
  WHERE n.id = NEW.notice_id AND n.campaign_id IS NOT NULL;
  INSERT INTO campaign_notice (notice_id, campaign_id, is_counted, is_opened)
  SELECT n.id, n.campaign_id, is_counted(c.kind, u.standing), true
  FROM notice n
  JOIN campaign c ON c.id = n.campaign_id
  JOIN campaign_unit u ON u.campaign_id = n.campaign_id AND u.unit_id = n.unit_id
  WHERE n.id = NEW.notice_id
  ON CONFLICT (notice_id) DO UPDATE SET is_opened = true;
  RETURN NULL;
END $$;

DO $$
DECLARE
  name text;
BEGIN
  -- Row by row, by their keys: such a plan is kept for the session, whatever number of rows it was made for.
  FOREACH name IN ARRAY ARRAY['count_deliveries', 'count_notices'] LOOP
    EXECUTE format('ALTER FUNCTION %I() SET enable_hashjoin = off', name);
    EXECUTE format('ALTER FUNCTION %I() SET enable_mergejoin = off', name);
    EXECUTE format('ALTER FUNCTION %I() SET enable_seqscan = off', name);
  END LOOP;
END $$;

-- Take up new owners of units in campaigns, `most` changes at a time, as of a moment; returns how many were taken up.
--
-- The caller holds Lock.CAMPAIGN_OWNERS, which an approval holds shared: an ownership that changes meanwhile waits here
-- until the units of the campaign can be seen. Units that the worker is looking at are left to the next turn.
CREATE FUNCTION take_up_owners(at timestamptz, most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  taken bigint[];
  units bigint[];
  campaigns bigint[];
  done int;
BEGIN
  SELECT array_agg(c.id), array_agg(DISTINCT c.unit_id) INTO taken, units
  FROM (SELECT id, unit_id FROM ownership_change WHERE due_at <= at ORDER BY due_at, id LIMIT most) c;
  SELECT array_agg(h.campaign_id), array_agg(h.unit_id) INTO campaigns, units
  FROM (SELECT campaign_id, unit_id FROM campaign_unit WHERE unit_id = ANY (units)
        ORDER BY campaign_id, unit_id FOR NO KEY UPDATE SKIP LOCKED) h;
  UPDATE campaign_unit u SET person_id = o.person_id, owned_since = o.since
  FROM unnest(campaigns, units) AS h (campaign_id, unit_id)
  LEFT JOIN LATERAL (SELECT w.person_id, lower(w.during) AS since FROM ownership w
                     WHERE w.unit_id = h.unit_id AND w.during @> at) o ON true
  WHERE u.campaign_id = h.campaign_id AND u.unit_id = h.unit_id
    AND (u.person_id, u.owned_since) IS DISTINCT FROM (o.person_id, o.since);
  INSERT INTO campaign_notice AS m (notice_id, campaign_id, is_counted, is_former)
  SELECT n.id, n.campaign_id, is_counted(c.kind, u.standing),
         (n.person_id, n.owned_since) IS DISTINCT FROM (u.person_id, u.owned_since)
  FROM unnest(campaigns, units) AS h (campaign_id, unit_id)
  JOIN campaign c ON c.id = h.campaign_id
  JOIN campaign_unit u ON u.campaign_id = h.campaign_id AND u.unit_id = h.unit_id
  JOIN notice n ON n.campaign_id = h.campaign_id AND n.unit_id = h.unit_id
  ORDER BY n.id
  ON CONFLICT (notice_id) DO UPDATE SET is_former = excluded.is_former WHERE m.is_former <> excluded.is_former;
  DELETE FROM ownership_change c WHERE c.id = ANY (taken) AND NOT EXISTS (
    SELECT FROM campaign_unit u
    LEFT JOIN LATERAL (SELECT w.person_id, lower(w.during) AS since FROM ownership w
                       WHERE w.unit_id = u.unit_id AND w.during @> at) o ON true
    WHERE u.unit_id = c.unit_id AND (u.person_id, u.owned_since) IS DISTINCT FROM (o.person_id, o.since));
  GET DIAGNOSTICS done = ROW_COUNT;
  RETURN done;
END $$;
ALTER FUNCTION take_up_owners(timestamptz, int) SET enable_hashjoin = off;
ALTER FUNCTION take_up_owners(timestamptz, int) SET enable_mergejoin = off;
ALTER FUNCTION take_up_owners(timestamptz, int) SET enable_seqscan = off;

-- What there is, counted once ------------------------------------------------------------------------------------

UPDATE campaign_unit u SET person_id = o.person_id, owned_since = lower(o.during)
FROM ownership o WHERE o.unit_id = u.unit_id AND o.during @> now();
INSERT INTO ownership_change (unit_id, due_at)
SELECT o.unit_id, t.due_at FROM ownership o
CROSS JOIN LATERAL (VALUES (lower(o.during)), (upper(o.during))) AS t (due_at) WHERE t.due_at > now();

CREATE TRIGGER campaign_notice_counted AFTER INSERT ON campaign_notice
  REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_notices('1');
INSERT INTO campaign_notice
SELECT n.id, n.campaign_id, is_counted(c.kind, u.standing),
       (n.person_id, n.owned_since) IS DISTINCT FROM (u.person_id, u.owned_since),
       EXISTS (SELECT FROM outbox d WHERE d.notice_id = n.id AND d.channel <> 'feed' AND d.status = 'delivered'),
       n.read_at IS NOT NULL, n.acknowledged_at IS NOT NULL,
       EXISTS (SELECT FROM engagement g WHERE g.notice_id = n.id AND g.kind = 'opened')
FROM notice n
JOIN campaign c ON c.id = n.campaign_id
JOIN campaign_unit u ON u.campaign_id = n.campaign_id AND u.unit_id = n.unit_id;
INSERT INTO campaign_figure (campaign_id, figure, amount)
SELECT t.campaign_id, f.figure, f.amount
FROM (SELECT u.campaign_id, count(*) AS units, count(u.person_id) AS registered, count(u.closed_at) AS closed,
             count(u.due_at) AS due
      FROM campaign_unit u JOIN campaign c ON c.id = u.campaign_id
      WHERE is_counted(c.kind, u.standing)
      GROUP BY u.campaign_id) t
CROSS JOIN LATERAL (VALUES ('units', t.units), ('registered', t.registered), ('closed', t.closed), ('due', t.due))
  AS f (figure, amount);
INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
SELECT n.campaign_id, d.channel, d.status, count(*) FROM outbox d JOIN notice n ON n.id = d.notice_id
WHERE n.campaign_id IS NOT NULL AND d.channel <> 'feed'
GROUP BY n.campaign_id, d.channel, d.status;
INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
SELECT campaign_id, 'feed', feed_status(is_held, skip_reason), count(*) FROM notice
WHERE campaign_id IS NOT NULL
GROUP BY campaign_id, feed_status(is_held, skip_reason);
INSERT INTO campaign_figure (campaign_id, channel, figure, amount)
SELECT n.campaign_id, g.channel, 'opened', count(*) FROM engagement g JOIN notice n ON n.id = g.notice_id
WHERE g.kind = 'opened' AND n.campaign_id IS NOT NULL
GROUP BY n.campaign_id, g.channel;

-- From now on ------------------------------------------------------------------------------------------------------

CREATE TRIGGER campaign_notice_counted_anew AFTER UPDATE ON campaign_notice
  REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_notices('1');
CREATE TRIGGER campaign_notice_uncounted AFTER UPDATE ON campaign_notice
  REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_notices('-1');

CREATE TRIGGER campaign_unit_counted AFTER INSERT ON campaign_unit
  REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_units('1');
CREATE TRIGGER campaign_unit_counted_anew AFTER UPDATE ON campaign_unit
  REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_units('1');
CREATE TRIGGER campaign_unit_uncounted AFTER UPDATE ON campaign_unit
  REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_units('-1');

CREATE TRIGGER outbox_counted AFTER INSERT ON outbox
  REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries('1');
CREATE TRIGGER outbox_counted_anew AFTER UPDATE ON outbox
  REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries('1');
CREATE TRIGGER outbox_uncounted AFTER UPDATE ON outbox
  REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries('-1');
CREATE TRIGGER outbox_gone AFTER DELETE ON outbox
  REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries('-1');

CREATE TRIGGER notice_counted AFTER INSERT ON notice
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_notices();
CREATE TRIGGER notice_in_feed AFTER UPDATE ON notice FOR EACH ROW
  WHEN (NEW.campaign_id IS NOT NULL AND (OLD.is_held, OLD.skip_reason) IS DISTINCT FROM (NEW.is_held, NEW.skip_reason))
  EXECUTE FUNCTION count_feed_change();
CREATE TRIGGER notice_attended AFTER UPDATE ON notice FOR EACH ROW
  WHEN (NEW.campaign_id IS NOT NULL AND (OLD.read_at, OLD.acknowledged_at)
                                        IS DISTINCT FROM (NEW.read_at, NEW.acknowledged_at))
  EXECUTE FUNCTION note_attention();
CREATE TRIGGER engagement_opened AFTER INSERT ON engagement FOR EACH ROW
  WHEN (NEW.kind = 'opened' AND NEW.notice_id IS NOT NULL) EXECUTE FUNCTION note_opened_link();

CREATE TRIGGER ownership_began AFTER INSERT ON ownership
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_ownership_change();
CREATE TRIGGER ownership_changed AFTER UPDATE ON ownership
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_ownership_change();
CREATE TRIGGER ownership_gone AFTER DELETE ON ownership
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_ownership_change();
