-- What makers know of units and people, and later work reads: all of it optional, and null is unknown.

ALTER TABLE unit
  ADD hardware             text,                -- revision of the hardware
  ADD region               text,                -- where it was sold: a country, or a name of the maker's own
  ADD sold_on              date,
  ADD support_until        date,
  ADD order_number         text,                -- of the maker's order or invoice
  ADD is_test              boolean NOT NULL DEFAULT false,  -- the maker's own: in no audience, cohort or report
  ADD firmware_reported_at timestamptz;         -- when the device last said its firmware; null: the maker's files say it

ALTER TABLE person
  ADD phone           text,
  ADD address         text,                     -- postal, as it is printed
  ADD country         text CHECK (country ~ '^[A-Z]{2}$'),  -- ISO 3166-1 alpha-2
  ADD time_zone       text,                     -- IANA name: Europe/Berlin
  ADD customer_number text,
  ADD contract_level  text;
