"""The front end's types are made from the OpenAPI document: a change of the API that they miss must not pass."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TYPES = ROOT / "gateway" / "web" / "src" / "api" / "schema.d.ts"
OPENAPI = ROOT / "schemas" / "openapi.json"
"""What the models say: test_schemas.py sees to it."""


def test_the_types_of_the_front_end_are_current():
    made_from = TYPES.read_text("utf-8").splitlines()[0].split()[-1]
    digest = hashlib.sha256(OPENAPI.read_bytes()).hexdigest()
    assert digest == made_from, "the API changed; run: (cd gateway/web && npm run types)"
