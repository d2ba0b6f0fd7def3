-- When a message of each reason was last refused: whether it still goes on, also after all of them left the quarantine.

ALTER TABLE quarantine_count ADD last_at timestamptz;  -- of the newest refused on arrival; null where that is not known
UPDATE quarantine_count c SET last_at = (SELECT max(received_at) FROM quarantine q WHERE q.reason = c.reason);
