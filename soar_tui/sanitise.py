r"""One gate for every string that is not ours: what a terminal would obey becomes visible text.

Programs, error texts, file names and task ids may come from a language model or a stranger's
file. Escape sequences, other control characters, and characters that reorder or hide text (bidi
controls, zero-width characters, tags) are written out as `\x1b`, `\u202e`, …
"""

from __future__ import annotations

import unicodedata

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories a terminal may act on, hide or draw in a width of its own."""

TAB = "    "


def one_line(text: str) -> str:
    """Return the text as one line that a terminal can only show."""
    if text.isprintable():  # the common case, and none of the categories above is printable
        return text
    return "".join(_shown(character) for character in text)


def many_lines(text: str) -> str:
    """Return the text with its line breaks kept, tabs as spaces, and all else as one_line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(one_line(line.replace("\t", TAB)) for line in lines)


def in_markup(text: str) -> str:
    """Return the text as one line of Textual's markup that shows it as it is.

    Textual's own `escape` leaves brackets of which its parser makes tags, or an error.
    """
    return one_line(text).replace("[", "\\[")


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _OBEYED:
        return character
    return ascii(character)[1:-1]
