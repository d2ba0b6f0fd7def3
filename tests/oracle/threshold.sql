-- One threshold rule over reading(unit_id, time_us, value), one reading after the other: the slow twin of
-- gateway/rules/evaluator.py. Readings of a unit have distinct times; limits that are not given are NULL.
-- Returns (unit_id, kind, onset, at, value) of every change.
WITH RECURSIVE
rule AS (
    SELECT
        %(above)s::float8 AS above, %(below)s::float8 AS below,
        %(clear_below)s::float8 AS clear_below, %(clear_above)s::float8 AS clear_above,
        %(for_us)s::bigint AS for_us, %(keep_us)s::bigint AS keep_us, %(gap_us)s::bigint AS gap_us
),
judged AS (
    SELECT
        unit_id,
        time_us,
        value,
        row_number() OVER by_time AS nth,
        coalesce(time_us - lag(time_us) OVER by_time > gap_us, false) AS after_silence,
        coalesce(value > above, false) OR coalesce(value < below, false) AS hot,
        CASE WHEN above IS NULL THEN true WHEN clear_below IS NULL THEN value <= above ELSE value < clear_below END
        AND
        CASE WHEN below IS NULL THEN true WHEN clear_above IS NULL THEN value >= below ELSE value > clear_above END
        AS cool
    FROM reading CROSS JOIN rule
    WINDOW by_time AS (PARTITION BY unit_id ORDER BY time_us)
),
step (unit_id, nth, phase, onset, calm_since, kind, at, value) AS (
    SELECT DISTINCT
        unit_id, 0::bigint, 'clear', NULL::bigint, NULL::bigint, NULL, NULL::bigint, NULL::float8
    FROM reading
    UNION ALL
    SELECT
        unit_id,
        judged.nth,
        CASE
            WHEN kind_now = 'raised' THEN 'active'
            WHEN kind_now = 'cleared' THEN 'clear'
            WHEN step.phase IN ('clear', 'pending') THEN CASE WHEN hot THEN 'pending' ELSE 'clear' END
            WHEN cool THEN 'calming'
            ELSE 'active'
        END,
        onset_now,
        calm_now,
        kind_now,
        judged.time_us,
        judged.value
    FROM step
    JOIN judged USING (unit_id)
    CROSS JOIN rule
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN step.phase = 'clear' AND hot THEN judged.time_us
                WHEN step.phase = 'pending' AND hot AND after_silence THEN judged.time_us
                ELSE step.onset
            END AS onset_now,
            CASE
                WHEN step.phase = 'active' AND cool THEN judged.time_us
                WHEN step.phase = 'calming' AND cool AND after_silence THEN judged.time_us
                ELSE step.calm_since
            END AS calm_now
    ) AS spans
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN step.phase IN ('clear', 'pending') AND hot AND judged.time_us - onset_now >= for_us THEN 'raised'
                WHEN step.phase IN ('active', 'calming') AND cool AND judged.time_us - calm_now >= keep_us
                    THEN 'cleared'
            END AS kind_now
    ) AS decision
    WHERE judged.nth = step.nth + 1
)
SELECT unit_id, kind, onset, at, value
FROM step
WHERE kind IS NOT NULL
ORDER BY at, unit_id
