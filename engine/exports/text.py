"""Text of models, files and programs made fit to be shown: nothing in it can steer what shows it."""

from __future__ import annotations

import html
import unicodedata

_UNSHOWN = frozenset(("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"))


def shown(text: str, *, lines: bool = False) -> str:
    """Return text with what cannot be seen written as an escape; `lines` keeps line ends and tabs."""
    kept = "\n\t" if lines else ""
    return "".join(
        char if char in kept or unicodedata.category(char) not in _UNSHOWN else _escape(char)
        for char in text
    )


def markup(text: str, *, lines: bool = False) -> str:
    """Return text as HTML and XML show it: escaped, with what cannot be seen written out."""
    return html.escape(shown(text, lines=lines))


def _escape(char: str) -> str:
    code = ord(char)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
