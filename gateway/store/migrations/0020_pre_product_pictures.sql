-- What a product looks like, and where its serial and its claim code stand.

ALTER TABLE product ADD serial_hint jsonb,       -- by language, as product.name
                    ADD code_hint   jsonb;

CREATE TABLE product_picture (
  product_id int   PRIMARY KEY REFERENCES product,
  media_type text  NOT NULL,
  content    bytea NOT NULL CHECK (octet_length(content) <= 200000)
);
