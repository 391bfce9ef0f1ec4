"""A list of lines with a cursor: moving it, showing it, choosing what it stands on."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.strips import lay_over


class LineList(LineView, can_focus=True):
    """A view whose lines are chosen with a cursor.

    Posts `Moved` when the cursor comes to stand on another line and `Chosen` on Enter or a second
    click. A subclass draws plain lines in `draw_row`; the cursor's is highlighted here.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "down", show=False, id="list.down"),
        Binding("k,up", "move(-1)", "up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "page down", show=False, id="list.page-down"),
        Binding("pageup,ctrl+u", "page(-1)", "page up", show=False, id="list.page-up"),
        Binding("home", "first", "first", show=False, id="list.first"),
        Binding("end", "last", "last", show=False, id="list.last"),
        Binding("enter", "choose", "open", show=False, id="list.open"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False, init=False)

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, view: LineList, line: int) -> None:
            super().__init__()
            self.view, self.line = view, line

        @property
        def control(self) -> LineList:
            """The list, for `@on` selectors."""
            return self.view

    class Chosen(Moved):
        """The line under the cursor was asked for."""

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw line `y` without its highlight."""
        raise NotImplementedError

    @property
    def rows(self) -> int:
        """Lines there are."""
        return self.virtual_size.height - self.header

    def draw_line(self, y: int, width: int) -> Strip:
        """Draw line `y`, highlighted where the cursor is."""
        strip = self.draw_row(y, width)
        if y != self.cursor:
            return strip
        return lay_over(strip, self.palette.highlight)

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, self.rows - 1))

    def watch_cursor(self, before: int, cursor: int) -> None:
        """Repaint what changed, bring the cursor into view and tell."""
        self.redraw()
        self.show_line(cursor)
        self.post_message(self.Moved(self, cursor))

    def show_line(self, line: int) -> None:
        """Scroll as little as is needed for a line to be in view."""
        top = self.scroll_offset.y
        if line < top:
            self.go_to(line)
        elif line >= top + self.page:
            self.go_to(line - self.page + 1)

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self.cursor += lines

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.cursor += pages * max(1, self.page - 1)

    def action_first(self) -> None:
        """Move the cursor to the first line."""
        self.cursor = 0

    def action_last(self) -> None:
        """Move the cursor to the last line."""
        self.cursor = self.rows - 1

    def action_choose(self) -> None:
        """Ask for what the cursor stands on."""
        if self.rows:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked line, or ask for it when it is there already."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.header:
            return
        line = offset.y - self.header + self.scroll_offset.y
        if line >= self.rows:
            return
        if line == self.cursor:
            self.action_choose()
        else:
            self.cursor = line
