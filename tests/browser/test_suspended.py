"""The console's units name a product that is suspended, and say no more of it when it is judged again."""

import pytest
from playwright.sync_api import expect

from gateway.demo.visitor import Visitor
from tests.browser import checks

REASON = "KeyError: 'a_metric_with_a_very_long_name_that_no_rule_of_this_product_knows_any_more'"


@pytest.fixture
def product(width):
    """Each width has one of its own: a product is suspended once."""
    return {390: "rm-500", 1440: "ac-24"}[width]


@pytest.fixture
def suspended(demo, product):
    """As ingest writes it down."""
    with demo.database() as db:
        db.execute(
            "INSERT INTO product_suspension (product_id, product, since, reason, rules)"
            " SELECT id, code, now(), %s, '{}' FROM product WHERE code = %s",
            [REASON, product],
        )
        yield db
        db.execute("DELETE FROM product_suspension WHERE product = %s", [product])


def test_the_banner_names_the_suspended_product_and_goes_with_the_suspension(
    demo, suspended, product, open_page, width
):
    page = open_page(width, Visitor.sign_in(demo.url, "support@brenhold.example", demo.password))
    page.goto("/console/units")
    banner = page.locator(".strip", has_text=product)
    expect(banner).to_contain_text(REASON)
    page.locator("tbody tr").first.wait_for()
    checks.check(page, "units-suspended", width, target=36)
    suspended.execute("DELETE FROM product_suspension WHERE product = %s", [product])
    expect(banner).to_be_hidden(timeout=60_000)  # also the other width's is over by then
