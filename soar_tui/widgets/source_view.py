"""A program's source, highlighted, or what was changed in it."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.strip import Strip

from soar_tui.sanitise import one_line
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.palette import Role
from soar_tui.widgets.python_source import Change, DiffLine, Token, diff_lines, source_lines
from soar_tui.widgets.strips import Part, fit, right

_CHANGES: dict[Change, Role] = {" ": "muted", "+": "good", "-": "bad", "@": "accent"}


class SourceView(LineView, can_focus=True):
    """Shows a source with line numbers, a unified diff of two, or plain text.

    `find` marks every place a text is in, and `next_match` goes from one to the next. With
    `keeps_left` the keys that scroll it to the left mean nothing else where all of it is in view.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "down", show=False, id="source.down"),
        Binding("k,up", "scroll_up", "up", show=False, id="source.up"),
        Binding("l,right", "scroll_right", "right", show=False, id="source.right"),
        Binding("h,left", "scroll_left", "left", show=False, id="source.left"),
        Binding("ctrl+d", "page_down", "page down", show=False, id="source.page-down"),
        Binding("ctrl+u", "page_up", "page up", show=False, id="source.page-up"),
    ]

    def __init__(
        self, *, keeps_left: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._keeps_left = keeps_left
        self._lines: list[list[Token]] = []
        self._numbered = True
        self._needle: re.Pattern[str] | None = None

    def show_source(self, source: str) -> None:
        """Show a whole source."""
        self._put(source_lines(source), numbered=True)

    def show_text(self, text: str, *, at: int = 0) -> None:
        """Show text that is no source, a prompt, a reply, a log, from its line `at` on."""
        lines = source_lines(text)
        plain: list[list[Token]] = [[("".join(part for part, _ in line), "text")] for line in lines]
        self._put(plain, numbered=False, at=at)

    def show_diff(self, before: str, after: str) -> None:
        """Show what changed from one source to the next."""
        lines = diff_lines(before, after) or [DiffLine("@", "no line differs")]
        self._put([_diff_tokens(line) for line in lines], numbered=False)

    def action_scroll_left(self) -> None:
        """Scroll to the left; where there is nothing to scroll the key is the place's."""
        try:
            super().action_scroll_left()
        except SkipAction:
            if not self._keeps_left:
                raise

    def find(self, needle: str) -> int:
        """Mark a text wherever it is, letter case ignored; return how many lines hold it."""
        needle = one_line(needle)
        self._needle = re.compile(re.escape(needle), re.IGNORECASE) if needle else None
        self.redraw()
        return sum(1 for line in self._lines if self._matches(line))

    def next_match(self, step: int = 1) -> bool:
        """Scroll to the next line that find() marked, or the one before (-1), going round."""
        total, top = len(self._lines), self.scroll_offset.y
        for distance in range(1, total + 1):
            line = (top + step * distance) % total
            if self._matches(self._lines[line]):
                self.go_to(line)
                return True
        return False

    def draw_line(self, y: int, width: int) -> Strip:
        """Draw a line whole, however long it is."""
        line, palette = self._lines[y], self.palette
        parts: list[Part] = []
        if self._numbered:
            parts.append((f"{right(str(y + 1), self._gutter)} ", palette.ink("faint")))
        body: list[Part] = [(text, palette.ink(role)) for text, role in line]
        parts += _marked(body, self._matches(line), palette.match)
        return fit(parts, max(width, self.virtual_size.width))

    @property
    def _gutter(self) -> int:
        return len(str(len(self._lines))) + 1

    def _matches(self, line: list[Token]) -> list[tuple[int, int]]:
        if self._needle is None:
            return []
        return [found.span() for found in self._needle.finditer("".join(text for text, _ in line))]

    def _put(self, lines: list[list[Token]], *, numbered: bool, at: int = 0) -> None:
        self._lines, self._numbered = lines, numbered
        widest = max((sum(cell_len(text) for text, _ in line) for line in lines), default=0)
        self.set_extent(len(lines), widest + (self._gutter + 1 if numbered else 0))
        self.go_to(at, 0)
        self.repaint()


def _marked(parts: list[Part], spans: list[tuple[int, int]], mark: Style) -> list[Part]:
    """Add a style to ranges of characters, counted over all parts."""
    for start, end in spans:
        split: list[Part] = []
        place = 0
        for text, style in parts:
            a, b = (max(0, min(len(text), edge - place)) for edge in (start, end))
            split += [
                (text[:a], style),
                (text[a:b], mark if style is None else style + mark),
                (text[b:], style),
            ]
            place += len(text)
        parts = [part for part in split if part[0]]
    return parts


def _diff_tokens(line: DiffLine) -> list[Token]:
    role: Role = "text" if line.change == " " else _CHANGES[line.change]
    if line.change == "@":
        return [(line.text, role)]
    return [(f"{line.change} ", _CHANGES[line.change]), (line.text, role)]
