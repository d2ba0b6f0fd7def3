-- The staff and people, as the console lists them, and what was done to accounts of the staff.

CREATE TABLE staff_act (                        -- roles, disabled accounts, invitations: by whom, to whom, when
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  actor      text   NOT NULL,                   -- a person's public id, or cli
  account_id bigint REFERENCES account,         -- null for who is only invited
  act        text   NOT NULL
             CHECK (act IN ('invited', 'invitation_withdrawn', 'role', 'disabled', 'enabled', 'sessions_ended')),
  role       text                               -- the one that was given
);
CREATE INDEX staff_act_at ON staff_act (at);

CREATE INDEX sign_in_code_invited ON sign_in_code (id) WHERE purpose = 'invite' AND used_at IS NULL;

CREATE INDEX person_language ON person (language, id);
-- Who has a recall that they did not acknowledge.
CREATE INDEX notice_recall_open ON notice (person_id)
  WHERE kind = 'recall' AND state = 'open' AND acknowledged_at IS NULL;
