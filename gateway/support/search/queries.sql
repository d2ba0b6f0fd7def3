-- name: units_begun
-- Units whose serial, lot or order number is or begins like the words; those that are it are `exact`, and come first.
WITH begun AS (
  (SELECT id, 1 AS field, serial AS key, serial = %(serial)s AS exact FROM unit
   WHERE serial ~>=~ %(serial)s::text AND serial ~<~ (%(serial)s || chr(1114111))
   ORDER BY serial USING ~<~ LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 1, serial, true FROM unit WHERE serial = %(scanned)s LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 2, search_number(lot), search_number(lot) = search_number(%(words)s) FROM unit
   WHERE lot IS NOT NULL AND search_number(lot) ~>=~ search_number(%(words)s)
     AND search_number(lot) ~<~ (search_number(%(words)s) || chr(1114111))
   ORDER BY search_number(lot) USING ~<~ LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 3, search_number(order_number), search_number(order_number) = search_number(%(words)s) FROM unit
   WHERE order_number IS NOT NULL AND search_number(order_number) ~>=~ search_number(%(words)s)
     AND search_number(order_number) ~<~ (search_number(%(words)s) || chr(1114111))
   ORDER BY search_number(order_number) USING ~<~ LIMIT %(limit)s)
), best AS (
  SELECT id, bool_or(exact) AS exact, min(field) AS field, min(key) AS key FROM begun
  GROUP BY id ORDER BY exact DESC, field, key, id LIMIT %(limit)s
)
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, p.name AS product, p.model, u.lot, u.order_number, b.exact,
       (SELECT w.name FROM ownership o JOIN person w ON w.id = o.person_id
        WHERE o.unit_id = u.id AND o.during @> now()) AS owner
FROM best b JOIN unit u ON u.id = b.id JOIN product p ON p.id = u.product_id
ORDER BY b.exact DESC, b.field, b.key, b.id;

-- name: units_with
-- Units with a number in any place of their serial, lot or order number.
SELECT u.id AS row, u.public_id AS id, u.printed AS serial, p.name AS product, p.model, u.lot, u.order_number,
       (SELECT w.name FROM ownership o JOIN person w ON w.id = o.person_id
        WHERE o.unit_id = u.id AND o.during @> now()) AS owner
FROM (SELECT * FROM unit WHERE words LIKE %(pattern)s AND strpos(words, %(number)s) <> 0 LIMIT %(limit)s) u
JOIN product p ON p.id = u.product_id
ORDER BY u.serial, u.id;

-- name: people_begun
-- People whose e-mail address, name, last name, customer number or phone is or begins like the words, or whose phone ends so.
WITH begun AS (
  (SELECT id, 1 AS field, email AS key, lower(email) = lower(%(words)s) AS exact FROM person
   WHERE lower(email) ~>=~ lower(%(words)s) AND lower(email) ~<~ (lower(%(words)s) || chr(1114111))
   ORDER BY lower(email) USING ~<~ LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 2, search_text(name), search_text(name) = search_text(%(words)s) FROM person
   WHERE search_text(name) ~>=~ search_text(%(words)s) AND search_text(name) ~<~ (search_text(%(words)s) || chr(1114111))
   ORDER BY search_text(name) USING ~<~ LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 3, search_last_name(name), search_last_name(name) = search_text(%(words)s) FROM person
   WHERE search_last_name(name) ~>=~ search_text(%(words)s)
     AND search_last_name(name) ~<~ (search_text(%(words)s) || chr(1114111))
   ORDER BY search_last_name(name) USING ~<~ LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 4, search_number(customer_number), search_number(customer_number) = search_number(%(words)s) FROM person
   WHERE customer_number IS NOT NULL AND search_number(customer_number) ~>=~ search_number(%(words)s)
     AND search_number(customer_number) ~<~ (search_number(%(words)s) || chr(1114111))
   ORDER BY search_number(customer_number) USING ~<~ LIMIT %(limit)s)
  UNION ALL
  (SELECT id, 5, search_phone(phone), search_phone(phone) = search_phone(%(phone)s) FROM person
   WHERE phone IS NOT NULL AND reverse(search_phone(phone)) ~>=~ reverse(search_phone(%(phone)s))
     AND reverse(search_phone(phone)) ~<~ (reverse(search_phone(%(phone)s)) || chr(1114111))
   ORDER BY reverse(search_phone(phone)) USING ~<~ LIMIT %(limit)s)
), best AS (
  SELECT id, bool_or(exact) AS exact, min(field) AS field, min(key) AS key FROM begun
  GROUP BY id ORDER BY exact DESC, field, key, id LIMIT %(limit)s
)
SELECT p.id AS row, p.public_id AS id, p.name, p.email, p.phone, p.address, p.customer_number,
       b.exact AND b.field IN (1, 4, 5) AS exact
FROM best b JOIN person p ON p.id = b.id
ORDER BY b.exact DESC, b.field, b.key, b.id;

-- name: people_with
-- People with all of some words in any place of their name, address, e-mail address, phone or customer number.
SELECT id AS row, public_id AS id, name, email, phone, address, customer_number
FROM person
WHERE words LIKE %(pattern1)s AND words LIKE %(pattern2)s AND words LIKE %(pattern3)s
  AND least(strpos(words, %(text1)s), strpos(words, %(text2)s), strpos(words, %(text3)s)) <> 0
LIMIT %(limit)s;

-- name: compared
-- The words as they are compared, and what LIKE looks for: a number of a unit, and up to three words of a person.
SELECT number, search_part(number) AS pattern, text1, search_part(text1) AS pattern1,
       text2, search_part(text2) AS pattern2, text3, search_part(text3) AS pattern3
FROM (SELECT search_number(%(words)s) AS number, search_text(%(word2)s) AS text2, search_text(%(word3)s) AS text3,
             CASE WHEN %(phone)s::text IS NULL THEN search_text(%(word1)s) ELSE search_phone(%(phone)s) END AS text1) w;

-- name: notices
-- The notice with a number.
SELECT n.id AS row, n.public_id AS id, n.kind, n.state, n.text, n.why, n.schema, n.created_at, p.name AS person,
       u.printed AS serial, t.told
FROM notice n JOIN person p ON p.id = n.person_id JOIN unit u ON u.id = n.unit_id
LEFT JOIN LATERAL campaign_told(n.campaign_id, n.kind, %(language)s) t ON true
WHERE n.id = %(notice)s;

-- name: campaigns
-- Campaigns by number, or by words of their title in any language: that number first, then the newest.
SELECT c.id AS row, c.public_id AS id, c.number, c.kind, c.state, c.content->'title' AS title
FROM campaign c
WHERE c.id IN (
  SELECT id FROM campaign WHERE starts_with(lower(number), lower(%(words)s))
  UNION ALL
  SELECT id FROM campaign
  WHERE search_texts(content->'title') LIKE search_part(search_text(%(word1)s))
    AND search_texts(content->'title') LIKE search_part(search_text(%(word2)s))
    AND search_texts(content->'title') LIKE search_part(search_text(%(word3)s)))
ORDER BY lower(c.number) = lower(%(words)s) DESC, c.id DESC LIMIT %(limit)s;

-- name: alarms
-- Alarms by number, or the newest ones of rules with the words in their title in any language.
WITH best AS (
  (SELECT id, 0 AS rank FROM alarm WHERE id = %(alarm)s)
  UNION ALL
  (SELECT a.id, 1 FROM rule_version v
   CROSS JOIN LATERAL (SELECT id FROM alarm WHERE rule_version_id = v.id ORDER BY id DESC LIMIT %(limit)s) a
   WHERE search_texts(v.document->'title') LIKE search_part(search_text(%(word1)s))
     AND search_texts(v.document->'title') LIKE search_part(search_text(%(word2)s))
     AND search_texts(v.document->'title') LIKE search_part(search_text(%(word3)s))
   ORDER BY a.id DESC LIMIT %(limit)s)
)
SELECT a.id AS row, a.public_id AS id, v.document->'title' AS title, u.printed AS serial, p.name AS product, p.model,
       a.raised_at, a.cleared_at
FROM (SELECT id, min(rank) AS rank FROM best GROUP BY id ORDER BY rank, id DESC LIMIT %(limit)s) b
JOIN alarm a ON a.id = b.id JOIN rule_version v ON v.id = a.rule_version_id
JOIN unit u ON u.id = a.unit_id JOIN product p ON p.id = u.product_id
ORDER BY b.rank, b.id DESC;
