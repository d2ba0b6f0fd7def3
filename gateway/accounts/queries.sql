-- name: account_by_address
-- The account of an address, with what a sign-in looks at.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role, a.password_hash, a.disabled_at
FROM person p JOIN account a ON a.person_id = p.id
WHERE lower(p.email) = %(email)s
ORDER BY a.id LIMIT 1;

-- name: account_by_id
-- One account, held until the transaction ends.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role, a.password_hash, a.disabled_at
FROM account a JOIN person p ON p.id = a.person_id
WHERE a.id = %(id)s
FOR UPDATE OF a;

-- name: person_by_address
-- The person with an address, for instance from a maker's file.
SELECT id FROM person WHERE lower(email) = %(email)s ORDER BY id LIMIT 1;

-- name: insert_person
-- Make a person.
INSERT INTO person (public_id, name, email, language) VALUES (%(public_id)s, %(name)s, %(email)s, %(language)s)
RETURNING id;

-- name: set_language
-- Note the language a person chose.
UPDATE person SET language = %(language)s WHERE id = %(id)s;

-- name: set_time_zone
-- Note the time zone a person chose, or that they want the one that applies without a choice.
UPDATE person SET own_time_zone = %(time_zone)s WHERE id = %(id)s;

-- name: insert_account
-- Let a person have an account.
INSERT INTO account (public_id, person_id, role, password_hash, confirmed_at, created_at)
VALUES (%(public_id)s, %(person_id)s, %(role)s, %(password_hash)s, %(now)s, %(now)s)
RETURNING id;

-- name: insert_identity
-- Note what an account is known by.
INSERT INTO identity (issuer, subject, account_id) VALUES ('local', %(subject)s, %(account_id)s) ON CONFLICT DO NOTHING;

-- name: set_password
-- Keep a new password's hash.
UPDATE account SET password_hash = %(password_hash)s WHERE id = %(id)s;

-- name: set_role
-- Give an account a role.
UPDATE account SET role = %(role)s WHERE id = %(id)s;

-- name: disable
-- Keep an account from signing in.
UPDATE account SET disabled_at = %(now)s WHERE id = %(id)s;

-- name: insert_code
-- Keep a code's digest.
INSERT INTO sign_in_code (email, purpose, code_hash, created_at, expires_at, used_at, data)
VALUES (%(email)s, %(purpose)s, %(code_hash)s, %(now)s, %(expires_at)s, %(used_at)s, %(data)s);

-- name: asked_for_code
-- Whether a browser asked for a code of an address, also for one that nobody can use.
SELECT 1 FROM sign_in_code
WHERE email = %(email)s AND purpose = %(purpose)s AND expires_at > %(now)s AND data->>'ticket' = %(ticket)s LIMIT 1;

-- name: codes_of_browser
-- The open codes of an address that one browser asked for.
SELECT code_hash, data FROM sign_in_code
WHERE email = %(email)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s
  AND data->>'ticket' = %(ticket)s;

-- name: newest_codes
-- The newest open codes of an address, whoever asked for them.
SELECT code_hash, data FROM sign_in_code
WHERE email = %(email)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s
ORDER BY id DESC LIMIT %(most)s;

-- name: known_browser
-- Whether the account of an address was used from a browser.
SELECT 1 FROM known_browser b JOIN account a ON a.id = b.account_id JOIN person p ON p.id = a.person_id
WHERE b.token_hash = %(token_hash)s AND b.expires_at > %(now)s AND lower(p.email) = %(email)s LIMIT 1;

-- name: rename_browser
-- Give a browser another token, for all accounts that were used from it.
UPDATE known_browser SET token_hash = %(fresh)s WHERE token_hash = %(token_hash)s;

-- name: upsert_browser
-- Note that an account was used from a browser.
INSERT INTO known_browser (token_hash, account_id, seen_at, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(expires_at)s)
ON CONFLICT (token_hash, account_id) DO UPDATE SET seen_at = excluded.seen_at, expires_at = excluded.expires_at;

-- name: trim_browsers
-- Forget the longest unused browsers of an account beyond so many.
DELETE FROM known_browser WHERE (token_hash, account_id) IN (
  SELECT token_hash, account_id FROM known_browser WHERE account_id = %(account_id)s
  ORDER BY seen_at DESC, token_hash OFFSET %(most)s);

-- name: forget_browsers_of
-- Forget every browser of an account.
DELETE FROM known_browser WHERE account_id = %(account_id)s;

-- name: forget_browsers
-- Forget the browsers that were unused for longest; one that was used just now is not.
DELETE FROM known_browser WHERE expires_at < %(before)s AND (token_hash, account_id) IN (
  SELECT token_hash, account_id FROM known_browser WHERE expires_at < %(before)s ORDER BY expires_at LIMIT %(limit)s);

-- name: void_codes
-- One code was told: it and the others of its purpose are done, and what they stood for is forgotten.
UPDATE sign_in_code SET used_at = %(now)s, data = '{}'
WHERE email = %(email)s AND purpose = %(purpose)s AND used_at IS NULL;

-- name: insert_session
-- Keep a session's digest.
INSERT INTO session (token_hash, account_id, created_at, seen_at, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(now)s, %(expires_at)s);

-- name: trim_sessions
-- End the longest unused sessions beyond so many.
DELETE FROM session WHERE token_hash IN (
  SELECT token_hash FROM session WHERE account_id = %(account_id)s
  ORDER BY seen_at DESC, created_at DESC, token_hash OFFSET %(most)s);

-- name: session_account
-- Whose session it is, while it lasts.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role, s.seen_at
FROM session s JOIN account a ON a.id = s.account_id JOIN person p ON p.id = a.person_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND a.disabled_at IS NULL;

-- name: touch_session
-- A session was used: its life, as long as it was given, begins anew.
UPDATE session SET expires_at = %(now)s::timestamptz + (expires_at - seen_at), seen_at = %(now)s
WHERE token_hash = %(token_hash)s;

-- name: delete_session
-- End one session.
DELETE FROM session WHERE token_hash = %(token_hash)s;

-- name: delete_sessions
-- End every session of an account.
DELETE FROM session WHERE account_id = %(account_id)s;

-- name: insert_letter
-- Write a letter.
INSERT INTO letter (to_email, template, language, data, schema, created_at, due_at, status, finished_at, reason)
VALUES (%(to_email)s, %(template)s, %(language)s, %(data)s, %(schema)s, %(now)s, %(now)s, %(status)s, %(finished_at)s, %(reason)s);

-- name: forget_codes
-- Forget the oldest codes that are no longer good, with what they stood for.
DELETE FROM sign_in_code WHERE id IN (
  SELECT id FROM sign_in_code WHERE expires_at < %(before)s ORDER BY expires_at LIMIT %(limit)s);

-- name: forget_sessions
-- Forget the sessions that have been over for longest; one that was used just now is not.
DELETE FROM session WHERE expires_at < %(before)s AND token_hash IN (
  SELECT token_hash FROM session WHERE expires_at < %(before)s ORDER BY expires_at LIMIT %(limit)s);
