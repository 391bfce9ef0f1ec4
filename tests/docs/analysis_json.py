"""Writes docs/analysis-json.md out of engine/analysis: `python -m tests.docs.analysis_json`."""

from __future__ import annotations

import dataclasses
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

from soar_tui.cli.documents.analysis import (
    AnalysisDocument,
    ComparisonDocument,
    SettingsComparisonDocument,
)
from tests.docs.fields import descriptions, row, sentence

PAGE = Path(__file__).parents[2] / "docs" / "analysis-json.md"
COMMAND = "python -m tests.docs.analysis_json"
DOCUMENTS = {
    AnalysisDocument: "What `analyze` prints",
    ComparisonDocument: "What `compare` prints",
    SettingsComparisonDocument: "What `compare` prints of settings alone",
}
"""What whole documents are called here."""
NAMES = {int: "int", float: "float", str: "string", bool: "bool", type(None): "null"}

INTRODUCTION = f"""\
# Analysis as JSON
Every field of `soar-tui analyze --json` and `soar-tui compare --json`. How the figures are computed and
what they mean: [understanding a run](analysis.md). Fields are only ever added, and every field is always
there.

What is not known is null, never 0. Iterations count from 0 here, from 1 on the screen. Shares are 0 to
1, durations seconds. This page is made by `{COMMAND}` out of the
dataclasses of `engine/analysis`; tests compare it with these and with what the commands print.
"""


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for part in described():
        lines = [f"## {title(part)}", f"{_told(part.__doc__)}\n"]
        lines += ["| field | type | meaning |", "|---|---|---|"]
        meanings, kinds = descriptions(part), typing.get_type_hints(part)
        lines += [
            row((f"`{name}`", _said(kinds[name]), _told(meanings.get(name))))
            for name in fields(part)
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def described() -> list[type]:
    """Return the documents and every dataclass in them, each once, after what it is part of."""
    return list(dict.fromkeys(part for document in DOCUMENTS for part in _within(document)))


def fields(part: type) -> list[str]:
    """Return the names of a document's or a dataclass's fields, in order."""
    if dataclasses.is_dataclass(part):
        return [field.name for field in dataclasses.fields(part)]
    return list(part.__struct_fields__)


def title(part: type) -> str:
    """Return the heading of a part's section."""
    return DOCUMENTS.get(part, part.__name__)


def _within(kind: object) -> Iterator[type]:
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or kind in DOCUMENTS):
        yield kind
        hints = typing.get_type_hints(kind)
        for name in fields(kind):
            yield from _within(hints[name])
    else:
        for inner in typing.get_args(kind):
            yield from _within(inner)


def _said(kind: object) -> str:
    """Return a type in words; a dataclass leads to its section."""
    if isinstance(kind, type) and kind in NAMES:
        return NAMES[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return " or ".join(map(_said, inner))
    if origin is typing.Literal:
        return ", ".join(f'"{value}"' for value in inner)
    if origin is list or (origin is tuple and inner[1:] == (...,)):
        said = _said(inner[0])
        return f"list of ({said})" if " or " in said else f"list of {said}"
    if origin is tuple:
        return f"[{', '.join(map(_said, inner))}]"
    assert isinstance(kind, type) and dataclasses.is_dataclass(kind), kind
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _told(text: str | None) -> str:
    """Return a docstring as one line, in the words of JSON."""
    return re.sub(r"\bNone\b", "null", sentence(text))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(page().splitlines())} lines\n")
