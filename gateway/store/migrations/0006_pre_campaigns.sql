-- Campaigns: recalls, updates and withdrawals, their frozen audiences, and the notices that come of them.

-- Dotted numbers as they are compared: 2.4.0 = 2.4 < 2.10. Anything else is no version that we know.
CREATE FUNCTION firmware_key(version text) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN version ~ '^\d{1,18}(\.\d{1,18})*$'
              THEN string_to_array(regexp_replace(version, '(\.0+)+$', ''), '.')::bigint[] END
$$;

CREATE INDEX unit_lot ON unit (product_id, lot);

-- Campaigns -----------------------------------------------------------------------------------------------------

CREATE TABLE campaign (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id    text        NOT NULL UNIQUE,
  number       text        NOT NULL UNIQUE,     -- R-2026-01: kind, year, running
  kind         text        NOT NULL CHECK (kind IN ('recall', 'update', 'withdrawal')),
  state        text        NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'superseded', 'withdrawn')),
  product_id   int         NOT NULL REFERENCES product,
  content      jsonb       NOT NULL,            -- texts by language, see campaigns/model.py
  audience     jsonb,                           -- none: that of the campaign which is withdrawn
  version      int         NOT NULL DEFAULT 1,  -- counts the edits
  authors      bigint[]    NOT NULL,            -- everybody who drafted or edited: none of them approves
  created_at   timestamptz NOT NULL,
  edited_by    bigint      NOT NULL REFERENCES person,
  edited_at    timestamptz NOT NULL,
  approved_by  bigint      REFERENCES person,
  published_at timestamptz,
  units        int,                             -- the frozen count
  supersedes   bigint      REFERENCES campaign,
  ended_at     timestamptz,
  CHECK ((kind = 'withdrawal') <= (audience IS NULL AND supersedes IS NOT NULL)),
  CHECK ((state = 'draft') = (published_at IS NULL)),
  CHECK ((published_at IS NULL) = (approved_by IS NULL) AND (published_at IS NULL) = (units IS NULL)),
  CHECK (approved_by IS NULL OR NOT approved_by = ANY (authors)),
  CHECK ((state IN ('superseded', 'withdrawn')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX campaign_successor ON campaign (supersedes) WHERE state <> 'draft';

CREATE TABLE campaign_unit (                    -- the audience, frozen when the campaign was approved
  campaign_id bigint      NOT NULL REFERENCES campaign,
  unit_id     bigint      NOT NULL REFERENCES unit,
  standing    text        NOT NULL CHECK (standing IN ('affected', 'cleared')),
  matched     text        NOT NULL,             -- lot L2305, serial list, firmware 2.3.1
  due_at      timestamptz,                      -- the worker has to look at it: after publishing, after a claim
  closed_at   timestamptz,                      -- the unit reported the version of the update
  PRIMARY KEY (campaign_id, unit_id)
);
CREATE INDEX campaign_unit_unit ON campaign_unit (unit_id);
CREATE INDEX campaign_unit_due ON campaign_unit (campaign_id, due_at, unit_id) WHERE due_at IS NOT NULL;

-- What was published stays what it was: it is superseded or withdrawn, never edited.
CREATE FUNCTION campaign_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE'
     OR (NEW.public_id, NEW.number, NEW.kind, NEW.product_id, NEW.content, NEW.audience, NEW.version, NEW.authors,
         NEW.approved_by, NEW.published_at, NEW.units, NEW.supersedes)
        IS DISTINCT FROM
        (OLD.public_id, OLD.number, OLD.kind, OLD.product_id, OLD.content, OLD.audience, OLD.version, OLD.authors,
         OLD.approved_by, OLD.published_at, OLD.units, OLD.supersedes)
     OR NEW.state = 'draft' THEN
    RAISE EXCEPTION 'campaign % is published: it is superseded or withdrawn, never changed', OLD.number;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER campaign_published BEFORE UPDATE OR DELETE ON campaign
  FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION campaign_is_published();

CREATE FUNCTION audience_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT FROM added a JOIN campaign c ON c.id = a.campaign_id WHERE c.state <> 'draft') THEN
      RETURN NULL;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audience of a published campaign is frozen';
END $$;

CREATE TRIGGER campaign_unit_frozen AFTER INSERT ON campaign_unit
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audience_is_frozen();
CREATE TRIGGER campaign_unit_kept BEFORE DELETE OR TRUNCATE OR UPDATE OF campaign_id, unit_id, standing, matched
  ON campaign_unit FOR EACH STATEMENT EXECUTE FUNCTION audience_is_frozen();

-- The units that an audience names. The live count and the freeze both ask here, so that they cannot differ.
CREATE FUNCTION audience_unit(product int, lots text[], serials text[], below text)
  RETURNS TABLE (unit_id bigint, matched text) LANGUAGE sql STABLE AS $$
  SELECT u.id, 'lot ' || u.lot FROM unit u WHERE u.product_id = product AND u.lot = ANY (lots)
  UNION ALL
  SELECT u.id, 'serial list' FROM unit u WHERE u.product_id = product AND u.serial = ANY (serials)
  UNION ALL
  SELECT u.id, 'firmware ' || u.firmware FROM unit u
  WHERE u.product_id = product AND below IS NOT NULL AND u.firmware IN (
    -- OFFSET 0: a product has few versions and many units, so each version is read once.
    SELECT v.firmware FROM (SELECT DISTINCT firmware FROM unit WHERE product_id = product OFFSET 0) v
    WHERE firmware_key(v.firmware) < firmware_key(below))
$$;

-- Notices of campaigns --------------------------------------------------------------------------------------------

ALTER TABLE notice
  ALTER rule_id DROP NOT NULL,
  ADD campaign_id bigint REFERENCES campaign,
  ADD kind        text NOT NULL DEFAULT 'alarm' CHECK (kind IN ('alarm', 'recall', 'update', 'withdrawal')),
  ADD owned_since timestamptz,                  -- when the ownership began in which a campaign was told
  ADD CHECK ((rule_id IS NULL) <> (campaign_id IS NULL)),
  ADD CHECK ((kind = 'alarm') = (campaign_id IS NULL) AND (campaign_id IS NULL) = (owned_since IS NULL)),
  ADD CONSTRAINT notice_campaign_once UNIQUE (campaign_id, unit_id, person_id, owned_since),  -- nobody is told twice
  DROP CONSTRAINT notice_state_check,
  ADD CONSTRAINT notice_state_check CHECK (state IN ('open', 'resolved', 'withdrawn'));

ALTER TABLE ledger
  ALTER alarm_id DROP NOT NULL,
  ADD campaign_id bigint REFERENCES campaign,
  ADD unit_id     bigint REFERENCES unit,       -- of a campaign; an alarm has its own
  ADD CHECK ((alarm_id IS NULL) <> (campaign_id IS NULL)),
  ADD CHECK ((campaign_id IS NULL) = (unit_id IS NULL));

-- As before, and the kind. What became of a campaign after the unit was given up is not his to know either.
CREATE OR REPLACE VIEW my_notice WITH (security_barrier) AS
SELECT n.id AS row, n.public_id AS id, n.severity, n.count, n.text, n.created_at, n.read_at, n.acknowledged_at,
       least(n.updated_at, o.until) AS updated_at,
       CASE WHEN o.until <= now() AND (n.resolved_at >= o.until) IS NOT FALSE THEN 'resolved' ELSE n.state END AS state,
       CASE WHEN o.until <= now() THEN least(n.resolved_at, o.until) ELSE n.resolved_at END AS resolved_at,
       CASE WHEN o.until > now() OR n.resolved_at < o.until THEN n.why
            WHEN n.kind <> 'alarm' THEN n.why || jsonb_build_object('replaced_by', NULL)
            ELSE n.why || jsonb_build_object('cleared_at', NULL, 'cleared_value', NULL, 'cleared_reason',
                                             'the unit is no longer yours')
                 || CASE WHEN n.updated_at < o.until THEN '{}'
                         ELSE jsonb_build_object('extreme', n.why->'value') END
       END AS why,
       u.public_id AS unit, u.printed AS serial, p.name AS product, p.model,
       held.due_at AS held_until, held.reason AS hold_reason, n.kind
FROM notice n
JOIN my_tenure o ON o.unit_id = n.unit_id AND n.created_at >= o.since AND n.created_at < o.until
JOIN unit u ON u.id = n.unit_id
JOIN product p ON p.id = u.product_id
LEFT JOIN outbox held ON held.notice_id = n.id AND held.channel = 'feed' AND held.status = 'waiting'
                     AND held.due_at > now()
WHERE n.person_id = my_person();
