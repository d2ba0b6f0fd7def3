-- What plans on a filled store wanted: pages and maintenance that read all of a table for a few of its rows.

-- The page of dead letters shows the newest of all readers; without it every one of them was looked up for a page.
CREATE INDEX event_dead_letter_place ON event_dead_letter (place);

-- Maintenance drops what is too old; a product that is suspended for long has many batches.
CREATE INDEX unjudged_batch_at ON unjudged_batch (at);
