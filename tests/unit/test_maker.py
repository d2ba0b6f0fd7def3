"""The maker's settings: what cannot be shown is refused, and the refusal says what to write."""

import pytest
from pydantic import ValidationError

from gateway.api.public.brand import read_logo
from gateway.config import Settings
from gateway.core.errors import BadInput
from gateway.core.maker import lightened, on_dark, on_light

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("maker_name", " ", "write some letters"),
        ("maker_name", "x" * 61, "at most 60"),
        ("maker_color", "petrol", "write the colour as #rrggbb"),
        ("maker_color", "#ffcc00", "too pale to read on white; write a darker one, like #"),
        ("maker_color_dark", "#0b5a75", "too dark to read on black; write a paler one, like #"),
        ("maker_email", "nobody", "email address"),
        ("maker_url", "javascript:alert(1)", "write it as https://HOST/PAGE"),
        ("maker_imprint_url", "/imprint", "write it as https://HOST/PAGE"),
        ("maker_privacy_url", "ftp://maker.example", "write it as https://HOST/PAGE"),
        ("maker_time_zone", "Mars/Base", "like Europe/Berlin"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(name, written, words):
    with pytest.raises(ValidationError) as refused:
        Settings(**{name: written})
    assert words in str(refused.value)


@pytest.mark.parametrize("colour", ["#ffcc00", "#ff0000", "#00b894", "#ffffff", "#7f7f7f"])
def test_the_colour_that_a_refusal_names_is_taken(colour):
    with pytest.raises(ValueError, match="too pale") as refused:
        on_light(colour)
    darker = str(refused.value)[-7:]
    assert on_light(darker) == darker


@pytest.mark.parametrize("colour", ["#000000", "#0b5a75", "#7a1f5c", "#00008b", "#ffffff"])
def test_without_a_colour_for_dark_pages_one_that_can_be_read_is_made(colour):
    made = lightened(colour)
    assert on_dark(made) == made
    assert Settings(maker_color="#0b5a75").maker.color_dark == lightened("#0b5a75")
    assert Settings(maker_color="#0b5a75", maker_color_dark="#74C4DE").maker.color_dark == "#74c4de"


def test_a_logo_is_known_by_what_it_holds(tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_bytes(PNG)
    assert read_logo(Settings(maker_logo=logo)).media_type == "image/png"
    logo.write_text('<?xml version="1.0"?>\n<!-- ours -->\n<svg xmlns="http://www.w3.org/2000/svg"/>')
    assert read_logo(Settings(maker_logo=logo)).media_type == "image/svg+xml"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"<html><svg></svg></html>", "none of SVG, PNG, WebP and JPEG"),
        (PNG + b"0" * 200_000, "more than 200 kB"),
    ],
)
def test_a_logo_that_is_none_is_refused_and_the_setting_named(tmp_path, content, words):
    logo = tmp_path / "logo.png"
    if content is not None:
        logo.write_bytes(content)
    with pytest.raises(BadInput, match=r"^GATEWAY_MAKER_LOGO: .*" + words):
        read_logo(Settings(maker_logo=logo))


def test_without_a_logo_a_plain_mark_in_the_makers_colours_is_shown():
    mark = read_logo(Settings(maker_color="#7a1f5c")).content.decode()
    assert "fill:#7a1f5c" in mark
    assert mark.count("<svg") == 1
