-- Units as the staff look for them and read them: what is urgent, what their firmware was, and figures by product.

-- Lists --------------------------------------------------------------------------------------------------------

CREATE INDEX unit_by_firmware ON unit (product_id, firmware);
CREATE INDEX alarm_urgent ON alarm (severity, unit_id) WHERE cleared_at IS NULL;

-- How urgent a unit is: 1 recalled, 2 safety or critical alarm, 3 a recall that may concern it, 4 warning, 5 update,
-- 6 information, 7 nothing. By subqueries, so that each unit is looked up, however many there are.
CREATE FUNCTION unit_urgency(of_unit bigint) RETURNS TABLE (urgency int) LANGUAGE sql STABLE AS $$
  SELECT least(
    (SELECT min(CASE c.kind WHEN 'recall' THEN 1 WHEN 'update' THEN 5 END)
     FROM campaign_unit m JOIN campaign c ON c.id = m.campaign_id
     WHERE m.unit_id = of_unit AND m.standing = 'affected' AND m.closed_at IS NULL AND c.state = 'published'),
    (SELECT min(CASE a.severity WHEN 'safety' THEN 2 WHEN 'critical' THEN 2 WHEN 'warning' THEN 4 ELSE 6 END)
     FROM alarm a WHERE a.unit_id = of_unit AND a.cleared_at IS NULL),
    (SELECT min(3) FROM campaign_candidate k JOIN campaign c ON c.id = k.campaign_id
     WHERE k.unit_id = of_unit AND c.kind = 'recall' AND c.state = 'published'),
    7)
$$;

-- History ------------------------------------------------------------------------------------------------------

CREATE TABLE unit_firmware (                    -- the last firmware changes of a unit: a ring of twenty slots
  unit_id  bigint      NOT NULL,
  slot     smallint    NOT NULL,
  number   bigint      NOT NULL,                -- counts the changes of this unit
  at       timestamptz NOT NULL,
  firmware text,
  before   text,                                -- null: none was known
  reported boolean     NOT NULL,                -- by the unit itself; else by the maker's files
  PRIMARY KEY (unit_id, slot)
);

CREATE FUNCTION note_firmware() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  next bigint;
BEGIN
  SELECT coalesce(max(f.number), 0) + 1 INTO next FROM unit_firmware f WHERE f.unit_id = NEW.id;
  INSERT INTO unit_firmware (unit_id, slot, number, at, firmware, before, reported)
  VALUES (NEW.id, mod(next, 20), next, coalesce(NEW.firmware_reported_at, now()), NEW.firmware, OLD.firmware,
          NEW.firmware_reported_at IS NOT NULL)
  ON CONFLICT (unit_id, slot) DO UPDATE
  SET number = excluded.number, at = excluded.at, firmware = excluded.firmware, before = excluded.before,
      reported = excluded.reported;
  RETURN NULL;
END $$;

CREATE TRIGGER unit_firmware_changed AFTER UPDATE OF firmware ON unit FOR EACH ROW
  WHEN (OLD.firmware IS DISTINCT FROM NEW.firmware) EXECUTE FUNCTION note_firmware();

-- Figures ------------------------------------------------------------------------------------------------------
-- Counted by a worker, unit by unit in short statements, from the first one to the last; then the pass is in force.

CREATE TABLE unit_pass (                        -- one row: the last pass over all units that came to its end
  single      boolean PRIMARY KEY DEFAULT true CHECK (single),
  number      bigint      NOT NULL,
  began_at    timestamptz NOT NULL,
  finished_at timestamptz NOT NULL
);

CREATE TABLE unit_figure (                      -- units by product, lot and firmware, as a pass counted them
  pass       bigint NOT NULL,
  product_id int    NOT NULL,
  lot        text   NOT NULL,                   -- empty: none is known
  firmware   text   NOT NULL,
  units      bigint NOT NULL,
  registered bigint NOT NULL,
  silent     bigint NOT NULL,
  PRIMARY KEY (pass, product_id, lot, firmware)
);

CREATE TABLE unit_silence (                     -- units that were silent, or never heard, when they were last looked at
  unit_id    bigint PRIMARY KEY,
  product_id int    NOT NULL
);
CREATE INDEX unit_silence_product ON unit_silence (product_id, unit_id);

CREATE TABLE alarm_figure (                     -- alarms by the firmware that their unit had, and UTC day
  product_id int    NOT NULL,
  rule_id    text   NOT NULL,
  firmware   text   NOT NULL,
  day        date   NOT NULL,
  alarms     bigint NOT NULL,
  PRIMARY KEY (product_id, day, rule_id, firmware)
);
CREATE INDEX alarm_figure_day ON alarm_figure (day);
CREATE TABLE alarm_counted (                    -- one row: up to which alarm they are counted
  single   boolean PRIMARY KEY DEFAULT true CHECK (single),
  alarm_id bigint NOT NULL
);
INSERT INTO alarm_counted (alarm_id) VALUES (0);
