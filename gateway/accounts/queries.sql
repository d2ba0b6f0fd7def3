-- name: account_by_address
-- The account of an address, with the columns that a sign-in needs.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role, a.password_hash, a.disabled_at
FROM person p JOIN account a ON a.person_id = p.id
WHERE lower(p.email) = %(email)s
ORDER BY a.id LIMIT 1;

-- name: account_by_id
-- One account, locked until the transaction ends.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role, a.password_hash, a.disabled_at
FROM account a JOIN person p ON p.id = a.person_id
WHERE a.id = %(id)s
FOR UPDATE OF a;

-- name: person_by_address
-- The person with an address, who may be from a maker's file.
SELECT id FROM person WHERE lower(email) = %(email)s ORDER BY id LIMIT 1;

-- name: insert_person
-- Create a person.
INSERT INTO person (public_id, name, email, language) VALUES (%(public_id)s, %(name)s, %(email)s, %(language)s)
RETURNING id;

-- name: set_language
-- Store the language that a person chose.
UPDATE person SET language = %(language)s WHERE id = %(id)s;

-- name: set_time_zone
-- Note the time zone a person chose, or that they want the one that applies without a choice.
UPDATE person SET own_time_zone = %(time_zone)s WHERE id = %(id)s;

-- name: insert_account
-- Create the account of a person.
INSERT INTO account (public_id, person_id, role, password_hash, confirmed_at, created_at)
VALUES (%(public_id)s, %(person_id)s, %(role)s, %(password_hash)s, %(now)s, %(now)s)
RETURNING id;

-- name: insert_identity
-- Store the identity by which an account signs in.
INSERT INTO identity (issuer, subject, account_id) VALUES ('local', %(subject)s, %(account_id)s) ON CONFLICT DO NOTHING;

-- name: set_password
-- Store the hash of a new password.
UPDATE account SET password_hash = %(password_hash)s WHERE id = %(id)s;

-- name: set_role
-- Give an account a role.
UPDATE account SET role = %(role)s WHERE id = %(id)s;

-- name: disable
-- Disable an account, so that it cannot sign in.
UPDATE account SET disabled_at = %(now)s WHERE id = %(id)s;

-- name: insert_code
-- Store the hash of a code.
INSERT INTO sign_in_code (email, purpose, code_hash, created_at, expires_at, used_at, data)
VALUES (%(email)s, %(purpose)s, %(code_hash)s, %(now)s, %(expires_at)s, %(used_at)s, %(data)s);

-- name: asked_for_code
-- Whether a browser asked for a code for an address, also for one that never works.
SELECT 1 FROM sign_in_code
WHERE email = %(email)s AND purpose = %(purpose)s AND expires_at > %(now)s AND data->>'ticket' = %(ticket)s LIMIT 1;

-- name: codes_of_browser
-- The valid codes of an address that one browser asked for.
SELECT code_hash, data FROM sign_in_code
WHERE email = %(email)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s
  AND data->>'ticket' = %(ticket)s;

-- name: newest_codes
-- The newest valid codes of an address, whichever browser asked for them.
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
-- Store that an account was used from a browser.
INSERT INTO known_browser (token_hash, account_id, seen_at, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(expires_at)s)
ON CONFLICT (token_hash, account_id) DO UPDATE SET seen_at = excluded.seen_at, expires_at = excluded.expires_at;

-- name: trim_browsers
-- Delete an account's browsers beyond a number, those that were unused for longest.
DELETE FROM known_browser WHERE (token_hash, account_id) IN (
  SELECT token_hash, account_id FROM known_browser WHERE account_id = %(account_id)s
  ORDER BY seen_at DESC, token_hash OFFSET %(most)s);

-- name: forget_browsers_of
-- Delete every browser of an account.
DELETE FROM known_browser WHERE account_id = %(account_id)s;

-- name: forget_browsers
-- Delete expired browsers, the oldest first; one that was just used is no longer expired.
DELETE FROM known_browser WHERE expires_at < %(before)s AND (token_hash, account_id) IN (
  SELECT token_hash, account_id FROM known_browser WHERE expires_at < %(before)s ORDER BY expires_at LIMIT %(limit)s);

-- name: void_codes
-- Mark all codes of an address and purpose as used and delete their data, since one of them was used.
UPDATE sign_in_code SET used_at = %(now)s, data = '{}'
WHERE email = %(email)s AND purpose = %(purpose)s AND used_at IS NULL;

-- name: insert_session
-- Store the hash of a session's token.
INSERT INTO session (token_hash, account_id, created_at, seen_at, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(now)s, %(expires_at)s);

-- name: trim_sessions
-- Delete an account's sessions beyond a number, those that were unused for longest.
DELETE FROM session WHERE token_hash IN (
  SELECT token_hash FROM session WHERE account_id = %(account_id)s
  ORDER BY seen_at DESC, created_at DESC, token_hash OFFSET %(most)s);

-- name: session_account
-- The account of a session that has not expired.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role, s.seen_at
FROM session s JOIN account a ON a.id = s.account_id JOIN person p ON p.id = a.person_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND a.disabled_at IS NULL;

-- name: touch_session
-- Extend a session that was used by its full lifetime.
UPDATE session SET expires_at = %(now)s::timestamptz + (expires_at - seen_at), seen_at = %(now)s
WHERE token_hash = %(token_hash)s;

-- name: delete_session
-- Delete one session.
DELETE FROM session WHERE token_hash = %(token_hash)s;

-- name: delete_sessions
-- Delete every session of an account.
DELETE FROM session WHERE account_id = %(account_id)s;

-- name: insert_letter
-- Create a letter.
INSERT INTO letter (to_email, template, language, data, schema, created_at, due_at, status, finished_at, reason)
VALUES (%(to_email)s, %(template)s, %(language)s, %(data)s, %(schema)s, %(now)s, %(now)s, %(status)s, %(finished_at)s, %(reason)s);

-- name: forget_codes
-- Delete expired codes with their data, the oldest first.
DELETE FROM sign_in_code WHERE id IN (
  SELECT id FROM sign_in_code WHERE expires_at < %(before)s ORDER BY expires_at LIMIT %(limit)s);

-- name: forget_sessions
-- Delete expired sessions, the oldest first; one that was just used is no longer expired.
DELETE FROM session WHERE expires_at < %(before)s AND token_hash IN (
  SELECT token_hash FROM session WHERE expires_at < %(before)s ORDER BY expires_at LIMIT %(limit)s);

-- name: enable
-- Let a disabled account sign in again.
UPDATE account SET disabled_at = NULL WHERE id = %(id)s;

-- name: staff_members
-- Everybody with a role of the staff, by name, with their sessions and when they signed in last.
SELECT a.public_id, a.role, a.disabled_at, p.public_id AS person, p.name, p.email,
       (SELECT count(*) FROM session s WHERE s.account_id = a.id AND s.expires_at > %(now)s) AS sessions,
       (SELECT max(s.seen_at) FROM session s WHERE s.account_id = a.id AND s.expires_at > %(now)s) AS seen_at,
       greatest((SELECT max(s.created_at) FROM session s WHERE s.account_id = a.id),
                (SELECT max(b.seen_at) FROM known_browser b WHERE b.account_id = a.id)) AS signed_in_at
FROM account a JOIN person p ON p.id = a.person_id
WHERE a.role <> 'customer'
ORDER BY lower(p.name), a.id LIMIT %(limit)s;

-- name: staff_member
-- A member of the staff by the public id of their person or by their address.
SELECT a.id, a.public_id, a.person_id, p.public_id AS person_public_id, p.name, p.email, p.language,
       coalesce(p.own_time_zone, p.time_zone) AS time_zone, a.role
FROM account a JOIN person p ON p.id = a.person_id
WHERE a.role <> 'customer' AND (p.public_id = %(key)s OR lower(p.email) = lower(%(key)s))
ORDER BY a.id LIMIT 1;

-- name: count_administrators
-- How many administrators may sign in.
SELECT count(*) AS administrators FROM account WHERE role = 'administrator' AND disabled_at IS NULL;

-- name: open_invitations
-- Invitations to the staff that were not taken and have not expired, the newest first.
SELECT email, data->>'name' AS name, data->>'role' AS role, created_at, expires_at
FROM sign_in_code WHERE purpose = 'invite' AND used_at IS NULL AND expires_at > %(now)s
ORDER BY id DESC LIMIT %(limit)s;

-- name: note_act
-- Store what was done to an account of the staff.
INSERT INTO staff_act (at, actor, account_id, act, role)
VALUES (%(now)s, %(actor)s, %(account_id)s, %(act)s, %(role)s);

-- name: staff_acts
-- A page of what was done to accounts of the staff, the newest first.
SELECT s.id, s.at, s.actor, s.act, s.role, b.name AS actor_name, p.public_id AS person, p.name
FROM staff_act s
LEFT JOIN person b ON b.public_id = s.actor
LEFT JOIN account a ON a.id = s.account_id LEFT JOIN person p ON p.id = a.person_id
WHERE s.id < %(before)s ORDER BY s.id DESC LIMIT %(limit)s;

-- name: forget_acts
-- Delete what was done before a time, the oldest first.
DELETE FROM staff_act WHERE id IN (SELECT id FROM staff_act WHERE at < %(before)s ORDER BY at LIMIT %(limit)s);
