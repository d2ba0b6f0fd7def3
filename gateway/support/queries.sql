-- name: note_look
-- Store a look, unless the same one was stored since a moment.
INSERT INTO staff_look (at, account_id, unit_id, person_id, page)
SELECT %(now)s, %(account_id)s, %(unit_id)s, %(person_id)s, %(page)s
WHERE NOT EXISTS (
  SELECT 1 FROM staff_look
  WHERE account_id = %(account_id)s AND at > %(since)s AND unit_id IS NOT DISTINCT FROM %(unit_id)s::bigint
    AND person_id IS NOT DISTINCT FROM %(person_id)s::bigint AND page = %(page)s);

-- name: looks
-- A page of looks, the newest first, of one member of the staff, unit or person or of all.
SELECT l.id, l.at, l.page, s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_look l
JOIN account a ON a.id = l.account_id JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = l.unit_id LEFT JOIN person p ON p.id = l.person_id
WHERE (l.at, l.id) < (%(at)s, %(id)s)
  AND (%(staff)s::text IS NULL OR l.account_id = (
    SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.public_id = %(staff)s))
  AND (%(unit)s::text IS NULL OR l.unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s))
  AND (%(person)s::text IS NULL OR l.person_id = (SELECT id FROM person WHERE public_id = %(person)s))
ORDER BY l.at DESC, l.id DESC LIMIT %(limit)s;

-- name: count_looks
-- How many looks there are, counted up to a number.
SELECT count(*) AS looks FROM (
  SELECT 1 FROM staff_look l
  WHERE (%(staff)s::text IS NULL OR l.account_id = (
      SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.public_id = %(staff)s))
    AND (%(unit)s::text IS NULL OR l.unit_id = (SELECT id FROM unit WHERE public_id = %(unit)s))
    AND (%(person)s::text IS NULL OR l.person_id = (SELECT id FROM person WHERE public_id = %(person)s))
  LIMIT %(most)s) l;

-- name: forget_looks
-- Delete looks from before a time, and the oldest beyond a number; their numbers grow with time.
DELETE FROM staff_look WHERE id IN (
  (SELECT id FROM staff_look WHERE at < %(before)s ORDER BY at, id LIMIT %(limit)s)
  UNION
  (SELECT id FROM staff_look WHERE id <= (SELECT max(id) FROM staff_look) - %(most)s ORDER BY id LIMIT %(limit)s)
  LIMIT %(limit)s);

-- name: insert_note
-- Store a note or a call, unless its writer sent it before.
INSERT INTO staff_note (public_id, unit_id, person_id, kind, text, direction, minutes, happened_at,
                        written_by, written_at, draft)
VALUES (%(public_id)s, %(unit_id)s, %(person_id)s, %(kind)s, %(text)s, %(direction)s, %(minutes)s, %(happened_at)s,
        %(account_id)s, %(now)s, %(draft)s)
ON CONFLICT (written_by, draft) DO NOTHING
RETURNING id;

-- name: note_of_draft
-- The number of the note that a draft became.
SELECT id FROM staff_note WHERE written_by = %(account_id)s AND draft = %(draft)s;

-- name: note
-- One note.
SELECT n.id, n.public_id, n.kind, n.text, n.direction, n.minutes, n.happened_at, n.written_at,
       s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_note n
JOIN account a ON a.id = n.written_by JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN person p ON p.id = n.person_id
WHERE n.id = %(id)s;

-- name: notes_of_unit
-- A page of the notes on a unit, the newest first.
SELECT n.id, n.public_id, n.kind, n.text, n.direction, n.minutes, n.happened_at, n.written_at,
       s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_note n
JOIN account a ON a.id = n.written_by JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN person p ON p.id = n.person_id
WHERE n.unit_id = %(unit_id)s AND n.id < %(before)s
  AND (%(person_id)s::bigint IS NULL OR n.person_id = %(person_id)s)
ORDER BY n.id DESC LIMIT %(limit)s;

-- name: notes_of_person
-- A page of the notes on a person, the newest first.
SELECT n.id, n.public_id, n.kind, n.text, n.direction, n.minutes, n.happened_at, n.written_at,
       s.public_id AS staff, s.name AS staff_name, u.public_id AS unit, u.printed AS serial,
       p.public_id AS person, p.name AS person_name
FROM staff_note n
JOIN account a ON a.id = n.written_by JOIN person s ON s.id = a.person_id
LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN person p ON p.id = n.person_id
WHERE n.person_id = %(person_id)s AND n.id < %(before)s
ORDER BY n.id DESC LIMIT %(limit)s;

-- name: count_notes
-- How many notes there are on a unit or a person.
SELECT count(*) AS notes FROM staff_note
WHERE (%(unit_id)s::bigint IS NULL OR unit_id = %(unit_id)s)
  AND (%(person_id)s::bigint IS NULL OR person_id = %(person_id)s);

-- name: trim_notes
-- Delete the notes on a unit and on a person beyond the newest of each.
DELETE FROM staff_note WHERE id IN (
  (SELECT id FROM staff_note WHERE unit_id = %(unit_id)s ORDER BY id DESC OFFSET %(most)s)
  UNION ALL
  (SELECT id FROM staff_note WHERE person_id = %(person_id)s ORDER BY id DESC OFFSET %(most)s));

-- name: forget_notes
-- Delete notes from before a time, the oldest first.
DELETE FROM staff_note WHERE id IN (
  SELECT id FROM staff_note WHERE written_at < %(before)s ORDER BY written_at LIMIT %(limit)s);
