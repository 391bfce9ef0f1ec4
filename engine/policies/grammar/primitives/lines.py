"""Lines: rays from cells, connections between cells, whole rows and columns, crossings."""

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, background, coordinates
from engine.policies.grammar.primitives.neighbour_features import (
    next_above,
    next_below,
    next_down_left,
    next_down_right,
    next_left,
    next_right,
    next_up_left,
    next_up_right,
)

COMPASS = {
    "up": [(-1, 0)],
    "down": [(1, 0)],
    "left": [(0, -1)],
    "right": [(0, 1)],
    "up and down": [(-1, 0), (1, 0)],
    "left and right": [(0, -1), (0, 1)],
    "sides": [(-1, 0), (1, 0), (0, -1), (0, 1)],
    "up left": [(-1, -1)],
    "up right": [(-1, 1)],
    "down left": [(1, -1)],
    "down right": [(1, 1)],
    "rising diagonal": [(-1, 1), (1, -1)],
    "falling diagonal": [(-1, -1), (1, 1)],
    "corners": [(-1, -1), (-1, 1), (1, -1), (1, 1)],
    "all": [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)],
}
DIRECTION = choice(*COMPASS)
OBSTACLE = choice("stop at content", "pass under content")


def shoot(grid: Grid, starts: list[Any], direction: str, colour: int, obstacle: str) -> Grid:
    """Draw rays over background from the given cells; colour -1 is the start's own."""
    height, width = grid.shape
    empty = background(grid)
    drawn = grid.copy()
    for row, column in starts:
        paint = grid[row, column] if colour < 0 else colour
        for down, right in COMPASS[direction]:
            y, x = row + down, column + right
            while 0 <= y < height and 0 <= x < width:
                if grid[y, x] == empty:
                    drawn[y, x] = paint
                elif obstacle == "stop at content":
                    break
                y, x = y + down, x + right
    return drawn


@primitive(COLOUR, DIRECTION, COLOUR, OBSTACLE)
def draw_rays(grid: Grid, start: int, direction: str, colour: int, obstacle: str) -> Grid:
    """Draw rays of one colour from all cells of another."""
    return shoot(grid, np.argwhere(grid == start).tolist(), direction, colour, obstacle)


@primitive(COLOUR, DIRECTION, OBSTACLE)
def extend_colour(grid: Grid, start: int, direction: str, obstacle: str) -> Grid:
    """Draw rays from all cells of a colour in that colour."""
    return shoot(grid, np.argwhere(grid == start).tolist(), direction, -1, obstacle)


@primitive(DIRECTION, OBSTACLE)
def extend_all(grid: Grid, direction: str, obstacle: str) -> Grid:
    """Draw rays from all content in its own colours."""
    starts = np.argwhere(grid != background(grid)).tolist()
    return shoot(grid, starts, direction, -1, obstacle)


def joined(grid: Grid, one: Grid, other: Grid, colour: int) -> Grid:
    """Fill background between cells that see the same colour on both sides."""
    empty = background(grid)
    between = (one == other) & (one != empty) & (grid == empty)
    return np.where(between, one if colour < 0 else colour, grid)


AXES = choice("across", "down", "across and down", "diagonal")


def connect(grid: Grid, axes: str, colour: int) -> Grid:
    """Join cells of equal colour that face each other; colour -1 is their own."""
    result = grid
    if "across" in axes:
        result = np.where(
            result == grid, joined(grid, next_left(grid), next_right(grid), colour), result
        )
    if "down" in axes:
        vertical = joined(grid, next_above(grid), next_below(grid), colour)
        result = np.where(result == grid, vertical, result)
    if axes == "diagonal":
        falling = joined(grid, next_up_left(grid), next_down_right(grid), colour)
        rising = joined(grid, next_up_right(grid), next_down_left(grid), colour)
        result = np.where(falling == grid, rising, falling)
    return result


@primitive(AXES)
def connect_equals(grid: Grid, axes: str) -> Grid:
    """Join cells of equal colour that face each other, in their colour."""
    return connect(grid, axes, -1)


@primitive(AXES, COLOUR)
def connect_with(grid: Grid, axes: str, colour: int) -> Grid:
    """Join cells of equal colour that face each other, in a given colour."""
    return connect(grid, axes, colour)


@primitive(COLOUR, AXES)
def connect_only(grid: Grid, colour: int, axes: str) -> Grid:
    """Join cells of one colour that face each other, whatever else is in between."""
    alone = np.where(grid == colour, grid, background(grid))
    return np.where(connect(alone, axes, -1) == colour, colour, grid)


@primitive(COLOUR, choice("rows", "columns", "rows and columns"))
def fill_lines_with(grid: Grid, colour: int, lines: str) -> Grid:
    """Fill background in every row or column that holds a colour with that colour."""
    here = grid == colour
    wanted = np.zeros(grid.shape, dtype=bool)
    if "rows" in lines:
        wanted = wanted | here.any(axis=1)[:, None]
    if "columns" in lines:
        wanted = wanted | here.any(axis=0)[None, :]
    return np.where(wanted & (grid == background(grid)), colour, grid)


@primitive(COLOUR)
def paint_crossings(grid: Grid, colour: int) -> Grid:
    """Paint background where a row and a column that both hold content cross."""
    filled = grid != background(grid)
    crossing = filled.any(axis=1)[:, None] & filled.any(axis=0)[None, :]
    return np.where(crossing & ~filled, colour, grid)


@primitive(COLOUR, choice("rows", "columns", "rows and columns"))
def paint_empty_lines(grid: Grid, colour: int, lines: str) -> Grid:
    """Paint rows or columns that hold no content."""
    filled = grid != background(grid)
    empty_lines = np.zeros(grid.shape, dtype=bool)
    if "rows" in lines:
        empty_lines = empty_lines | ~filled.any(axis=1)[:, None]
    if "columns" in lines:
        empty_lines = empty_lines | ~filled.any(axis=0)[None, :]
    return np.where(empty_lines, colour, grid)


@primitive(COLOUR, COLOUR)
def draw_line_between(grid: Grid, ends: int, colour: int) -> Grid:
    """Draw a straight or diagonal line between the two cells of a colour."""
    places = np.argwhere(grid == ends).tolist()
    if len(places) != 2:
        raise ValueError("not two ends")
    (top, left), (bottom, right) = places
    length = max(abs(bottom - top), abs(right - left))
    if length not in (abs(bottom - top) + abs(right - left), abs(bottom - top)):
        raise ValueError("the ends are not in line")
    drawn = grid.copy()
    for step in range(1, length):
        row = top + (bottom - top) * step // length
        column = left + (right - left) * step // length
        drawn[row, column] = colour
    return drawn


@primitive(COLOUR, choice("rows first", "columns first"), COLOUR)
def draw_elbow(grid: Grid, ends: int, order: str, colour: int) -> Grid:
    """Join the two cells of a colour by a horizontal and a vertical line over background."""
    places = np.argwhere(grid == ends).tolist()
    if len(places) != 2:
        raise ValueError("not two ends")
    (top, left), (bottom, right) = places
    row, column = (top, right) if order == "rows first" else (bottom, left)
    rows, columns = coordinates(grid)
    level = (rows == row) & (columns >= min(left, right)) & (columns <= max(left, right))
    upright = (columns == column) & (rows >= top) & (rows <= bottom)
    return np.where((level | upright) & (grid == background(grid)), colour, grid)


@primitive(choice("down right", "down left", "up right", "up left"), COLOUR)
def bounce(grid: Grid, direction: str, start: int) -> Grid:
    """Let a diagonal ray run from every cell of a colour, reflected at the left and right edges."""
    height, width = grid.shape
    drawn = grid.copy()
    for row, column in np.argwhere(grid == start).tolist():
        down = 1 if direction.startswith("down") else -1
        right = 1 if direction.endswith("right") else -1
        y, x = row, column
        while 0 <= y + down < height:
            y = y + down
            if not 0 <= x + right < width:
                right = -right
            x = x + right if 0 <= x + right < width else x
            drawn[y, x] = start
    return drawn
