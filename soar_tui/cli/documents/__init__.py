"""The JSON documents of the command line: what `--json` prints, as types.

They are a contract, described for readers in docs/json.md: fields are only ever added. A figure
that is not known (the truth of a test input, the end of something under way) is null, never 0 or
false. Grids are lists of rows of ints 0..9. Every field is always there.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Rows: TypeAlias = list[list[int]]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all documents share: frozen, by keyword, nothing beside the described fields."""


def encoded(document: object) -> bytes:
    """Return a document as JSON on one line; a lone surrogate, which UTF-8 cannot hold, is `?`."""
    try:
        return msgspec.json.encode(document) + b"\n"
    except UnicodeEncodeError:
        import json

        plain = msgspec.to_builtins(document)
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"


class ErrorDocument(Document, frozen=True):
    """What stands on stderr when a command with --json fails; stdout is then empty."""

    error: str
    exit_code: int


class ProgressDocument(Document, frozen=True):
    """How far something long has come: a line on stderr a second with `--json`."""

    what: str
    done: int
    total: int | None
    seconds: float
