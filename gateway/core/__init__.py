"""Values, ids, clock, errors and stage outcomes: standard library and pydantic only."""
