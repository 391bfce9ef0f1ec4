"""Putting words on the screen only where they differ: Textual repaints what is set, changed or not.

Words may hold strings that are not ours; none is read as markup here.
"""

from __future__ import annotations

from rich.text import Text
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from soar_tui.sanitise import one_line


def put(widget: Static, words: Text | str) -> None:
    """Show words in a Static; the screen is laid out anew only if they need other lines."""
    text = Text(words) if isinstance(words, str) else words
    before: object = getattr(widget, "_put", None)
    if before == text and isinstance(before, Text) and before.spans == text.spans:
        return
    width = max(1, widget.content_size.width)
    grown = not isinstance(before, Text) or _lines(before, width) != _lines(text, width)
    widget._put = text  # type: ignore[attr-defined]  # remembered where it is shown
    widget.update(text, layout=grown)


def entitle(widget: Widget, title: str, subtitle: str = "") -> None:
    """Set the title in a pane's frame, and one beneath it."""
    shown = (one_line(title), one_line(subtitle))
    if getattr(widget, "_entitled", None) == shown:
        return
    widget._entitled = shown  # type: ignore[attr-defined]  # remembered where it is shown
    widget.border_title = Content(shown[0])
    widget.border_subtitle = Content(shown[1])


def _lines(text: Text, width: int) -> int:
    return sum(-(-max(1, line.cell_len) // width) for line in text.split("\n", allow_blank=True))
