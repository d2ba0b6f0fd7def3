"""Turns of registering: where a serial stands, one that several products have, and giving a product up."""

from tests.browser.checks import check
from tests.dsl.wait import until


def test_who_says_which_product_it_is_reads_where_its_serial_stands(demo, open_page, width):
    owner, _ = demo.owner()
    page = open_page(width, owner)
    page.goto("/add")
    page.get_by_text("On the plate or label of the product.").wait_for()
    page.get_by_role("combobox", name="Which product do you have?").select_option("Robot mower RM 500")
    page.get_by_text("On the label under the flap, beside the battery.").wait_for()
    page.get_by_text("Rub off the silver strip.").wait_for()
    picture = page.locator(".where-product img")
    until(lambda: picture.evaluate("image => image.naturalWidth") > 0, what="the picture is shown")
    check(page, "32-where", width)


def test_a_serial_of_several_products_asks_which_one_it_is(demo, open_page, width):
    serial, code = demo.make_units("ac-24", "hp-90")
    owner, _ = demo.owner()
    page = open_page(width, owner)
    page.goto("/add")
    page.get_by_role("textbox", name="Serial").fill(serial)
    page.get_by_role("textbox", name="Claim code").fill(code)
    page.get_by_role("button", name="Add this product").click()
    page.get_by_role("heading", name="Which product is it?").wait_for()
    assert page.evaluate("document.activeElement.id") == "which"
    check(page, "30-which", width)
    page.get_by_role("button", name="Add this product").click()
    page.get_by_text("Choose the product you have.").wait_for()
    page.get_by_role("radio", name="Air compressor").check()
    page.get_by_role("button", name="Add this product").click()
    page.get_by_role("heading", name="Air compressor is yours").wait_for()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("heading", name="Air compressor", exact=True).wait_for()
    (unit,) = owner.get("/api/my/units")["units"]
    assert (unit["product"]["code"], unit["serial"]) == ("ac-24", serial)

    page.get_by_role("button", name="It is no longer mine").click()
    toast = page.get_by_text("Air compressor leaves your products in 8 seconds")
    toast.wait_for()
    check(page, "31-undo", width)
    page.get_by_role("button", name="Undo").click()
    toast.wait_for(state="detached")
    page.wait_for_timeout(9_000)  # longer than the toast would have lasted
    assert [one["id"] for one in owner.get("/api/my/units")["units"]] == [unit["id"]]
    page.locator(".unit a").click()
    page.get_by_role("button", name="It is no longer mine").click()
    page.mouse.move(5, 5)  # a toast stays under the mouse
    page.get_by_text("Air compressor is no longer yours").wait_for()
    page.get_by_role("heading", name="Your products appear here").wait_for()
    until(lambda: not owner.get("/api/my/units")["units"], what="it is nobody's")
