"""Putting words on the screen only where they differ: Textual repaints what is set, changed or not.

Words may hold strings that are not ours; none is read as markup here.
"""

from __future__ import annotations

from typing import Literal

from rich.text import Text
from textual.content import Content
from textual.css.styles import RulesMap
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
    # Textual wraps a Text whatever it says of itself.
    widget.styles.text_wrap = _wrap(text)
    widget.styles.text_overflow = "ellipsis" if text.no_wrap else "fold"
    widget.update(text, layout=grown)


def entitle(widget: Widget, title: str, more: str = "") -> None:
    """Set the title in a pane's frame, and what else is to be said there."""
    shown = one_line(f"{title} · {more}" if more else title)
    if getattr(widget, "_entitled", None) == shown:
        return
    widget._entitled = shown  # type: ignore[attr-defined]  # remembered where it is shown
    widget.border_title = Content(shown)


def _lines(text: Text, width: int) -> int:
    return Content(text.plain).get_height(RulesMap(text_wrap=_wrap(text)), width)


def _wrap(text: Text) -> Literal["wrap", "nowrap"]:
    return "nowrap" if text.no_wrap else "wrap"
