"""The catalog: every language that has a folder of words, English where one of its words is missing.

Ours stand beside this file. An installation may name a folder of its own (`GATEWAY_TEXT_FOLDER`), with further
languages or with other words for ours.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Literal

from babel import Locale
from fluent.runtime import FluentBundle, FluentResource

from gateway.text.messages import Message, merged, read_folder, usable

ENGLISH = "en"
OURS = Path(str(files("gateway") / "text"))

Part = Literal["app", "console"]
PARTS: dict[Part, Sequence[str]] = {
    "app": ("language", "notice", "problem", "app", "app-*"),
    "console": ("language", "notice", "problem", "app", "app-*", "console", "console-*"),
}
"""The files that each application in the browser is sent."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that people can choose."""

    code: str
    name: str
    """As it calls itself."""
    locale: str
    """The locale by which it writes numbers and dates, like en-GB."""
    is_complete: bool = True
    """Whether it has every word; else some are English."""


class Words:
    """The words of one language."""

    def __init__(self, language: Language, messages: dict[str, Message]) -> None:
        self.language = language
        self._messages = messages

    def __call__(self, key: str, /, **values: str | int) -> str:
        """Returns a text with its values; raises LookupError for a key that there is not, ValueError for a value."""
        pieces = self._messages[key].pieces
        if pieces is None or not all(isinstance(values.get(name), str) for name in pieces[1::2]):
            return self._formatted(key, values)
        filled = list(pieces)
        for place in range(1, len(filled), 2):
            filled[place] = str(values[filled[place]])
        return "".join(filled)

    def _formatted(self, key: str, values: dict[str, str | int]) -> str:
        """Returns it by Fluent, which knows numbers and plurals, and which value is missing."""
        pattern = self._bundle.get_message(key).value
        assert pattern is not None  # noqa: S101 - no message of ours has attributes only
        text, errors = self._bundle.format_pattern(pattern, values)
        if errors:
            raise ValueError(f"{key}: {errors[0]}")
        return str(text)

    def __contains__(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._messages

    @cached_property
    def locale(self) -> Locale:
        """How Babel writes numbers and dates for it."""
        return Locale.parse(self.language.locale, sep="-")

    def load(self) -> None:
        """Read the words, and how numbers and dates are written, now: later who needs them first would wait for it."""
        _ = self._bundle, self.locale.number_symbols

    def source(self, part: Part) -> str:
        """Returns the words of a part as one Fluent file."""
        return self._parts[part][0]

    def digest(self, part: Part) -> str:
        """Returns what names the content of a part."""
        return self._parts[part][1]

    @cached_property
    def _parts(self) -> dict[Part, tuple[str, str]]:
        sources = {part: merged(self._messages, patterns) for part, patterns in PARTS.items()}
        return {part: (source, hashlib.sha256(source.encode()).hexdigest()[:12]) for part, source in sources.items()}

    @cached_property
    def _bundle(self) -> FluentBundle:
        bundle = FluentBundle([self.language.locale], use_isolating=False)
        bundle.add_resource(FluentResource(merged(self._messages)))
        return bundle


class Catalog:
    """The words of every language of some folders; of two folders the later one wins, word by word."""

    def __init__(self, folders: Sequence[Path]) -> None:
        english = _messages(folders, ENGLISH)
        codes = {folder.name for each in folders for folder in each.iterdir() if (folder / "language.ftl").is_file()}
        self._words = {code: _words(code, folders, english) for code in sorted(codes, key=lambda c: (c != ENGLISH, c))}

    @property
    def languages(self) -> list[Language]:
        """Every language, English first."""
        return [each.language for each in self._words.values()]

    def load(self) -> None:
        """Read every language now."""
        for each in self._words.values():
            each.load()

    def words(self, language: str) -> Words:
        """Returns the words of a language, of its plain form (de for de-AT), or the English ones."""
        found = self._words.get(language) or self._words.get(language.partition("-")[0])
        return found or self._words[ENGLISH]


def _messages(folders: Sequence[Path], code: str) -> dict[str, Message]:
    return {key: message for folder in folders for key, message in read_folder(folder / code).items()}


def _words(code: str, folders: Sequence[Path], english: dict[str, Message]) -> Words:
    own = usable(_messages(folders, code), english, code)
    messages = english | own
    about = Words(Language(code, code, code), messages)
    is_complete = own.keys() == english.keys()
    return Words(Language(code, about("language-name"), about("language-locale"), is_complete), messages)


_folders = [OURS]


def use_folder(folder: Path | None) -> None:
    """Add the words of a folder to ours, for the whole process: like a locale, it is chosen once, at the start."""
    _folders[1:] = [] if folder is None else [folder]


def catalog() -> Catalog:
    """Returns the catalog of this process; it is read when it is first asked for."""
    return _read(tuple(_folders))


@cache
def _read(folders: tuple[Path, ...]) -> Catalog:
    return Catalog(folders)


def words(language: str) -> Words:
    """Returns the words of a language; the English ones for a language that there is not."""
    return catalog().words(language)


def codes() -> list[str]:
    """Returns the codes of the languages that can be chosen, English first."""
    return [each.code for each in catalog().languages]


def offered(code: str) -> str:
    """Returns the code of a language that can be chosen; raises ValueError with those that can."""
    if code not in codes():
        raise ValueError(f"write one of {', '.join(codes())}")
    return code
