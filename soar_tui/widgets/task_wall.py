"""The task wall: every task a tiny picture of its test input, framed by how its search stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, get_args

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from engine.figures.numbers import count
from soar_tui.sanitise import one_line
from soar_tui.widgets.grid_picture import code_segments, thumbnail
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.strips import Part, beside, fit
from soar_tui.widgets.wall_tile import (
    MARKS,
    Density,
    WallLayout,
    WallState,
    WallTask,
    cell_tile,
    framed_tile,
    lay_out,
)

__all__ = ["Density", "TaskWall", "WallState", "WallTask"]


class TaskWall(LineView, can_focus=True):
    """Draws all tasks in one view; a cursor walks over them.

    Posts `Moved` when the cursor comes to stand on another task and `Chosen` on Enter.
    """

    header = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "move(-1)", "left", show=False, id="wall.left"),
        Binding("l,right", "move(1)", "right", show=False, id="wall.right"),
        Binding("j,down", "row(1)", "down", show=False, id="wall.down"),
        Binding("k,up", "row(-1)", "up", show=False, id="wall.up"),
        Binding("pagedown,ctrl+d", "page(1)", "page down", show=False, id="wall.page-down"),
        Binding("pageup,ctrl+u", "page(-1)", "page up", show=False, id="wall.page-up"),
        Binding("home", "first", "first", show=False, id="wall.first"),
        Binding("end", "last", "last", show=False, id="wall.last"),
        Binding("enter", "choose", "open task", id="wall.open"),
        Binding("w", "density", "pictures or cells", show=False, id="wall.density"),
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
        self._tiles: dict[int, list[list[Segment]]] = {}
        self._pictures: dict[int, list[list[Segment]]] = {}
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
        return Strip([segment for place in places for segment in self._tile(place)[line]])

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
            self.go_to(top)
        elif top + height > self.scroll_offset.y + self.page:
            self.go_to(top + height - self.page)

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
        rows = -(-len(self._tasks) // layout.per_row)
        self.set_extent(rows * layout.tile[1])

    def _tile(self, place: int) -> list[list[Segment]]:
        tile = self._tiles.get(place)
        if tile is None:
            task, on = self._tasks[place], place == self.cursor
            size = self._layout_now.picture
            if size is None:
                tile = [cell_tile(task.state, self.palette, on)]
            else:
                picture = self._pictures.get(place)
                if picture is None:
                    picture = code_segments(thumbnail(task.picture, *size), self.palette)
                    self._pictures[place] = picture
                tile = framed_tile(picture, size[0], task.state, self.palette, on)
            self._tiles[place] = tile
        return tile
