"""The front end's types are made from the OpenAPI document: a change of the API that they miss must not pass."""

from pathlib import Path

from gateway.contract.openapi import digest

TYPES = Path(__file__).parents[2] / "gateway" / "web" / "src" / "api" / "schema.d.ts"


def test_the_types_of_the_front_end_are_current():
    made_from = TYPES.read_text("utf-8").splitlines()[0].split()[-1]
    assert digest() == made_from, "the API changed; run: (cd gateway/web && npm run types)"
