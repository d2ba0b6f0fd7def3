"""Every endpoint of the OpenAPI document is tried as nobody, as a customer and as each role: the table says who may."""

import re
from importlib.resources import files
from typing import Any

import pytest

from gateway.accounts.rights import RIGHTS
from gateway.api.pages.pages import APPLICATION_PATHS, CONSOLE_PATHS
from tests.dsl.people import site
from tests.dsl.wait import until
from tests.factories.notices import make_owner, raise_alarm, running_worker

ROLES = ("customer", "support", "product_manager", "administrator")
STAFF = RIGHTS["read"]
WRITERS = RIGHTS["write_campaigns"]
RETRIERS = RIGHTS["retry"]
EVERYBODY = (None, *ROLES)

OPEN = EVERYBODY
SIGNED_IN = ROLES

# Who may ask. Whoever signs in here may ask; then the answer says what is wrong with the empty question we send.
TABLE: dict[str, tuple[str | None, ...]] = {
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /api/flow": OPEN,
    "GET /api/brand": OPEN,
    "GET /api/languages": OPEN,
    "GET /api/claim-hints": OPEN,
    "GET /api/products/{code}/picture": OPEN,
    "POST /api/sign-up": OPEN,
    "POST /api/confirm": OPEN,
    "POST /api/sign-in": OPEN,
    "POST /api/sign-out": OPEN,
    "POST /api/password-reset": OPEN,
    "POST /api/password-reset/confirm": OPEN,
    "POST /api/invitations/accept": OPEN,
    "POST /api/sign-out-everywhere": SIGNED_IN,
    "POST /api/password": SIGNED_IN,
    "GET /api/me": SIGNED_IN,
    "GET /api/staff": RIGHTS["administer"],
    "GET /api/staff/rights": RIGHTS["administer"],
    "GET /api/staff/acts": RIGHTS["administer"],
    "POST /api/staff/invitations": RIGHTS["administer"],
    "POST /api/staff/invitations/withdraw": RIGHTS["administer"],
    "PUT /api/staff/{person_id}/role": RIGHTS["administer"],
    "POST /api/staff/{person_id}/disable": RIGHTS["administer"],
    "POST /api/staff/{person_id}/enable": RIGHTS["administer"],
    "POST /api/staff/{person_id}/end-sessions": RIGHTS["administer"],
    "GET /api/units": STAFF,
    "GET /api/units.csv": RIGHTS["export"],
    "GET /api/units/{unit_id}": STAFF,
    "GET /api/units/{unit_id}/readings": STAFF,
    "GET /api/units/{unit_id}/telemetry": STAFF,
    "GET /api/units/{unit_id}/conflicts": STAFF,
    "GET /api/units/{unit_id}/messages": STAFF,
    "GET /api/feed": STAFF,
    "GET /api/deliveries": STAFF,
    "GET /api/ledger": STAFF,
    "GET /api/alarms": STAFF,
    "GET /api/alarms.csv": RIGHTS["export"],
    "GET /api/alarms/choices": STAFF,
    "GET /api/alarms/{alarm_id}": STAFF,
    "POST /api/alarms/{alarm_id}/acts": RIGHTS["work_alarms"],
    "GET /api/notices": STAFF,
    "GET /api/notices.csv": RIGHTS["export_people"],
    "GET /api/notices/{notice_id}": STAFF,
    "GET /api/events": STAFF,
    "GET /api/dead-letters": STAFF,
    "POST /api/dead-letters/retry": RETRIERS,
    "GET /api/failures-to-tell": STAFF,
    "POST /api/failures-to-tell/retry": RETRIERS,
    "GET /api/quarantine": STAFF,
    "GET /api/quarantine/counts": STAFF,
    "GET /api/quarantine/{number}": STAFF,
    "POST /api/quarantine/retry": RETRIERS,
    "POST /api/quarantine/purge": RIGHTS["purge"],
    "GET /api/search": STAFF,
    "GET /api/stream": STAFF,
    "GET /api/products": STAFF,
    "GET /api/product-figures": STAFF,
    "GET /api/product-figures/{code}": STAFF,
    "GET /api/campaigns": STAFF,
    "GET /api/campaigns.csv": RIGHTS["export"],
    "GET /api/quarantine.csv": RIGHTS["export"],
    "POST /api/campaigns": WRITERS,
    "POST /api/campaigns/count": WRITERS,
    "GET /api/campaigns/{campaign_id}": STAFF,
    "PUT /api/campaigns/{campaign_id}": WRITERS,
    "DELETE /api/campaigns/{campaign_id}": WRITERS,
    "POST /api/campaigns/{campaign_id}/approve": WRITERS,
    "GET /api/campaigns/{campaign_id}/joined": STAFF,
    "GET /api/campaigns/{campaign_id}/units": STAFF,
    "GET /api/people": STAFF,
    "GET /api/people.csv": RIGHTS["export_people"],
    "GET /api/people/{person_id}": STAFF,
    "GET /api/people/{person_id}/my-products": STAFF,
    "GET /api/notes": STAFF,
    "POST /api/notes": RIGHTS["keep_notes"],
    "GET /api/looks": RIGHTS["administer"],
    "GET /api/looks.csv": RIGHTS["administer"],
    "GET /api/my/units": SIGNED_IN,
    "POST /api/my/units": SIGNED_IN,
    "GET /api/my/units/{unit_id}": SIGNED_IN,
    "PATCH /api/my/units/{unit_id}": SIGNED_IN,
    "DELETE /api/my/units/{unit_id}": SIGNED_IN,
    "GET /api/my/units/{unit_id}/readings": SIGNED_IN,
    "GET /api/my/units/{unit_id}/messages": SIGNED_IN,
    "GET /api/my/feed": SIGNED_IN,
    "GET /api/my/notices/{notice_id}": SIGNED_IN,
    "POST /api/my/notices/{notice_id}/read": SIGNED_IN,
    "POST /api/my/notices/{notice_id}/acknowledge": SIGNED_IN,
    "GET /api/my/stream": SIGNED_IN,
    "PUT /api/my/language": SIGNED_IN,
    "PUT /api/my/time-zone": SIGNED_IN,
    "GET /api/my/preferences": SIGNED_IN,
    "PUT /api/my/preferences": SIGNED_IN,
    "POST /api/my/push-tokens": SIGNED_IN,
    "DELETE /api/my/push-tokens/{phone_id}": SIGNED_IN,
}
# What people and browsers ask for and the document leaves out: what nobody and what a stranger is answered.
PAGES: dict[str, tuple[int, int]] = {
    "GET /openapi.json": (200, 200),
    "GET /brand.css": (200, 200),
    "GET /brand/logo": (200, 200),
    "GET /n/{notice_id}": (303, 404),  # to sign-in
    "POST /n/{notice_id}": (401, 303),
    "GET /u/page.css": (200, 200),
    "GET /text/{part}/{language}/{digest}.ftl": (422, 422),
    "GET /l/{token}": (404, 404),  # the token is the right
    "GET /u/{token}": (404, 404),
    "POST /u/{token}": (404, 404),
} | {f"GET {path}": (200, 200) for path in APPLICATION_PATHS + CONSOLE_PATHS}

# What an empty question is answered by whoever may ask it, where that is not 200.
ANSWERS: dict[str, int] = {
    "GET /readyz": 503,  # no role runs here
    "POST /api/sign-up": 422,
    "POST /api/confirm": 422,
    "POST /api/sign-in": 422,
    "POST /api/sign-out": 204,
    "POST /api/password-reset": 422,
    "POST /api/password-reset/confirm": 422,
    "POST /api/invitations/accept": 422,
    "POST /api/sign-out-everywhere": 204,
    "POST /api/password": 422,
    "POST /api/staff/invitations": 422,
    "GET /api/units/{unit_id}": 404,
    "GET /api/alarms/{alarm_id}": 404,
    "POST /api/alarms/{alarm_id}/acts": 422,
    "GET /api/notices/{notice_id}": 404,
    "POST /api/staff/invitations/withdraw": 422,
    "PUT /api/staff/{person_id}/role": 422,
    "POST /api/staff/{person_id}/disable": 404,
    "POST /api/staff/{person_id}/enable": 404,
    "POST /api/staff/{person_id}/end-sessions": 404,
    "GET /api/people/{person_id}": 404,
    "GET /api/people/{person_id}/my-products": 404,
    "GET /api/notes": 422,
    "POST /api/notes": 422,
    "GET /api/units/{unit_id}/readings": 422,
    "GET /api/product-figures/{code}": 404,
    "GET /api/quarantine/{number}": 422,
    "POST /api/dead-letters/retry": 422,
    "POST /api/failures-to-tell/retry": 202,
    "POST /api/quarantine/retry": 422,
    "POST /api/quarantine/purge": 422,
    "POST /api/campaigns": 422,
    "POST /api/campaigns/count": 422,
    "GET /api/campaigns/{campaign_id}": 404,
    "PUT /api/campaigns/{campaign_id}": 422,
    "DELETE /api/campaigns/{campaign_id}": 404,
    "POST /api/campaigns/{campaign_id}/approve": 422,
    "GET /api/campaigns/{campaign_id}/joined": 404,
    "GET /api/campaigns/{campaign_id}/units": 404,
    "GET /api/units/{unit_id}/telemetry": 422,
    "GET /api/units/{unit_id}/conflicts": 422,
    "GET /api/units/{unit_id}/messages": 404,
    "POST /api/my/units": 422,
    "GET /api/my/units/{unit_id}": 404,
    "PATCH /api/my/units/{unit_id}": 422,
    "DELETE /api/my/units/{unit_id}": 404,
    "GET /api/my/units/{unit_id}/readings": 422,
    "GET /api/my/units/{unit_id}/messages": 404,
    "GET /api/my/notices/{notice_id}": 404,
    "POST /api/my/notices/{notice_id}/read": 404,
    "POST /api/my/notices/{notice_id}/acknowledge": 404,
    "PUT /api/my/language": 422,
    "PUT /api/my/time-zone": 422,
    "PUT /api/my/preferences": 422,
    "POST /api/my/push-tokens": 422,
    "DELETE /api/my/push-tokens/{phone_id}": 404,
    "GET /api/search": 422,
    # Nothing streams here: the hub was closed, which is said to those alone who may listen.
    "GET /api/stream": 503,
    "GET /api/my/stream": 503,
}


@pytest.fixture
def world(url, db):
    with site(url, db) as made:
        made.app.state.hub.close()
        yield made


def endpoints(world) -> set[str]:
    paths: dict[str, Any] = world.app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def request_endpoint(browser, endpoint: str, ids: dict[str, str] | None = None):
    """Ask with ids of nothing, unless some are given."""
    method, _, path = endpoint.partition(" ")
    headers = {"Sec-Fetch-Site": "same-origin"} if method != "GET" else {}
    return browser.client.request(
        method, re.sub(r"{(\w+)}", lambda found: (ids or {}).get(found[1], "none"), path), headers=headers
    )


def test_every_endpoint_stands_in_the_table_and_nothing_else(world):
    """A new endpoint is closed or open because somebody said so."""
    assert endpoints(world) == set(TABLE)


def test_every_route_outside_the_document_stands_in_the_list(world):
    hidden = {
        f"{method} {route.path}"
        for route in all_routes(world.app.routes)
        if not getattr(route, "include_in_schema", True)
        for method in route.methods - {"HEAD"}
    }
    assert hidden == set(PAGES)


@pytest.mark.parametrize(("role", "column"), [(None, 0), ("customer", 1)])
def test_pages_carry_nothing_for_strangers(world, role, column):
    built = (files("gateway") / "web" / "dist" / "index.html").is_file()
    for page, answers in PAGES.items():
        browser = world.as_(role) if role else world.browser()
        needs_build = page.removeprefix("GET ") in APPLICATION_PATHS + CONSOLE_PATHS
        expected = answers[column] if built or not needs_build else 503
        assert request_endpoint(browser, page).status_code == expected, page


def all_routes(routes):
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from all_routes(inner)
        elif getattr(route, "methods", None):
            yield route


@pytest.mark.parametrize("role", EVERYBODY, ids=lambda role: role or "nobody")
def test_who_may_ask_is_answered_and_nobody_else(world, role):
    for endpoint, who in sorted(TABLE.items()):
        browser = world.as_(role) if role else world.browser()
        answer = request_endpoint(browser, endpoint)
        if role in who:
            assert answer.status_code == ANSWERS.get(endpoint, 200), endpoint
            continue
        expected = (403, "forbidden") if role else (401, "not_signed_in")
        assert (answer.status_code, answer.json()["code"]) == expected, endpoint
        assert set(answer.json()) == {"type", "title", "status", "code", "detail", "parameters", "problems"}, endpoint


def test_a_session_that_is_over_is_nobody(world):
    for endpoint, who in sorted(TABLE.items()):
        if who == OPEN:
            continue
        browser = world.as_("administrator")
        token = browser.token
        browser.post("/api/sign-out")
        browser.enter(token)
        assert request_endpoint(browser, endpoint).status_code == 401, endpoint


def test_every_act_of_another_site_is_refused(world):
    """Also where nobody is signed in: a new endpoint cannot forget it."""
    for endpoint in sorted({*TABLE, *PAGES}):
        method, _, path = endpoint.partition(" ")
        if method == "GET":
            continue
        answer = world.as_("administrator").client.request(
            method, re.sub(r"{\w+}", "none", path), headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), endpoint


def test_a_stranger_learns_nothing_of_what_is_another_owners(world, url, db, tmp_path):
    """With the true ids they are answered, to the word, as with ids of nothing."""
    ada = make_owner(url, tmp_path, phones=("phone-of-ada",))
    raise_alarm(db)
    with running_worker(url):
        until(lambda: db.execute("SELECT 1 FROM notice").fetchone())
    ids = {
        "unit_id": db.execute("SELECT public_id FROM unit").fetchone()["public_id"],
        "notice_id": db.execute("SELECT public_id FROM notice").fetchone()["public_id"],
        "phone_id": db.execute("SELECT public_id FROM push_token WHERE person_id = %s", [ada]).fetchone()["public_id"],
    }
    for endpoint in sorted(each for each in TABLE if "/api/my/" in each):
        stranger = world.as_("customer", "stranger@example.org")
        answer, nothing = request_endpoint(stranger, endpoint, ids), request_endpoint(stranger, endpoint)
        assert (answer.status_code, answer.text) == (nothing.status_code, nothing.text), endpoint
        for word in ("Ada", "ada@example.org", "P1", "Pump", "phone-of-ada", *ids.values()):
            assert f'"{word}' not in answer.text, endpoint
    assert db.execute("SELECT count(*) AS n FROM push_token WHERE retired_at IS NULL").fetchone()["n"] == 1
    assert db.execute("SELECT read_at, acknowledged_at FROM notice").fetchone() == {
        "read_at": None,
        "acknowledged_at": None,
    }
