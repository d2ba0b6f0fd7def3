-- Channels: email and push, what became of each try, and how a person wants to be told.

ALTER TABLE notice
  ADD read_at         timestamptz,              -- first seen by its person: in My Products or by a tracked link
  ADD acknowledged_at timestamptz;              -- first confirmed by its person

-- Addresses -----------------------------------------------------------------------------------------------------

CREATE TABLE push_token (                       -- phones that may be told; a phone belongs to who registered it last
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id      text   NOT NULL UNIQUE,
  person_id      bigint NOT NULL REFERENCES person,
  kind           text   NOT NULL CHECK (kind IN ('token', 'fid')),
  value          text   NOT NULL,
  platform       text   NOT NULL,
  created_at     timestamptz NOT NULL,
  retired_at     timestamptz,
  retired_reason text,
  UNIQUE (kind, value),
  CHECK ((retired_at IS NULL) = (retired_reason IS NULL))
);
CREATE INDEX push_token_person ON push_token (person_id) WHERE retired_at IS NULL;

CREATE TABLE suppression (                      -- addresses that get no mail of notices (safety goes there all the same)
  email  text PRIMARY KEY,
  at     timestamptz NOT NULL,
  reason text NOT NULL
);

-- The outbox ----------------------------------------------------------------------------------------------------

ALTER TABLE outbox
  ADD attempts    int NOT NULL DEFAULT 0,       -- how often it was claimed
  ADD claimed_at  timestamptz,                  -- by whom sends it now; an old claim is a worker that ended
  ADD provider_id text,                         -- what the provider calls it
  ADD follows     text,                         -- only goes out if this channel was not confirmed in time
  DROP CONSTRAINT outbox_status_check,
  ADD CONSTRAINT outbox_status_check
    CHECK (status IN ('waiting', 'claimed', 'delivered', 'failed', 'skipped', 'unknown'));
CREATE INDEX outbox_claimed ON outbox (claimed_at) WHERE status = 'claimed';

CREATE TABLE delivery_try (                     -- what each try came to; for push a row a phone
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  outbox_id     bigint NOT NULL REFERENCES outbox,
  push_token_id bigint REFERENCES push_token,
  attempt       int    NOT NULL,
  at            timestamptz NOT NULL,
  outcome       text   NOT NULL CHECK (outcome IN ('delivered', 'retry', 'failed', 'unknown')),
  reason        text   NOT NULL,
  provider_id   text
);
CREATE INDEX delivery_try_outbox ON delivery_try (outbox_id, id);

-- The preferred network -----------------------------------------------------------------------------------------

CREATE TABLE preference (                       -- the person's own choice; none: what is learned counts
  person_id  bigint PRIMARY KEY REFERENCES person,
  channel    text CHECK (channel IN ('email', 'push')),
  updated_at timestamptz NOT NULL
);

CREATE TABLE engagement (                       -- what is learned from
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person_id bigint NOT NULL REFERENCES person,
  notice_id bigint REFERENCES notice,
  channel   text   NOT NULL,
  kind      text   NOT NULL CHECK (kind IN ('opened', 'acknowledged', 'signed_in')),
  at        timestamptz NOT NULL,
  UNIQUE (notice_id, channel, kind)             -- opening twice says no more than opening once
);
CREATE INDEX engagement_person ON engagement (person_id, at DESC);

CREATE TABLE installation_secret (              -- random keys of this installation, made when first needed
  name  text  PRIMARY KEY,
  value bytea NOT NULL
);
