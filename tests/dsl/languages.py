"""Languages that a test makes up: in part, or with every text of the catalog in brackets and accents."""

from pathlib import Path
from typing import Any

from fluent.syntax import FluentParser, FluentSerializer, ast
from fluent.syntax.visitor import Transformer

from gateway.text.catalog import ENGLISH, OURS

PSEUDO = "en-XA"
OPEN, CLOSE = "⟦", "⟧"
_ACCENTS = str.maketrans("aeiouyAEIOU", "áéíóúýÁÉÍÓÚ")


def write_language(folder: Path, code: str, name: str, locale: str, **files: str) -> Path:
    """Write the files of a language into a folder of texts, which is returned."""
    (folder / code).mkdir(parents=True, exist_ok=True)
    files |= {"language": f"language-name = {name}\nlanguage-locale = {locale}\n"}
    for file, text in files.items():
        (folder / code / f"{file}.ftl").write_text(text, "utf-8")
    return folder


def write_pseudo_language(folder: Path) -> Path:
    """Write the pseudo language: English with accents, each text in brackets."""
    files = {file.stem: _bracketed(file.read_text("utf-8")) for file in (OURS / ENGLISH).glob("*.ftl")}
    return write_language(folder, PSEUDO, "⟦Pseudo⟧", "en-GB", **files)


def outside_brackets(text: str) -> str:
    """Returns what of a text stands in no brackets: what no catalog says."""
    depth, kept = 0, []
    for sign in text:
        depth += (sign == OPEN) - (sign == CLOSE)
        if depth == 0:
            kept.append(" " if sign == CLOSE else sign)
    assert depth == 0, text
    return "".join(kept)


def in_pseudo(content: dict[str, Any]) -> dict[str, Any]:
    """The author wrote the pseudo language too: as in English."""
    return {
        name: part | {PSEUDO: part["en"]} if isinstance(part, dict) and "en" in part else part
        for name, part in content.items()
    }


class _Accents(Transformer):
    def visit_TextElement(self, node: ast.TextElement) -> ast.TextElement:  # noqa: N802 - the library names it
        node.value = node.value.translate(_ACCENTS)
        return node


def _bracketed(source: str) -> str:
    resource = FluentParser().parse(source)
    for entry in resource.body:
        if isinstance(entry, ast.Message):
            _Accents().visit(entry)
            entry.value.elements = [ast.TextElement(OPEN), *entry.value.elements, ast.TextElement(CLOSE)]
    return FluentSerializer().serialize(resource)
