"""Python source as styled lines: highlighting that never fails, and a diff of two sources.

Sources come from a model: they may not parse, may be a single line of a megabyte, may hold escape
sequences. They are sanitised first; what is longer than can be shown is cut and says so.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from engine.figures.numbers import count
from soar_tui.sanitise import many_lines
from soar_tui.widgets.palette import Role

Token: TypeAlias = tuple[str, Role]
Change: TypeAlias = Literal[" ", "+", "-", "@"]

LONGEST = 4_000
"""Characters of a line that are shown."""
HIGHLIGHTED = 100_000
"""Characters of a source that are coloured; a source longer than that is plain from there on."""
COMPARED = 3_000
"""Lines of two sources together up to which they are compared: comparing takes quadratic time."""

_TOKENS = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>[rbfuRBFU]{0,2}(?:\"{3}(?:[^\\]|\\.)*?(?:\"{3}|\Z)|'{3}(?:[^\\]|\\.)*?(?:'{3}|\Z)
        |"(?:[^"\\\n]|\\.)*(?:"|$)|'(?:[^'\\\n]|\\.)*(?:'|$)))
    |(?P<number>\b\d[\w.]*)
    |(?P<defined>(?<=\bdef\s)\w+|(?<=\bclass\s)\w+)
    |(?P<name>[^\W\d]\w*)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ROLES: dict[str, Role] = {
    "comment": "muted",
    "string": "good",
    "number": "accent",
    "defined": "primary",
}
_KEYWORDS = frozenset(keyword.kwlist)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a diff: kept, added, taken away, or the head of a part."""

    change: Change
    text: str


def source_lines(source: str) -> list[list[Token]]:
    """Return a source's lines as tokens, ready to draw."""
    text = many_lines(source).rstrip("\n")
    lines: list[list[Token]] = [[]]
    for part, role in _tokens(text):
        first, *others = part.split("\n")
        if first:
            lines[-1].append((first, role))
        lines += [[(line, role)] if line else [] for line in others]
    for number, raw in enumerate(text.split("\n")):
        if len(raw) > LONGEST:
            lines[number] = _cut(lines[number], len(raw))
    return lines


def diff_lines(before: str, after: str, context: int = 3) -> list[DiffLine]:
    """Return the unified diff of two sources; none when they are equal."""
    old, new = (many_lines(text).rstrip("\n").split("\n") for text in (before, after))
    if len(old) + len(new) > COMPARED:
        return [
            DiffLine("@", f"{count(len(old))} and {count(len(new))} lines: too many to compare")
        ]
    lines: list[DiffLine] = []
    # The first two lines name files, and these are none.
    for line in islice(difflib.unified_diff(old, new, n=context, lineterm=""), 2, None):
        if line.startswith("@@"):
            lines.append(DiffLine("@", line))
        elif line[0] in "+-":
            lines.append(DiffLine("+" if line[0] == "+" else "-", _shortened(line[1:])))
        else:
            lines.append(DiffLine(" ", _shortened(line[1:])))
    return lines


def _tokens(text: str) -> Iterator[Token]:
    coloured, place = text[:HIGHLIGHTED], 0
    for found in _TOKENS.finditer(coloured):
        if found.start() > place:
            yield text[place : found.start()], "text"
        kind = found.lastgroup or "name"
        word = found.group()
        role: Role = "primary" if kind == "name" and word in _KEYWORDS else _ROLES.get(kind, "text")
        yield word, role
        place = found.end()
    if place < len(text):
        yield text[place:], "text"


def _cut(line: list[Token], length: int) -> list[Token]:
    kept: list[Token] = []
    left = LONGEST
    for text, role in line:
        kept.append((text[:left], role))
        left -= len(text)
        if left <= 0:
            break
    return [*kept, (_rest(length), "warn")]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + _rest(len(text))


def _rest(length: int) -> str:
    return f" … {count(length - LONGEST)} more characters"
