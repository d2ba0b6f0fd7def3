"""What a product looks like and where its serial and claim code stand: in its file, and for who registers one."""

from pathlib import Path

import pytest
import yaml

from gateway.api.public.products import HINTS_MAX
from gateway.core.errors import BadInput
from gateway.imports.service import import_files
from gateway.registrations.service import import_product
from tests.dsl.people import site
from tests.factories import PUMP, product

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SERIAL = {"en": "Under the lid.", "de": "Unter dem Deckel."}
CODE = {"en": "In the manual."}


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "pump.svg").write_text(SVG)
    (tmp_path / "pump.png").write_bytes(PNG)
    return tmp_path


@pytest.fixture
def import_pump(url, folder):
    """Imports the pump with what its file says besides."""

    def imported(**changes):
        file = folder / "pump.yaml"
        file.write_text(yaml.safe_dump(PUMP | changes))
        return import_files(url, "products", [file], actor="test")

    return imported


@pytest.fixture
def stranger(url, db):
    with site(url, db) as world:
        yield world.browser()


def test_a_picture_is_for_everybody_and_runs_no_script(import_pump, stranger):
    import_pump(picture="pump.svg")
    answer = stranger.get("/api/products/pump/picture")
    assert (answer.text, answer.headers["content-type"]) == (SVG, "image/svg+xml")
    assert answer.headers.get_list("cache-control") == ["public, max-age=300"]
    (policy,) = answer.headers.get_list("content-security-policy")
    assert {"default-src 'none'", "sandbox"} <= set(policy.split("; "))
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = stranger.client.get("/api/products/pump/picture", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_picture_follows_its_file(import_pump, stranger, folder):
    def shown():
        return stranger.get("/api/products/pump/picture").content

    unknown = stranger.get("/api/products/nothing/picture")
    assert (unknown.status_code, unknown.headers["content-type"]) == (200, "image/svg+xml")
    assert import_pump() == ["pump.yaml: pump imported"]
    assert shown() == unknown.content, "a plain box"
    assert import_pump(picture="pump.svg") == ["pump.yaml: pump imported"]
    assert import_pump(picture="pump.svg") == ["pump.yaml: pump is as it was"]
    assert shown() == SVG.encode()
    (folder / "pump.svg").write_text(SVG.replace("alert", "confirm"))
    assert import_pump(picture="pump.svg") == ["pump.yaml: pump imported"]
    assert b"confirm" in shown()
    import_pump(picture="pump.png")
    assert shown() == PNG
    import_pump()
    assert shown() == unknown.content


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("none.svg", "picture: .*cannot be read .*; name a file that is there"),
        ("pump.yaml", "picture: .*is none of SVG, PNG, WebP and JPEG"),
        ("large.png", "picture: .*has more than 200 kB"),
        ("../pump.svg", "picture: write the picture's path from the folder of this file"),
        ("/etc/pump.svg", "picture: write the picture's path from the folder of this file"),
    ],
)
def test_a_picture_that_cannot_be_shown_refuses_the_whole_import(import_pump, url, db, folder, picture, words):
    (folder / "large.png").write_bytes(PNG + b"0" * 200_000)
    sound = folder / "sound.yaml"
    sound.write_text(yaml.safe_dump(PUMP | {"code": "sound", "picture": "pump.svg"}))
    with pytest.raises(BadInput, match=words):
        import_pump(picture=picture)
    with pytest.raises(BadInput, match=words):
        import_files(url, "products", [sound, folder / "pump.yaml"], actor="test")
    assert db.execute("SELECT count(*) AS n FROM product").fetchone()["n"] == 0
    assert db.execute("SELECT count(*) AS n FROM product_picture").fetchone()["n"] == 0


def test_the_hints_are_told_in_the_language_that_is_asked_for(import_pump, stranger):
    import_pump(serial_hint=SERIAL, code_hint=CODE)
    for language, name, serial in (("en", "Pump", "Under the lid."), ("de", "Pumpe", "Unter dem Deckel.")):
        answer = stranger.get(f"/api/claim-hints?language={language}")
        shown = {"code": "pump", "name": name, "model": "P 200"}
        assert answer.json() == [{"product": shown, "serial": serial, "code": "In the manual."}]
    assert import_pump(serial_hint=SERIAL, code_hint=CODE) == ["pump.yaml: pump is as it was"]
    import_pump()
    (hint,) = stranger.get("/api/claim-hints").json()
    assert (hint["serial"], hint["code"]) == (None, None)


def test_hints_of_many_products_are_found_by_a_part_of_a_name_or_of_the_model(import_pump, db, stranger):
    import_pump(serial_hint=SERIAL, code_hint=CODE)
    with db.transaction():
        for number in range(HINTS_MAX + 10):
            import_product(db, product(code=f"a-{number:03}", model=f"A {number}", name={"en": "Valve"}), actor="test")

    def found(words):
        return [hint["product"]["code"] for hint in stranger.get(f"/api/claim-hints?words={words}").json()]

    assert len(found("")) == HINTS_MAX
    assert "pump" not in found("")
    assert [found(words) for words in ("PUMPE", "p%20200", "ump%20p")] == [["pump"]] * 3
    assert found("a%2059") == ["a-059"]
    assert found("nothing") == found("%25") == []
