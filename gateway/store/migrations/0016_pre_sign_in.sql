-- Browsers that an account was used from: what strangers try with its address does not count against them.

CREATE TABLE known_browser (                    -- the newest of each account are kept, and for a time only
  token_hash bytea  NOT NULL,                   -- of what the browser holds; a browser may know several accounts
  account_id bigint NOT NULL REFERENCES account,
  seen_at    timestamptz NOT NULL,              -- when the account was last signed in to there
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (token_hash, account_id)
);
CREATE INDEX known_browser_account ON known_browser (account_id);
CREATE INDEX known_browser_expires ON known_browser (expires_at);

-- A code is looked for also after it was used: the browser that asked for it is known by it until it expires.
CREATE INDEX sign_in_code_address ON sign_in_code (email, purpose, id);
DROP INDEX sign_in_code_open;
