"""Instructions as the list of their steps: split here only, so that mails, pages and the API show the same."""

import re
from collections.abc import Collection

_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-–•*])\s+")  # noqa: RUF001 - people write both dashes
_END = re.compile(r"[.!?][\"“”»)]?\s+(?=[\"„“«(]?[A-ZÄÖÜ0-9])")
_SHORTENED = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|approx|bzw|ca|ggf|inkl|max|min|no|nr|std|tel|usw)\.\s+$", re.IGNORECASE
)
_DAY = re.compile(r"\b\d{1,2}\.\s+$")
_MONTH = re.compile(r"Jan|Feb|M[aä]r|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz]")


def steps(text: str) -> list[str]:
    """Its lines, without numbers of their own; a single line's sentences."""
    lines = [stripped for line in text.splitlines() if (stripped := _NUMBER.sub("", line).strip())]
    return lines if len(lines) != 1 else _sentences(lines[0])


def after_action(actions: Collection[str], instructions: list[str]) -> list[str]:
    """The steps behind an action, which instructions may say once more as their first; it may have several names."""
    if instructions and _bare(instructions[0]) in map(_bare, actions):
        return instructions[1:]
    return instructions


def _sentences(line: str) -> list[str]:
    found, begin = [], 0
    for end in _END.finditer(line):
        sentence = line[begin : end.end()]
        is_date = _DAY.search(sentence) and _MONTH.match(line, end.end())
        if not is_date and not _SHORTENED.search(sentence):
            found.append(sentence.strip())
            begin = end.end()
    return [*found, line[begin:].strip()]


def _bare(text: str) -> str:
    return text.casefold().rstrip(".! ")
