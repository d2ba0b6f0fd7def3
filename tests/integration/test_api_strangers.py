"""Whoever is not signed in is told that and nothing else, also where the request could not be read."""

import pytest

from tests.dsl.people import site
from tests.integration.test_api_access import TABLE

PRIVATE = [endpoint for endpoint, who in TABLE.items() if None not in who]
WRONG = "?limit=many&before=x&after=x&minutes=0&until=never"
HERE = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


@pytest.fixture
def world(url, db):
    with site(url, db) as made:
        yield made


def test_a_stranger_with_wrong_parameters_or_a_broken_body_only_learns_to_sign_in(world):
    strangers = {"nobody": world.browser().client, "a forged session": world.browser().client}
    strangers["a forged session"].cookies.set("session", "x" * 43)
    answers = {}
    for name, client in strangers.items():
        for endpoint in PRIVATE:
            method, path = endpoint.split()
            body = None if method in {"GET", "DELETE"} else b'{"broken": '
            answer = client.request(method, path.replace("{", "").replace("}", "") + WRONG, content=body, headers=HERE)
            answers[f"{endpoint} as {name}"] = (answer.status_code, answer.json()["code"])
    assert {endpoint: told for endpoint, told in answers.items() if told != (401, "not_signed_in")} == {}


def test_who_is_signed_in_is_told_what_is_wrong(world):
    ada = world.as_("customer", "ada@example.org")
    for path in ("/api/my/units", "/api/my/feed"):
        answer = ada.get(f"{path}?limit=many")
        assert (answer.status_code, answer.json()["problems"]) == (
            422,
            ["limit: Input should be a valid integer, unable to parse string as an integer"],
        )
