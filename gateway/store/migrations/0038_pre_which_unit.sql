-- What tells a unit from the others of its product that the same person owns at a moment: its place, else its serial, and
-- both where the places are the same. No row where there is no other.
CREATE FUNCTION unit_apart(of_person bigint, of_unit bigint, at timestamptz) RETURNS TABLE (apart text)
LANGUAGE sql STABLE AS $$
  SELECT coalesce(o.place || CASE WHEN e.is_same_place THEN ', ' || u.printed ELSE '' END, u.printed)
  FROM ownership o
  JOIN unit u ON u.id = o.unit_id
  CROSS JOIN LATERAL (
    SELECT bool_or(w.place IS NOT DISTINCT FROM o.place) AS is_same_place
    FROM ownership w JOIN unit x ON x.id = w.unit_id
    WHERE w.person_id = of_person AND w.during @> at AND w.unit_id <> of_unit AND x.product_id = u.product_id) e
  WHERE o.unit_id = of_unit AND o.person_id = of_person AND o.during @> at AND e.is_same_place IS NOT NULL
$$;
