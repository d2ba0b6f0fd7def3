"""An owner's story in a browser, with real servers behind it; each page is held to the same rules on its way."""

import re

from tests.browser.checks import check, tab


def sign_in(page, demo, email):
    page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(demo.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="My Products").wait_for()


def test_an_owner_signs_up_registers_and_is_told_without_a_reload(page, demo, width, fresh_email):  # noqa: PLR0915
    page.goto("/")
    page.get_by_role("heading", name="Sign in").wait_for()
    check(page, "1-sign-in", width)

    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Your name").fill("Jana Möller")
    page.get_by_label("Email").fill(fresh_email)
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Send me the code").click()
    assert page.evaluate("document.activeElement.id") == "password"
    check(page, "2-sign-up", width)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code", exact=True).fill(demo.code_for(fresh_email))
    check(page, "3-code", width)
    page.get_by_role("button", name="Confirm my address").click()
    page.get_by_role("heading", name="Your products appear here").wait_for()
    check(page, "4-empty", width)

    unit = demo.free_unit("hp-90")
    page.get_by_role("link", name="Add a product").first.click()
    page.get_by_role("textbox", name="Serial").fill(unit["serial"].lower().replace("-", " "))
    page.get_by_role("textbox", name="Claim code").fill("AAAA-AAAA")
    page.get_by_role("button", name="Add this product").click()
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    check(page, "5-refused", width)
    page.get_by_role("textbox", name="Claim code").fill(unit["claim_code"].lower())
    page.get_by_role("button", name="Add this product").click()
    page.get_by_label("Where does it stand?").fill("Cellar")
    check(page, "6-added", width)
    page.get_by_role("button", name="Done").click()
    page.get_by_role("heading", name="Heat pump", exact=True).wait_for()

    page.get_by_role("link", name="My Products").click()
    page.get_by_text("HP 90 · Cellar").wait_for()
    page.evaluate("window.stayed = true")
    demo.fault(f"hp-90/{unit['serial']}", "pressure-loss", "120s")
    page.get_by_role("heading", name="Top up the heating water").wait_for(timeout=60_000)
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    page.get_by_text("New", exact=True).wait_for()
    check(page, "7-told", width)

    page.get_by_role("link", name=re.compile("^See what to do")).click()
    page.get_by_role("heading", name="Why you got this").wait_for()
    page.get_by_text("You opened it").wait_for()
    check(page, "8-notice", width)
    page.get_by_role("button", name="I have done it").click()
    page.get_by_text("that it is done").wait_for()

    notice = page.url.rsplit("/", 1)[1]
    page.get_by_role("link", name="HP 90").click()
    page.locator(".uplot canvas").wait_for()
    page.get_by_text("Show the last messages").click()
    page.get_by_text("Taken").first.wait_for()
    check(page, "9-unit", width)

    page.goto(f"/n/{notice}")
    page.get_by_text("The rule:").wait_for()
    check(page, "10-permalink", width)


def test_settings_and_account_are_kept_and_the_stream_ends_with_the_session(open_page, demo, width):
    owner, _ = demo.owner("hp-90")
    page = open_page(width, owner)
    page.goto("/settings")
    page.get_by_role("table").wait_for()
    check(page, "11-settings", width)
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("heading", name="Was Sie erreicht, und wie").wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
    check(page, "12-settings-german", width)
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="What reaches you, and how").wait_for()

    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("heading", name="My Products").wait_for()
    page.goto("/account")
    page.get_by_role("heading", name="Your account").wait_for()
    check(page, "13-account", width)
    page.get_by_role("button", name=re.compile("^Sign out everywhere")).click()
    page.get_by_role("heading", name="Sign in").wait_for()
    other.get_by_role("heading", name="Sign in").wait_for()


def test_the_keyboard_gets_everywhere_and_always_shows_where_it_is(page, demo, width):
    sign_in(page, demo, "eva.silva@example.org")
    page.locator(".unit").first.wait_for()
    page.reload()
    page.locator(".unit").first.wait_for()
    first = tab(page)
    assert first["what"] == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    names = []
    for _ in range(40):
        focused = tab(page)
        if focused["body"]:
            break
        names.append(focused["what"])
        ring = focused["ring"] != "none" or page.evaluate("!!document.activeElement.closest('.unit')")
        assert ring, f"no focus ring on {focused['what']}"
        assert focused["seen"], f"the focus is on something unseen: {focused['what']}"
    assert any("Add a product" in name for name in names), names


def test_a_notice_needs_no_script_and_nobody_else_sees_it(new_context, demo, page, width):
    sign_in(page, demo, "eva.silva@example.org")
    page.goto("/notices")
    link = page.locator("a[href^='/notices/']").first
    link.wait_for(timeout=60_000)
    path = link.get_attribute("href").split("#")[0].replace("/notices/", "/n/")
    context = new_context(base_url=demo.url, java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    assert plain.goto(path).status == 200
    assert plain.locator("svg.n-chart path.ln").count() == 1
    assert plain.get_by_role("heading", name="What to do").is_visible()

    nobody = new_context(base_url=demo.url).new_page()
    nobody.goto(path)
    nobody.get_by_text("Sign in, then we show you the page you asked for.").wait_for()
    sign_in_there = nobody.get_by_label("Email")
    sign_in_there.fill("support@brenhold.example")
    nobody.get_by_label("Password", exact=True).fill(demo.password)
    nobody.get_by_role("button", name="Sign in", exact=True).click()
    nobody.get_by_role("heading", name="This notice is not here").wait_for()
