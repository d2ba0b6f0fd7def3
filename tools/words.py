"""Checks the words that people read, and writes the names of those that the pages know: `words.py --check`.

Every text stands in English and in German, with the same variables, and is used somewhere. Further languages may lack
texts. The names of the texts for the pages go to gateway/web/src/i18n/keys.ts, so that TypeScript knows a wrong one.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from gateway.text.catalog import ENGLISH, OURS, PARTS
from gateway.text.messages import Message, read_folder

ROOT = Path(__file__).resolve().parents[1]
KEYS = ROOT / "gateway/web/src/i18n/keys.ts"
COMPLETE = (ENGLISH, "de")
_SOURCES = ("gateway/**/*.py", "gateway/**/*.html", "gateway/**/*.txt", "gateway/web/src/**/*.svelte")
_SCRIPTS = ("gateway/web/src/**/*.ts",)
_NAME = re.compile(r"""["'`]([a-z][a-z0-9_-]*)["'`]""")
_HOLE = r"\$?\{[^{}\n]*\}"
_SHAPE = re.compile(rf"""["'`]([a-z][a-z0-9_-]*-(?:{_HOLE}[a-z0-9_-]*)+)["'`]""")
_SAID = re.compile(r"""\bsay\(\s*["']([a-z][a-z0-9_]*(?:-[a-z0-9_]+)+)["']\s*[,)]""")
_REASON = re.compile(r"""Reason\.of\(\s*"([a-z][a-z0-9_-]*)"[,)]""")
_REASON_SHAPE = re.compile(rf"""Reason\.of\(\s*f"([a-z][a-z0-9_-]*-(?:{_HOLE}[a-z0-9_-]*)+)"[,)]""")


def main() -> int:
    """Check, or write the names first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something is wrong")
    arguments = parser.parse_args()
    languages = {code: read_folder(OURS / code) for code in COMPLETE}
    english = languages[ENGLISH]
    names, texts = page_names(english), list(sources())
    if not arguments.check:
        KEYS.write_text(names, "utf-8")
    problems = [
        *differences(english, languages["de"], "de"),
        *(f"{key} is used nowhere" for key in unused(english, texts)),
        *(f"{key} is used, and stands nowhere" for key in unknown(english, texts)),
        *([] if KEYS.read_text("utf-8") == names else ["keys.ts is out of date; run: .venv/bin/python tools/words.py"]),
    ]
    print("\n".join(problems) or f"{len(english)} texts, in {' and '.join(COMPLETE)}")
    return int(bool(problems))


def differences(english: dict[str, Message], other: dict[str, Message], language: str) -> Iterator[str]:
    """What one of two complete languages lacks, and where their texts name different variables."""
    for key in english.keys() | other.keys():
        if key not in other:
            yield f"{key} is missing in {language}"
        elif key not in english:
            yield f"{key} is missing in {ENGLISH}"
        elif english[key].variables != other[key].variables:
            named = (", ".join(sorted(each[key].variables)) or "none" for each in (english, other))
            yield f"{key} has other variables in {language}: {' / '.join(named)}"
        elif english[key].file != other[key].file:
            yield f"{key} stands in {english[key].file} and, in {language}, in {other[key].file}"


def unused(english: dict[str, Message], texts: Iterable[str]) -> list[str]:
    """The texts that no source names: whole, or by a name with holes such as `kind-${kind}`."""
    named = {key for message in english.values() for key in message.references}
    shaped = set[str]()
    for text in texts:
        named.update(_NAME.findall(text), (f"reason-{code}" for code in _REASON.findall(text)))
        shaped.update(_SHAPE.findall(text), (f"reason-{code}" for code in _REASON_SHAPE.findall(text)))
    shapes = [re.compile("[a-z0-9_]+".join(map(re.escape, re.split(_HOLE, shape)))) for shape in shaped]
    return sorted(key for key in english.keys() - named if not any(shape.fullmatch(key) for shape in shapes))


def unknown(english: dict[str, Message], texts: Iterable[str]) -> list[str]:
    """The texts that a source names and that there are not; TypeScript finds those of the pages by itself."""
    named = set[str]()
    for text in texts:
        named.update(_SAID.findall(text), (f"reason-{code}" for code in _REASON.findall(text)))
    return sorted(named - english.keys())


def sources() -> Iterator[str]:
    """Every source that may name a text."""
    for pattern in (*_SOURCES, *_SCRIPTS):
        for path in ROOT.glob(pattern):
            is_ours = path != KEYS and "api/schema" not in path.as_posix()
            if is_ours and not path.name.endswith(".test.ts"):
                yield path.read_text("utf-8")


def page_names(english: dict[str, Message]) -> str:
    """The module that names the texts of the pages."""
    patterns = {pattern for part in PARTS.values() for pattern in part}
    keys = sorted(key for key, each in english.items() if any(fnmatch(each.file, pattern) for pattern in patterns))
    lines = "\n".join(f'  | "{key}"' for key in keys)
    head = "/** The texts of the pages, as gateway/text/ has them; written by tools/words.py. */"
    return f"{head}\nexport type Key =\n{lines};\n"


if __name__ == "__main__":
    sys.exit(main())
