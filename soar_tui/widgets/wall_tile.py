"""The tiles of the task wall: what they show of a task, and how many fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rich.segment import Segment
from rich.style import Style

from engine.arc.grid import Grid
from soar_tui.widgets.palette import Palette, Role

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

_PICTURES = ((30, 15), (20, 10), (16, 8), (12, 6), (10, 5), (8, 4), (6, 3))
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
    cells = WallLayout(max(1, (width + 1) // _CELL), None)
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


def cell_tile(state: WallState, palette: Palette, on: bool) -> list[Segment]:
    """Draw a task as one sign; `on` is whether the cursor stands there."""
    mark, role = MARKS[state]
    style = palette.ink(role, bold=True)
    return [Segment(mark, style + Style(reverse=True) if on else style), Segment(" ")]


def framed_tile(
    picture: list[list[Segment]], width: int, state: WallState, palette: Palette, on: bool
) -> list[list[Segment]]:
    """Put a picture in a frame that tells the state; `on` as in cell_tile."""
    mark, role = MARKS[state]
    style = palette.ink("text", bold=True) if on else palette.ink(role)
    corners, edge, side = ("╔╗╚╝", "═", "║") if on else ("┌┐└┘", "─", "│")
    wall = Segment(side, style)
    return [
        [
            Segment(corners[0], style),
            Segment(mark, palette.ink(role, bold=True)),
            Segment(edge * (width - 1) + corners[1], style),
        ],
        *([wall, *line, wall] for line in picture),
        [Segment(corners[2] + edge * width + corners[3], style)],
    ]
