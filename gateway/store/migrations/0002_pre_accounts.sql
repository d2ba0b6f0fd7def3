-- Accounts: who may sign in, the codes that prove an address, sessions, limits on tries, and service mail.

CREATE INDEX person_address ON person (lower(email));   -- an address is one address, however it is written

CREATE TABLE account (                          -- a person who can sign in
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id     text   NOT NULL UNIQUE,
  person_id     bigint NOT NULL UNIQUE REFERENCES person,
  role          text   NOT NULL CHECK (role IN ('customer', 'support', 'product_manager', 'administrator')),
  password_hash text,                           -- argon2; none for who signs in elsewhere
  confirmed_at  timestamptz,                    -- when a code proved the address
  created_at    timestamptz NOT NULL,
  disabled_at   timestamptz
);

CREATE TABLE identity (                         -- what an account is known by; never an address
  issuer     text   NOT NULL,                   -- 'local' is our own password
  subject    text   NOT NULL,
  account_id bigint NOT NULL REFERENCES account,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_account ON identity (account_id);

CREATE TABLE sign_in_code (                     -- a code that was mailed; who knows it has the address
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email      text  NOT NULL,                    -- lower case
  purpose    text  NOT NULL CHECK (purpose IN ('confirm', 'reset', 'invite')),
  code_hash  bytea NOT NULL,                    -- salt and digest
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  attempts   int   NOT NULL DEFAULT 0,
  used_at    timestamptz,
  data       jsonb NOT NULL                     -- what happens when it is told; emptied when it is used
);
CREATE INDEX sign_in_code_open ON sign_in_code (email, purpose) WHERE used_at IS NULL;
CREATE INDEX sign_in_code_expires ON sign_in_code (expires_at);

CREATE TABLE session (                          -- a browser that is signed in; only the token's digest is kept
  token_hash bytea  PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES account,
  created_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE attempt (                          -- tries of anything that is limited
  kind text NOT NULL,
  key  text NOT NULL,
  at   timestamptz NOT NULL
);
CREATE INDEX attempt_key ON attempt (kind, key, at);
CREATE INDEX attempt_at ON attempt (at);

CREATE TABLE letter (                           -- service mail: codes, invitations, notes on the account
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  to_email    text  NOT NULL,
  template    text  NOT NULL,
  language    text  NOT NULL,
  data        jsonb NOT NULL,                   -- emptied when the letter ends: codes must not stay
  created_at  timestamptz NOT NULL,
  due_at      timestamptz NOT NULL,
  status      text  NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'failed')),
  attempts    int   NOT NULL DEFAULT 0,
  finished_at timestamptz,
  reason      text
);
CREATE INDEX letter_waiting ON letter (due_at) WHERE status = 'waiting';
CREATE INDEX letter_finished ON letter (finished_at);
