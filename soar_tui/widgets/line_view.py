"""What all line-drawing widgets share: virtual lines, a fixed header, repainting what changed.

Textual does not compare what it paints with what is there, so a view remembers the lines it drew
and, when its values change, repaints only the cells that differ.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from soar_tui.widgets.palette import Painted
from soar_tui.widgets.strips import changed_span

_SCREENS_KEPT = 4
"""Drawn lines are kept for so many screens; further away they are drawn again."""


class LineView(ScrollView, Painted):
    """A scrolling view of lines drawn on demand.

    A subclass says how many lines there are (`set_extent`) and draws one (`draw_line`); after a
    change of its values it calls `redraw`. The first `header` lines do not scroll.
    """

    DEFAULT_CSS = """
    LineView {
        background: $surface;
        color: $foreground;
        scrollbar-size: 1 1;
        scrollbar-gutter: stable;
        scrollbar-color: $foreground 25%;
        scrollbar-color-hover: $primary;
        scrollbar-color-active: $primary;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;
        scrollbar-corner-color: $surface;
        height: 1fr;
        width: 1fr;
    }
    """

    header: ClassVar[int] = 0

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: dict[int, Strip] = {}
        self._drawn_width = -1
        self._grounds: tuple[Style, dict[Style | None, Style]] | None = None

    def draw_line(self, y: int, width: int) -> Strip:
        """Draw virtual line `y`, 0 being the first below the header; `width` cells are in view."""
        raise NotImplementedError

    def draw_header(self, y: int, width: int) -> Strip:
        """Draw line `y` of the header."""
        raise NotImplementedError

    @property
    def area(self) -> Size:
        """The size in view, borders and scroll bars left out."""
        return self.scrollable_content_region.size

    @property
    def page(self) -> int:
        """Lines in view below the header."""
        return max(1, self.area.height - self.header)

    def set_extent(self, lines: int, width: int = 0) -> None:
        """Say how many lines there are, and how wide the widest is (0: as wide as the view)."""
        size = Size(width, lines + self.header)
        if size != self.virtual_size:
            self.virtual_size = size

    def redraw(self) -> None:
        """Draw the lines in view anew and repaint the cells that changed."""
        if not self.is_mounted:
            return
        width = self.area.width
        if width != self._drawn_width:
            self.repaint()
            return
        top = self.scroll_offset.y
        before, self._drawn = self._drawn, {}
        regions = []
        for row in range(self.area.height):
            key = row - self.header if row < self.header else row - self.header + top
            old = before.get(key)
            if old is None:
                # Never painted, or scrolled in since: the paint that is due will draw it.
                regions.append(Region(0, row, width, 1))
                continue
            new = self._line(key, width)
            x = 0 if row < self.header else self.scroll_offset.x
            span = changed_span(old, new)
            if span is not None:
                start, end = max(span[0] - x, 0), min(span[1] - x, width)
                if start < end:
                    regions.append(Region(start, row, end - start, 1))
        if regions:
            self.refresh(*regions)

    def repaint(self) -> None:
        """Forget what was drawn and paint everything."""
        self._drawn.clear()
        self.refresh()

    def go_to(self, line: int, column: int | None = None) -> None:
        """Scroll at once so that a line (and column) is the first in view."""
        if self.is_mounted:
            # Forced, because the scroll bar may only come with the layout that is due.
            self.scroll_to(column, max(0, line), animate=False, force=True)

    def notify_style_update(self) -> None:
        self._grounds = None
        super().notify_style_update()

    def forget_drawn(self) -> None:
        self._drawn.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        if self.area.width != self._drawn_width:
            self._drawn.clear()
        self.fit_to_size()
        self.redraw()  # Textual has painted the new size before it tells of it

    def fit_to_size(self) -> None:
        """Adapt to a new size; for subclasses whose lines depend on it."""

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the widget, 0 being its top."""
        width = self.area.width
        if y < self.header:
            return self._line(y - self.header, width).adjust_cell_length(width)
        scroll = self.scroll_offset
        strip = self._line(y - self.header + scroll.y, width)
        return strip.crop_extend(scroll.x, scroll.x + width, self.rich_style)

    def _line(self, key: int, width: int) -> Strip:
        if width != self._drawn_width:
            self._drawn.clear()
            self._drawn_width = width
        strip = self._drawn.get(key)
        if strip is None:
            if len(self._drawn) > _SCREENS_KEPT * max(1, self.area.height):
                self._drawn.clear()
            drawn = (
                self.draw_header(key + self.header, width) if key < 0 else self._body(key, width)
            )
            strip = self._drawn[key] = self._on_ground(drawn)
        return strip

    def _on_ground(self, strip: Strip) -> Strip:
        """Give every part the colours of the widget where it has none of its own."""
        if self._grounds is None:
            self._grounds = self.rich_style, {}
        base, known = self._grounds
        segments = []
        for segment in strip:
            style = known.get(segment.style)
            if style is None:
                style = known[segment.style] = base + segment.style
            segments.append(Segment(segment.text, style))
        return Strip(segments, strip.cell_length)

    def _body(self, y: int, width: int) -> Strip:
        if y >= self.virtual_size.height - self.header:
            return Strip.blank(width)
        return self.draw_line(y, width)


class PictureView(LineView, can_focus=True):
    """A view without a cursor, of pictures: its keys scroll it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "down", show=False, id="pictures.down"),
        Binding("k,up", "scroll_up", "up", show=False, id="pictures.up"),
        Binding("l,right", "scroll_right", "right", show=False, id="pictures.right"),
        Binding("h,left", "scroll_left", "left", show=False, id="pictures.left"),
        Binding("pagedown,ctrl+d", "page_down", "page down", show=False, id="pictures.page-down"),
        Binding("pageup,ctrl+u", "page_up", "page up", show=False, id="pictures.page-up"),
    ]
