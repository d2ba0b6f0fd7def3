"""What every page must keep: axe finds nothing, nothing scrolls sideways, the keyboard gets everywhere it shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe

from tests.dsl.forms import form

DESK = 860
"""The width in px from which a page is laid out for a desk."""
PICTURES = Path(__file__).with_name("pictures")

_TARGETS = """(least) => [...document.querySelectorAll('a.btn, button, select, nav a, input:not(.sr)')]
  .filter((el) => el.checkVisibility() && !el.closest('.sr') && !(el.matches('input') && el.closest('label')))
  .map((el) => [el.textContent.trim() || el.id, el.getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && box.height < least - 0.5 && box.width > 1)
  .map(([name, box]) => `${name} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
_BEYOND = """(width) => document.documentElement.scrollWidth <= width ? [] :
  [...document.querySelectorAll('body *')].filter((el) => el.getBoundingClientRect().right > width)
  .map((el) => `${el.tagName.toLowerCase()}.${el.className} ends at ${Math.round(el.getBoundingClientRect().right)}`)"""
_FOCUSED = """() => {
  const el = document.activeElement, box = el.getBoundingClientRect();
  return { what: (el.getAttribute('aria-label') || el.textContent || el.id).trim().slice(0, 40),
           ring: getComputedStyle(el).outlineStyle, seen: box.width > 0 && box.height > 0,
           body: el === document.body };
}"""


BOTH = ("dark", "light")


def check(page: Any, name: str, width: int, target: int = 44, schemes: Sequence[str] | None = None) -> None:
    """Keep pictures of the page and hold it to the rules; `target` is the least height of a target, in px.

    A page that is looked at in both widths needs no `schemes`: dark on the phone and light on the desk, or in the long
    form both on each.
    """
    PICTURES.mkdir(exist_ok=True)
    height = page.viewport_size["height"]
    for scheme in schemes or form(("dark",) if width < DESK else ("light",), BOTH):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png")
        page.set_viewport_size({"width": width, "height": height})
        found = Axe().run(page)
        assert not found.response["violations"], f"{name} in {scheme}: {found.generate_report()}"
    _check_width(page, name, width)
    assert page.evaluate(_TARGETS, target) == [], f"{name} has targets below {target} px"
    if width < DESK:
        page.set_viewport_size({"width": 320, "height": height})
        _check_width(page, name, 320)
        page.set_viewport_size({"width": width, "height": height})


def _check_width(page: Any, name: str, width: int) -> None:
    """A chart takes its new width a moment after its page has it."""
    for _ in range(20):
        beyond = page.evaluate(_BEYOND, width)
        if not beyond:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{name} scrolls sideways at {width}: {beyond}")


def tab(page: Any) -> dict[str, Any]:
    """Press Tab. Returns what has the focus now."""
    page.keyboard.press("Tab")
    return page.evaluate(_FOCUSED)
