-- Search by the staff: of units, people, campaigns and rules, however what is looked for is written.

-- What is here is written anew: a minute for a million units and as many owners.
SET LOCAL statement_timeout = '30min';
SET LOCAL maintenance_work_mem = '256MB';

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Text as it is compared: in small letters without marks, ß as ss, and ae, oe and ue as the umlauts that they stand for.
CREATE FUNCTION search_text(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(
  CASE WHEN octet_length(written) = length(written) THEN lower(written)
       ELSE lower(translate(replace(regexp_replace(normalize(written, NFKD), '[\u0300-\u036f]', '', 'g'), 'ß', 'ss'),
                            'ŁłØøĐđıÆæŒœ', 'llooddiaaoo')) END,
  'ae', 'a'), 'oe', 'o'), 'ue', 'u');

-- A number of ours or the maker's as it is compared: in small letters, without spaces, dashes and other signs.
CREATE FUNCTION search_number(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(lower(written), E' \t\u00a0-\u2010\u2011\u2012\u2013\u2014\u2015.,:;/\\|_#%&+*()[]', '');

-- A phone's digits without the country's code and the zero before the area's: they stand at the end of every way to
-- write the number.
CREATE FUNCTION search_phone(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ltrim(regexp_replace(regexp_replace(replace(written, '(0)', ''), '[^0-9+]', '', 'g'),
  '^(\+|00)(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(2[1-689]|3[578]|42|5[09]|6[7-9]|8[0578]|9[679])\d)',
  ''), '0+');

CREATE FUNCTION search_last_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_text(substring(name FROM '(\S+)\s*$'));

-- Text as words with a space before each.
CREATE FUNCTION search_words(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || translate(search_text(written), '.,-@/''', '      ') || ' ';

-- All texts of a document by language.
CREATE FUNCTION search_texts(texts jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(search_words(value), '') FROM jsonb_each_text(texts));

-- What LIKE looks for, for a word in any place; one of less than three letters begins a word. A long word is looked for
-- by its ends: the index reads a list for each three letters in a row, and few lists are found faster.
CREATE FUNCTION search_part(word text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '%' || replace(regexp_replace(
  CASE WHEN length(word) IN (1, 2) THEN ' ' || word
       WHEN length(word) <= 6 THEN word
       WHEN length(word) <= 8 THEN left(word, 3) || E'\n' || right(word, 3)
       ELSE left(word, 3) || E'\n' || right(word, 5) END,
  '([%_\\])', '\\\1', 'g'), E'\n', '%') || '%';

ALTER TABLE unit ADD words text GENERATED ALWAYS AS (
  ' ' || search_number(serial) || ' ' || coalesce(search_number(lot) || ' ', '')
      || coalesce(search_number(order_number) || ' ', '')
) STORED;
ALTER TABLE unit ALTER words SET STATISTICS 1000;   -- how common a part is decides how it is looked for
DROP INDEX unit_serial;
CREATE INDEX unit_serial ON unit (serial text_pattern_ops);
CREATE INDEX unit_lot_number ON unit (search_number(lot) text_pattern_ops) WHERE lot IS NOT NULL;
CREATE INDEX unit_order_number ON unit (search_number(order_number) text_pattern_ops) WHERE order_number IS NOT NULL;
CREATE INDEX unit_words ON unit USING gin (words gin_trgm_ops);

ALTER TABLE person ADD words text GENERATED ALWAYS AS (
  search_words(name || ' ' || email || coalesce(' ' || address, ''))
    || coalesce(search_number(customer_number) || ' ', '') || coalesce(search_phone(phone) || ' ', '')
) STORED;
ALTER TABLE person ALTER words SET STATISTICS 1000;
DROP INDEX person_address;
CREATE INDEX person_address ON person (lower(email) text_pattern_ops);
CREATE INDEX person_name ON person (search_text(name) text_pattern_ops);
CREATE INDEX person_last_name ON person (search_last_name(name) text_pattern_ops);
CREATE INDEX person_customer_number ON person (search_number(customer_number) text_pattern_ops)
  WHERE customer_number IS NOT NULL;
CREATE INDEX person_phone ON person (reverse(search_phone(phone)) text_pattern_ops) WHERE phone IS NOT NULL;
CREATE INDEX person_words ON person USING gin (words gin_trgm_ops);

CREATE INDEX campaign_words ON campaign USING gin (search_texts(content->'title') gin_trgm_ops);
CREATE INDEX rule_version_words ON rule_version USING gin (search_texts(document->'title') gin_trgm_ops);
CREATE INDEX alarm_rule ON alarm (rule_version_id, id);   -- the newest of a rule
