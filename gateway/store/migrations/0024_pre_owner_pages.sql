-- An owner's pages look up what they show by keys, however many units and notices there are.

-- Only the other views read it, and they are barriers themselves. As one of its own it was read as a whole for each unit.
ALTER VIEW my_tenure RESET (security_barrier);

CREATE INDEX ownership_person_unit ON ownership (person_id, unit_id);
DROP INDEX ownership_person;

-- The feed goes by the number of the notice, the newest first.
CREATE INDEX notice_person_id ON notice (person_id, id);
DROP INDEX notice_person;
