-- Receipts: what was taken of the messages that a unit numbers.

ALTER TABLE product ADD receipts boolean NOT NULL DEFAULT false;

CREATE TABLE receipt (
  unit_id bigint        PRIMARY KEY REFERENCES unit,
  topic   text          NOT NULL,               -- where its device reads it, the serial as the device writes it
  boot    bigint        NOT NULL,               -- the highest that came; the numbers are this boot's
  taken   int8multirange NOT NULL               -- stored, refused, or given up by the device
) WITH (fillfactor = 50);                      -- written with nearly every batch
