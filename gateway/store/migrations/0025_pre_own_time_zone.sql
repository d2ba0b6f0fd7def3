-- The time zone that a person chose; the one of the maker's file stands beside it, and counts where none was chosen.

ALTER TABLE person ADD own_time_zone text;      -- IANA name: Europe/Berlin
