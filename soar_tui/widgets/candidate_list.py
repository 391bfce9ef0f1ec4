"""Candidates by the million: a window of rows over pages that are asked for as they come near.

The list knows only rows. When the cursor comes near an end of its window it posts `NeedPage`; the
screen answers with `put_page`. Pages go by key, so that the five millionth row is as near as the
first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from engine.archive.rows import CandidateRow
from engine.figures.numbers import count
from soar_tui.widgets.candidate_row import RowContext, draw_candidate, titles
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.strips import Part, fit

Where: TypeAlias = Literal["first", "last", "at", "after", "before"]

PAGE = 200
WINDOW = 20 * PAGE
"""Rows held at once; further pages push out those at the other end."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a list wants: the first or last page, or one by `key`: from it on, after it, before it.

    `number` tells requests apart: only the answer to the last one is taken.
    """

    number: int
    where: Where
    key: int | None = None
    limit: int = PAGE


class CandidateList(LineList):
    """Draws the rows in view and asks for pages in time.

    `total` is how many rows there are altogether, if that is known. With `follow` the cursor stays
    on the newest row, unless `at_rest` says that nothing may move by itself for now.
    """

    header = 2
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "F",
            "follow",
            "follow",
            tooltip="keep the newest candidate selected",
            id="candidates.follow",
        ),
    ]

    follow: reactive[bool] = reactive(False, repaint=False, init=False)

    class NeedPage(Message):
        """The list wants the page of `request`."""

        def __init__(self, view: CandidateList, request: PageRequest) -> None:
            super().__init__()
            self.view, self.request = view, request

        @property
        def control(self) -> CandidateList:
            """The list, for `@on` selectors."""
            return self.view

    def __init__(
        self,
        *,
        at_rest: Callable[[], bool] = lambda: False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._at_rest = at_rest
        self._rows: list[CandidateRow] = []
        self._names = RowContext()
        self._total: int | None = None
        self._first_place: int | None = 0
        self._more_before: int | None = None
        self._more_after: int | None = None
        self._asked: PageRequest | None = None
        self._requests = 0
        self._start_due = False
        self._begin_at: int | None = None

    def start(self, context: RowContext, total: int | None = None, at: int | None = None) -> None:
        """Begin a new list: drop the rows and ask for its first page (last, when following).

        `at`: begin with the page from this candidate on; what is before it is asked for then.
        """
        self._names, self._total, self._begin_at = context, total, at
        self._clear()
        if self.is_mounted:
            self._begin()
        else:
            self._start_due = True

    def on_mount(self) -> None:
        """Ask for the first page of a list that was started before there was a screen."""
        if self._start_due:
            self._start_due = False
            self._begin()

    def _begin(self) -> None:
        if self.follow:
            self._ask("last")
        elif self._begin_at is not None:
            self._ask("at", self._begin_at)
        else:
            self._ask("first")

    def put_page(
        self,
        request: PageRequest,
        rows: Sequence[CandidateRow],
        more: int | None,
        place: int | None = None,
    ) -> None:
        """Take the answer to a request, rows in the list's order.

        `more` is the key to go on from, None when there is nothing beyond; a page may be empty and
        still have more. `place` is how many rows are before a page `at` a key, where that is
        known. An answer to anything but the last request is ignored.
        """
        if self._asked is None or request.number != self._asked.number:
            return
        if request.where == "at" and not rows and more is None:
            self._ask("last")
            return
        if request.where in ("first", "at", "after"):
            self._append(rows)
            self._more_after = more
        else:
            self._prepend(rows)
            self._more_before = more
        if request.where == "at":
            self._first_place, self._more_before = place, request.key
        elif request.where == "before" and more is None:
            self._first_place = 0
        if request.where == "last" and not self._more_before and self._total is None:
            self._first_place = 0
        if request.where == "last" and rows:
            self._stand(len(self._rows) - 1)
        # Only now, because scrolling on the way here looks ahead with what is no longer so.
        self._asked = None
        self._show()

    def add_newest(self, rows: Sequence[CandidateRow], total: int | None = None) -> None:
        """Take in rows that just came into being, the newest last; those in view are seen at once.

        Many tasks are searched at once, so they belong anywhere in the list of a whole run. Those
        beyond an end of the window are on the pages that are asked for there.
        """
        self._total = total if total is not None else self._total
        if self._asked is None or self._asked.where in ("after", "before"):
            self._insert(rows)
            if rows and self.follow and not self._at_rest():
                self._go_to_newest(rows[-1].id)
        self._show()

    def set_context(self, context: RowContext) -> None:
        """Show the same rows with other names or bookmarks."""
        self._names = context
        if self.is_mounted:
            self.redraw()

    def stand_on(self, identifier: int) -> bool:
        """Put the cursor on a candidate; False when it is not among the rows held."""
        line = self._line_of(identifier)
        if line is not None:
            self.cursor = line
        return line is not None

    def _line_of(self, identifier: int) -> int | None:
        lines = (line for line, row in enumerate(self._rows) if row.id == identifier)
        return next(lines, None)

    @property
    def selected(self) -> CandidateRow | None:
        """The candidate under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def fit_to_size(self) -> None:
        self._look_ahead()

    def watch_cursor(self, before: int, cursor: int) -> None:
        """Move as any list, and ask for the page that comes near."""
        super().watch_cursor(before, cursor)
        if cursor < before:
            self.follow = False
        self._look_ahead()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def watch_follow(self, follow: bool) -> None:
        """Go to the newest row, or stop."""
        if follow:
            self.action_last()
        if self.is_mounted:
            self.redraw()

    def action_follow(self) -> None:
        """Switch following on or off."""
        self.follow = not self.follow

    def action_first(self) -> None:
        """Go to the very first row, asking for it if it is not in the window."""
        if self._more_before is None and self._first_place == 0:
            self.cursor = 0
        else:
            self._clear()
            self._ask("first")

    def action_last(self) -> None:
        """Go to the very last row, asking for it if it is not in the window."""
        if self._more_after is None and self._asked is None:
            self.cursor = len(self._rows) - 1
        else:
            self._clear()
            self._ask("last")

    def draw_header(self, y: int, width: int) -> Strip:
        """Draw where in the list the cursor stands, and the column titles."""
        palette = self.palette
        if y == 1:
            return titles(width, self._names, palette)
        place = None if self._first_place is None else self._first_place + self.cursor + 1
        total = self._total
        if total is None and self._first_place is not None and self._more_after is None:
            total = self._first_place + len(self._rows)
        parts: list[Part] = [
            (count(place) if self._rows else "0", palette.ink("text", bold=True)),
            (f" of {'?' if total is None else count(total)} candidates", palette.ink("muted")),
        ]
        if self.follow:
            parts.append(("  following the newest", palette.ink("accent")))
        if self._asked is not None:
            parts.append(("  looking …", palette.ink("muted")))
        return fit(parts, width)

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw one candidate."""
        return draw_candidate(self._rows[y], width, self._names, self.palette)

    def _clear(self) -> None:
        self._rows.clear()
        self._more_before = self._more_after = self._asked = None
        self.set_reactive(LineList.cursor, 0)
        self.set_extent(0)
        self.go_to(0)
        self._drawn.clear()

    def _ask(self, where: Where, key: int | None = None) -> None:
        self._requests += 1
        self._asked = PageRequest(self._requests, where, key)
        if where == "first":
            self._first_place = 0
        elif where in ("last", "at"):
            self._first_place = None
        self.post_message(self.NeedPage(self, self._asked))

    def _look_ahead(self) -> None:
        """Ask for the next page when less than two screens of rows are left."""
        if self._asked is not None:
            return
        reach = 2 * self.page
        top = self.scroll_offset.y
        if self._more_after is not None and top + self.page + reach >= len(self._rows):
            self._ask("after", self._more_after)
        elif self._more_before is not None and top < reach:
            self._ask("before", self._more_before)

    def _append(self, rows: Sequence[CandidateRow]) -> None:
        self._rows += rows
        self._drop_first(len(self._rows) - WINDOW)

    def _drop_first(self, over: int) -> None:
        if over > 0:
            del self._rows[:over]
            self._more_before = self._rows[0].id
            if self._first_place is not None:
                self._first_place += over
            self._shift(-over)

    def _drop_last(self) -> None:
        if len(self._rows) > WINDOW:
            del self._rows[WINDOW:]
            self._more_after = self._rows[-1].id

    def _insert(self, rows: Sequence[CandidateRow]) -> None:
        """Put rows where they belong; cursor and view stay on the rows they are on."""
        low, high = self._more_before, self._more_after
        if low is not None and self._first_place is not None:
            self._first_place += sum(row.id < low for row in rows)
        held = {row.id for row in self._rows}
        new = [
            row
            for row in rows
            if row.id not in held
            and (low is None or row.id >= low)
            and (high is None or row.id <= high)
        ]
        if not new:
            return
        selected = self.selected
        self._rows = sorted([*self._rows, *new], key=lambda row: row.id)
        above = 0 if selected is None else sum(row.id < selected.id for row in new)
        if above:
            self._shift(above)
        if self._asked is not None:
            return  # the page that comes belongs to an end as it is
        if self.cursor < len(self._rows) / 2:
            self._drop_last()
        else:
            self._drop_first(len(self._rows) - WINDOW)

    def _go_to_newest(self, identifier: int) -> None:
        """Stand on the newest row, beginning a window there if it is not of this one."""
        line = self._line_of(identifier)
        if line is not None:
            self._stand(line)
        elif self._asked is None:
            self._clear()
            self._ask("at", identifier)

    def _prepend(self, rows: Sequence[CandidateRow]) -> None:
        self._rows[:0] = rows
        if self._first_place is not None:
            self._first_place -= len(rows)
        if len(self._rows) > len(rows):
            self._shift(len(rows))
        self._drop_last()

    def _shift(self, lines: int) -> None:
        """Keep cursor and view on the rows they are on after rows came or went above them."""
        self._drawn.clear()
        self.set_extent(len(self._rows))
        self.set_reactive(LineList.cursor, self.validate_cursor(self.cursor + lines))
        self.go_to(max(0, self.scroll_offset.y + lines))

    def _stand(self, line: int) -> None:
        """Put the cursor on a line that the list chose itself, and tell."""
        before = self.selected
        self.set_extent(len(self._rows))
        self.set_reactive(LineList.cursor, line)
        self.show_line(line)
        if before is None or before.id != self._rows[line].id:
            self.post_message(self.Moved(self, line))

    def _show(self) -> None:
        self.set_extent(len(self._rows))
        self.set_reactive(LineList.cursor, self.validate_cursor(self.cursor))
        if self.is_mounted:
            self.redraw()
            self._look_ahead()
