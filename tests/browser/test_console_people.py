"""Support finds a person, sees what they see and logs a call; an administrator works on the staff's accounts."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser import checks


def check(page, name, width):
    checks.check(page, f"console-{name}", width, target=36 if width >= 1024 else 44)


@pytest.fixture
def jana(demo):
    """Jana, who owns a compressor; her id, her address and her unit."""
    visitor, units = demo.owner("ac-24")
    me = visitor.get("/api/me")
    return me["person"], me["email"], units[0]


def test_support_finds_a_person_sees_what_they_see_and_logs_a_call(open_page, demo, width, jana):
    person, email, unit = jana
    page = open_page(width, demo.member("support", "Sam Lind"))
    page.goto("/console/people")
    expect(page.get_by_role("link", name="Save as CSV")).to_have_count(0)
    page.get_by_role("searchbox").fill(email.upper()[:14])
    expect(page).to_have_url(re.compile("words="))
    expect(page.get_by_role("row")).to_have_count(2)
    check(page, "people", width)
    page.get_by_role("link", name="Jana Möller").click()
    expect(page.get_by_role("heading", name="Jana Möller")).to_be_visible()
    expect(page.get_by_text(unit["serial"])).to_be_visible()
    expect(page.get_by_text(email)).to_be_visible()

    page.get_by_role("button", name="Log a call").click()
    expect(page.get_by_label("Note on this call")).to_be_focused()
    page.get_by_label("Note on this call").fill("Asked where the serial stands.")
    page.reload()
    expect(page.get_by_label("Note on this call")).to_have_value("Asked where the serial stands.")
    page.route("**/api/notes", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name="Save call").click()
    expect(page.get_by_text("What you wrote is still here")).to_be_visible()
    page.unroute("**/api/notes")
    page.get_by_role("button", name="Save call").click()
    expect(page.get_by_label("Note", exact=True)).to_have_value("")
    expect(page.get_by_role("listitem").filter(has_text="Asked where the serial stands.")).to_contain_text("Sam Lind")
    check(page, "person", width)

    page.get_by_role("link", name="See what they see").click()
    seen = page.locator("main")
    expect(seen.get_by_text("You cannot act for them here")).to_be_visible()
    expect(seen.locator(".unit").get_by_role("link")).to_have_count(0)
    check(page, "seen", width)
    with demo.database() as db:
        looks = db.execute(
            "SELECT page FROM staff_look l JOIN person p ON p.id = l.person_id WHERE p.public_id = %s ORDER BY page",
            [person],
        ).fetchall()
    assert [look["page"] for look in looks] == ["my_products", "record"]


def test_an_administrator_invites_changes_a_role_and_sees_who_looked(open_page, demo, width, jana):
    name = f"Zoe{secrets.token_hex(3)} Keller"
    zoe = demo.member("support", name)
    zoe.get(f"/api/people/{jana[0]}")
    page = open_page(width, demo.member("administrator", "Ann Berg"))
    page.goto("/console/staff")
    line = page.get_by_role("row").filter(has_text=name)
    line.get_by_label(f"Role of {name}").select_option("product_manager")
    expect(page.get_by_text(f"{name}: Product manager now")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=f"{name}: Product manager")).to_contain_text("Ann Berg")
    line.get_by_role("button", name="Disable").click()
    expect(line.get_by_role("button", name="Enable")).to_be_visible()
    own = page.get_by_role("row").filter(has_text="(you)")
    expect(own.get_by_role("combobox")).to_have_count(0)
    expect(own.get_by_role("button", name="Disable")).to_have_count(0)

    email = f"new.{secrets.token_hex(4)}@brenhold.example"
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_label("Email")).to_be_focused()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Name", exact=True).fill("New One")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("listitem").filter(has_text=email)).to_be_visible()
    check(page, "staff", width)
    page.get_by_role("listitem").filter(has_text=email).get_by_role("button", name="Take back").click()
    expect(page.get_by_role("listitem").filter(has_text=email)).to_have_count(0)

    page.get_by_role("link", name="Who looked").click()
    page.get_by_label("Everybody of the staff").select_option(label=name)
    expect(page.get_by_role("row").filter(has_text="Jana Möller")).to_have_count(1)
    check(page, "looks", width)


@pytest.mark.parametrize("width", [390], ids=str)
def test_the_staff_land_in_the_console_and_find_their_own_products_from_there(page, demo, jana):
    page.goto("/sign-in")
    page.get_by_label("Email").fill("support@brenhold.example")
    page.get_by_label("Password", exact=True).fill(demo.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/console/**")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="My Products").click()
    page.get_by_role("heading", name="My Products").wait_for()
    page.get_by_role("link", name="Staff console").click()
    page.wait_for_url("**/console/**")
    page.goto("/console/staff")
    expect(page.get_by_role("heading", name="not here", exact=False).or_(page.locator(".empty h1"))).to_be_visible()


@pytest.mark.parametrize("width", [390], ids=str)
def test_a_page_that_was_wanted_comes_before_the_console_and_a_customer_is_told_that_it_is_not_for_them(
    page, open_page, demo
):
    page.goto("/sign-in?next=/settings")
    page.get_by_label("Email").fill("support@brenhold.example")
    page.get_by_label("Password", exact=True).fill(demo.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/settings")
    visitor, _ = demo.owner()
    other = open_page(390, visitor)
    other.goto("/console/people")
    expect(other.get_by_role("heading", name="These pages are for staff")).to_be_visible()
    other.get_by_role("link", name="My Products").first.click()
    other.get_by_role("heading", name="My Products").wait_for()
    expect(other.get_by_role("link", name="Staff console")).to_have_count(0)
