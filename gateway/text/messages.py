"""Fluent files as messages: read from the folders of a language, the later folder first."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

log = logging.getLogger(__name__)

SUFFIX = ".ftl"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands in its file, without the comments around it."""

    key: str
    file: str
    """The name of its file without the suffix."""
    source: str
    variables: frozenset[str]
    references: frozenset[str]
    """The other messages that it contains."""
    pieces: tuple[str, ...] | None = None
    """Text, the name of a value, text, and so on up to a text; None where it needs more than values put in."""


class _Names(Visitor):
    """Collects what a message needs from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.references: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - the library names it
        self.variables.add(node.id.name)

    def visit_MessageReference(self, node: ast.MessageReference) -> None:  # noqa: N802
        self.references.add(node.id.name)


def read_folder(folder: Path) -> dict[str, Message]:
    """Returns the messages of a language's folder by their keys; what cannot be read is logged and left out."""
    return {message.key: message for file in sorted(folder.glob(f"*{SUFFIX}")) for message in _read_file(file)}


def usable(messages: Mapping[str, Message], english: Mapping[str, Message], language: str) -> dict[str, Message]:
    """Returns the messages that English has as well and gives values to; others are logged and left out."""
    good = {}
    for key, message in messages.items():
        twin = english.get(key)
        if twin is None:
            log.warning("There is no message %s in English; that of %s is not used.", key, language)
        elif unknown := message.variables - twin.variables:
            log.warning("%s in %s names %s, which has no value.", key, language, ", ".join(sorted(unknown)))
        else:
            good[key] = message
    return good


def merged(messages: Mapping[str, Message], patterns: Sequence[str] = ("*",)) -> str:
    """Returns the messages of the files that match a pattern, as one Fluent file."""
    chosen = [each for each in messages.values() if any(fnmatch(each.file, pattern) for pattern in patterns)]
    return "\n".join(each.source for each in chosen) + "\n"


def _read_file(file: Path) -> Iterator[Message]:
    text = file.read_text("utf-8")
    for entry in FluentParser().parse(text).body:
        if isinstance(entry, ast.Junk):
            line = text.count("\n", 0, entry.span.start if entry.span else 0) + 1
            log.warning("%s, line %s cannot be read: %s", file, line, entry.annotations[0].message)
        elif isinstance(entry, ast.Message) and entry.span is not None:
            names = _Names()
            names.visit(entry)
            start = entry.comment.span.end if entry.comment and entry.comment.span else entry.span.start
            source = text[start : entry.span.end].strip()
            pieces = _pieces(entry.value)
            yield Message(
                entry.id.name, file.stem, source, frozenset(names.variables), frozenset(names.references), pieces
            )


def _pieces(pattern: ast.Pattern | None) -> tuple[str, ...] | None:
    pieces = [""]
    for element in pattern.elements if pattern else []:
        if isinstance(element, ast.TextElement):
            pieces[-1] += element.value
        elif isinstance(element.expression, ast.VariableReference):
            pieces += [element.expression.id.name, ""]
        else:
            return None
    return tuple(pieces)
