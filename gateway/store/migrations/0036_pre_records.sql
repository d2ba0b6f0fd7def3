-- Who of the staff looked at which unit or person, and the notes and calls in their records.

CREATE TABLE staff_look (                       -- the same look again within ten minutes is no row of its own
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  account_id bigint NOT NULL REFERENCES account,  -- who looked
  unit_id    bigint REFERENCES unit,
  person_id  bigint REFERENCES person,
  page       text   NOT NULL CHECK (page IN ('record', 'my_products')),
  CHECK (num_nonnulls(unit_id, person_id) = 1)
);
CREATE INDEX staff_look_at ON staff_look (at, id);
CREATE INDEX staff_look_account ON staff_look (account_id, at, id);
CREATE INDEX staff_look_unit ON staff_look (unit_id, at, id) WHERE unit_id IS NOT NULL;
CREATE INDEX staff_look_person ON staff_look (person_id, at, id) WHERE person_id IS NOT NULL;

CREATE TABLE staff_note (                       -- never changed: another note corrects one
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id   text   NOT NULL UNIQUE,
  unit_id     bigint REFERENCES unit,
  person_id   bigint REFERENCES person,
  kind        text   NOT NULL CHECK (kind IN ('note', 'call')),
  text        text   NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
  direction   text   CHECK (direction IN ('in', 'out')),  -- of a call
  minutes     int    CHECK (minutes BETWEEN 0 AND 1440),  -- that a call took
  happened_at timestamptz NOT NULL,
  written_by  bigint NOT NULL REFERENCES account,
  written_at  timestamptz NOT NULL,
  draft       text   NOT NULL,                  -- the page's name for it: sent twice, it is stored once
  UNIQUE (written_by, draft),
  CHECK (num_nonnulls(unit_id, person_id) >= 1),
  CHECK (kind = 'call' OR num_nonnulls(direction, minutes) = 0)
);
CREATE INDEX staff_note_unit ON staff_note (unit_id, id) WHERE unit_id IS NOT NULL;
CREATE INDEX staff_note_person ON staff_note (person_id, id) WHERE person_id IS NOT NULL;
CREATE INDEX staff_note_written ON staff_note (written_at);

-- Of a million accounts the staff are a few.
CREATE INDEX account_staff ON account (id) WHERE role <> 'customer';
