-- What owners read of rollups: hours and days that lie whole within the time in which the unit was theirs.

-- As for readings, nothing that was received before; so a bucket with one such reading is left out.
CREATE VIEW my_rollup_hour WITH (security_barrier) AS
SELECT r.unit_id, r.metric_id, r.begins, r.low, r.high, r.total, r.readings
FROM my_tenure o
JOIN rollup_hour r ON r.unit_id = o.unit_id AND r.begins >= o.since AND r.begins <= o.until - interval '1 hour'
                  AND r.received_from >= o.since;

CREATE VIEW my_rollup_day WITH (security_barrier) AS
SELECT r.unit_id, r.metric_id, r.begins, r.low, r.high, r.total, r.readings
FROM my_tenure o
JOIN rollup_day r ON r.unit_id = o.unit_id AND r.begins >= o.since AND r.begins <= o.until - interval '1 day'
                 AND r.received_from >= o.since;

CREATE VIEW my_rolled WITH (security_barrier) AS  -- how far all readings are rolled up, for who owns something
SELECT rolled_to FROM rollup_mark WHERE EXISTS (SELECT FROM my_tenure);

GRANT SELECT ON my_rollup_hour, my_rollup_day, my_rolled TO gateway_owner;
