"""The task wall: every task a tiny picture of its test input, framed by how its search stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias, get_args

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from engine.arc.grid import Grid
from soar_tui.numbers import count
from soar_tui.sanitise import one_line
from soar_tui.widgets.grid_picture import draw_codes, thumbnail
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, beside, fit

WallState: TypeAlias = Literal[
    "untouched", "searching", "fits", "right", "wrong", "unknown", "given up"
]
"""`fits`: some program is right on the demonstrations, no vote yet; `right`, `wrong` and `unknown`
are those of the vote; `given up`: the search is over and there was nothing to vote on."""

Density: TypeAlias = Literal["auto", "pictures", "cells"]

MARKS: dict[WallState, tuple[str, Role]] = {
    "untouched": ("·", "faint"),
    "searching": ("▸", "accent"),
    "fits": ("●", "primary"),
    "right": ("✓", "good"),
    "wrong": ("✗", "bad"),
    "unknown": ("?", "text"),
    "given up": ("–", "muted"),
}
"""A sign and a colour per state, so that either alone tells it."""

_PICTURES = ((12, 6), (10, 5), (8, 4), (6, 3))
_CELL = 2
_LEAST_IN_VIEW = 0.2
"""Pictures are shown when this share of the tasks is in view; otherwise one cell per task."""


@dataclass(frozen=True, slots=True, eq=False)
class WallTask:
    """One task on the wall: its index in the run, its id, its first test input, its state."""

    index: int
    id: str
    picture: Grid
    state: WallState = "untouched"


@dataclass(frozen=True, slots=True)
class WallLayout:
    """How many tasks stand in a row, and the picture each gets (None: one cell each)."""

    per_row: int
    picture: tuple[int, int] | None

    @property
    def tile(self) -> tuple[int, int]:
        """Width and height of what one task takes."""
        return (_CELL, 1) if self.picture is None else (self.picture[0] + 2, self.picture[1] + 2)


def lay_out(tasks: int, width: int, height: int, density: Density = "auto") -> WallLayout:
    """Choose the largest pictures with which all tasks are in view, or else what shows most."""
    cells = WallLayout(max(1, width // _CELL), None)
    if cells.per_row > 10:
        cells = WallLayout(cells.per_row // 10 * 10, None)  # tens are easier to count
    if density == "cells" or not tasks:
        return cells
    layout = cells
    for picture in _PICTURES:
        layout = WallLayout(max(1, width // (picture[0] + 2)), picture)
        if -(-tasks // layout.per_row) * layout.tile[1] <= height:
            return layout
    in_view = layout.per_row * (height // layout.tile[1])
    return layout if density == "pictures" or in_view >= _LEAST_IN_VIEW * tasks else cells


class TaskWall(LineView, can_focus=True):
    """Draws all tasks in one view; a cursor walks over them.

    Posts `Moved` when the cursor comes to stand on another task and `Chosen` on Enter.
    """

    header = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "move(-1)", "Left", show=False, id="wall.left"),
        Binding("l,right", "move(1)", "Right", show=False, id="wall.right"),
        Binding("j,down", "row(1)", "Down", show=False, id="wall.down"),
        Binding("k,up", "row(-1)", "Up", show=False, id="wall.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="wall.page-down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="wall.page-up"),
        Binding("home", "first", "First", show=False, id="wall.first"),
        Binding("end", "last", "Last", show=False, id="wall.last"),
        Binding("enter", "choose", "Open task", id="wall.open"),
        Binding("w", "density", "Pictures or cells", show=False, id="wall.density"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False, init=False)
    density: reactive[Density] = reactive("auto", repaint=False, init=False)

    class Moved(Message):
        """The cursor stands on another task."""

        def __init__(self, wall: TaskWall, task: WallTask) -> None:
            super().__init__()
            self.wall, self.task = wall, task

        @property
        def control(self) -> TaskWall:
            """The wall, for `@on` selectors."""
            return self.wall

    class Chosen(Moved):
        """The task under the cursor was asked for."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tasks: tuple[WallTask, ...] = ()
        self._places: dict[int, int] = {}
        self._tiles: dict[int, list[Strip]] = {}
        self._pictures: dict[int, list[Strip]] = {}
        self._layout_now = WallLayout(1, None)

    def show(self, tasks: tuple[WallTask, ...]) -> None:
        """Show these tasks in place of what was there."""
        self._tasks = tasks
        self._places = {task.index: place for place, task in enumerate(tasks)}
        self._tiles.clear()
        self._pictures.clear()
        self._arrange()
        self.set_reactive(TaskWall.cursor, self.validate_cursor(self.cursor))
        self.repaint()

    def set_states(self, states: Mapping[int, WallState]) -> None:
        """Change the states of tasks, by task index; what did not change is not repainted."""
        tasks = list(self._tasks)
        for index, state in states.items():
            place = self._places.get(index)
            if place is not None and tasks[place].state != state:
                tasks[place] = replace(tasks[place], state=state)
                self._tiles.pop(place, None)
        self._tasks = tuple(tasks)
        self.redraw()

    @property
    def selected(self) -> WallTask | None:
        """The task under the cursor."""
        return self._tasks[self.cursor] if self._tasks else None

    def draw_header(self, y: int, width: int) -> Strip:
        """Draw the legend, which counts the tasks in each state, and the task under the cursor."""
        numbers = Counter(task.state for task in self._tasks)
        name = "" if self.selected is None else f" {one_line(self.selected.id)}"
        room = max(0, width - len(name))
        legend = self._legend(numbers, words=True)
        if sum(len(text) for text, _ in legend) > room:
            legend = self._legend(numbers, words=False)
        chosen = fit([(name, self.palette.ink("accent", bold=True))], len(name))
        return beside([fit(legend, room), chosen])

    def draw_line(self, y: int, width: int) -> Strip:
        """Draw one line of a row of tiles."""
        per_row, height = self._layout_now.per_row, self._layout_now.tile[1]
        row, line = divmod(y, height)
        places = range(row * per_row, min((row + 1) * per_row, len(self._tasks)))
        return beside([self._tile(place)[line] for place in places])

    def fit_to_size(self) -> None:
        self._arrange()
        self.show_cursor()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        self._tiles.clear()
        self._pictures.clear()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a task."""
        return max(0, min(cursor, len(self._tasks) - 1))

    def watch_cursor(self, before: int, cursor: int) -> None:
        """Repaint the two tiles, bring the cursor into view and tell."""
        self._tiles.pop(before, None)
        self._tiles.pop(cursor, None)
        self.redraw()
        self.show_cursor()
        if self.selected is not None:
            self.post_message(self.Moved(self, self.selected))

    def watch_density(self) -> None:
        """Arrange anew."""
        self._arrange()
        self.repaint()
        self.show_cursor()

    def show_cursor(self) -> None:
        """Scroll as little as is needed for the task under the cursor to be in view."""
        height = self._layout_now.tile[1]
        top = self.cursor // self._layout_now.per_row * height
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        elif top + height > self.scroll_offset.y + self.page:
            self.scroll_to(y=top + height - self.page, animate=False)

    def action_move(self, tasks: int) -> None:
        """Move the cursor along the row."""
        self.cursor += tasks

    def action_row(self, rows: int) -> None:
        """Move the cursor up or down, staying in its column."""
        place = self.cursor + rows * self._layout_now.per_row
        if 0 <= place < len(self._tasks):
            self.cursor = place

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are in view."""
        rows = max(1, self.page // self._layout_now.tile[1])
        self.cursor += pages * rows * self._layout_now.per_row

    def action_first(self) -> None:
        """Move the cursor to the first task."""
        self.cursor = 0

    def action_last(self) -> None:
        """Move the cursor to the last task."""
        self.cursor = len(self._tasks) - 1

    def action_choose(self) -> None:
        """Ask for the task under the cursor."""
        if self.selected is not None:
            self.post_message(self.Chosen(self, self.selected))

    def action_density(self) -> None:
        """Switch between pictures and one cell per task."""
        self.density = "cells" if self._layout_now.picture else "pictures"

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked task, or ask for it when it is there already."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.header:
            return
        width, height = self._layout_now.tile
        column, row = offset.x // width, (offset.y - self.header + self.scroll_offset.y) // height
        place = row * self._layout_now.per_row + column
        if column >= self._layout_now.per_row or place >= len(self._tasks):
            return
        if place == self.cursor:
            self.action_choose()
        else:
            self.cursor = place

    def _legend(self, numbers: Counter[WallState], *, words: bool) -> list[Part]:
        parts: list[Part] = []
        for state in get_args(WallState):
            if numbers[state]:
                mark, role = MARKS[state]
                parts.append(
                    (f"{mark} {count(numbers[state])} ", self.palette.ink(role, bold=True))
                )
                parts.append((f"{state}  " if words else " ", self.palette.ink("muted")))
        return parts

    def _arrange(self) -> None:
        layout = lay_out(len(self._tasks), self.area.width, self.page, self.density)
        if layout.picture != self._layout_now.picture:
            self._tiles.clear()
            self._pictures.clear()
        self._layout_now = layout
        self._drawn.clear()
        rows = -(-len(self._tasks) // layout.per_row)
        self.set_extent(rows * layout.tile[1])

    def _tile(self, place: int) -> list[Strip]:
        tile = self._tiles.get(place)
        if tile is None:
            task, on = self._tasks[place], place == self.cursor
            size = self._layout_now.picture
            if size is None:
                tile = [_cell(task.state, self.palette, on)]
            else:
                picture = self._pictures.get(place)
                if picture is None:
                    picture = draw_codes(thumbnail(task.picture, *size), self.palette)
                    self._pictures[place] = picture
                tile = _frame(picture, task.state, self.palette, on)
            self._tiles[place] = tile
        return tile


def _cell(state: WallState, palette: Palette, on: bool) -> Strip:
    mark, role = MARKS[state]
    style = palette.ink(role, bold=True)
    return Strip([Segment(mark, style + Style(reverse=True) if on else style), Segment(" ")], _CELL)


def _frame(picture: list[Strip], state: WallState, palette: Palette, on: bool) -> list[Strip]:
    mark, role = MARKS[state]
    width = picture[0].cell_length
    style = palette.ink("text", bold=True) if on else palette.ink(role)
    corners, edge, side = ("╔╗╚╝", "═", "║") if on else ("┌┐└┘", "─", "│")
    top = [
        Segment(corners[0], style),
        Segment(mark, palette.ink(role, bold=True)),
        Segment(edge * (width - 1) + corners[1], style),
    ]
    wall = Segment(side, style)
    lines = [Strip(top, width + 2)]
    lines += [Strip([wall, *strip, wall], width + 2) for strip in picture]
    lines.append(Strip([Segment(corners[2] + edge * width + corners[3], style)], width + 2))
    return lines
