"""Relations: objects recoloured by what they are, lines towards something, moves by colour."""

# ruff: noqa: D401, PLR0917 - a docstring here names what a function gives; fitted constants are arguments

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, Quality, background, bounding_box, shift
from engine.policies.grammar.primitives.lines import OBSTACLE
from engine.policies.grammar.primitives.objects import find_objects, window
from engine.policies.grammar.primitives.selection import OBJECTS_OR_HOLES, QUALITY, fates
from engine.policies.grammar.problem import Problem

_MAX_OBJECTS = 40
_SUPPORTED = 0.5


def ranks(values: list[Any], order: str) -> list[Any]:
    """The values themselves, or their ranks from 0; equal values share a rank."""
    if order == "by value":
        return values
    distinct = sorted(set(values), reverse=order == "largest first")
    return [distinct.index(value) for value in values]


def _fate_table(problem: Problem, slots: Values) -> Values | None:
    kind, quality, order = slots
    found = [find_objects(grid, kind) for grid in problem.demos]
    if not problem.same_size or not all(0 < len(things) <= _MAX_OBJECTS for things in found):
        return None
    votes: dict[Any, dict[int, int]] = {}
    seen: dict[Any, set[int]] = {}
    for demo, (things, row) in enumerate(zip(found, fates(problem, found), strict=True)):
        keys = ranks(quality(problem.demos[demo], things), order)
        for key, fate in zip(keys, row, strict=True):
            if fate is not None:
                counts = votes.setdefault(key, {})
                counts[fate] = counts.get(fate, 0) + 1
                seen.setdefault(key, set()).add(demo)
    winners = {key: max(sorted(counts), key=lambda c: counts[c]) for key, counts in votes.items()}
    table = {key: winners[key] for key in sorted(winners) if winners[key] >= 0}
    supported = sum(len(seen[key]) > 1 for key in table)
    if not table or (len(found) > 1 and supported < _SUPPORTED * len(table)):
        return None
    return (table,)


@primitive(
    OBJECTS_OR_HOLES,
    QUALITY,
    choice("by value", "largest first", "smallest first"),
    weight=3.0,
    fit=_fate_table,
)
def recolour_objects_by(
    grid: Grid, kind: str, quality: Quality, order: str, table: dict[Any, int]
) -> Grid:
    """Give every object the colour a table has for its quality, or for its rank by it."""
    things = find_objects(grid, kind)
    painted = grid.copy()
    for thing, key in zip(things, ranks(quality(grid, things), order), strict=True):
        if key in table:
            window(painted, thing)[thing["mask"]] = table[key]
    return painted


@primitive(COLOUR, COLOUR, COLOUR)
def draw_towards(grid: Grid, start: int, target: int, colour: int) -> Grid:
    """Draw straight lines over background from cells of a colour to the target colour they face."""
    height, width = grid.shape
    empty = background(grid)
    drawn = grid.copy()
    for row, column in np.argwhere(grid == start).tolist():
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            y, x, passed = row + down, column + right, []
            while 0 <= y < height and 0 <= x < width and grid[y, x] == empty:
                passed.append((y, x))
                y, x = y + down, x + right
            if 0 <= y < height and 0 <= x < width and grid[y, x] == target:
                for cell in passed:
                    drawn[cell] = colour
    return drawn


@primitive(COLOUR, COLOUR, choice("whole box", "inside", "edge"))
def paint_box_of_colour(grid: Grid, corners: int, colour: int, part: str) -> Grid:
    """Paint background in the box around all cells of a colour: all of it, its inside or edge."""
    top, bottom, left, right = bounding_box(grid == corners)
    box = np.zeros(grid.shape, dtype=bool)
    box[top:bottom, left:right] = True
    inside = np.zeros(grid.shape, dtype=bool)
    inside[top + 1 : bottom - 1, left + 1 : right - 1] = True
    chosen = box if part == "whole box" else inside if part == "inside" else box & ~inside
    return np.where(chosen & (grid == background(grid)), colour, grid)


def _displacements(problem: Problem, _: Values) -> Values | None:
    if not problem.same_size:
        return None
    table: dict[int, tuple[int, int]] = {}
    for colour in range(10):
        masks = [
            (grid == colour, target == colour)
            for grid, target in zip(problem.demos, problem.targets, strict=True)
            if (grid == colour).any() and colour != background(grid)
        ]
        if not masks or not all(after.any() for _, after in masks):
            continue
        before, after = bounding_box(masks[0][0]), bounding_box(masks[0][1])
        down, right = after[0] - before[0], after[2] - before[2]
        if (down, right) != (0, 0) and all(
            (shift(mask, down, right, False) == moved).all() for mask, moved in masks
        ):
            table[colour] = (down, right)
    return (table,) if table else None


@primitive(fit=_displacements)
def move_colours(grid: Grid, table: dict[int, tuple[int, int]]) -> Grid:
    """Shift the cells of each colour by its own (down, right)."""
    moved = grid.copy()
    for colour in table:
        moved[grid == colour] = background(grid)
    for colour, (down, right) in table.items():
        moved[shift(grid == colour, down, right, False)] = colour
    return moved


@primitive(OBJECTS_OR_HOLES, choice("up", "down", "left", "right"), choice(0, 1, 2), OBSTACLE)
def repeat_objects(grid: Grid, kind: str, direction: str, gap: int, obstacle: str) -> Grid:
    """Repeat every object's picture in a direction up to the edge, with a gap in between."""
    height, width = grid.shape
    empty = background(grid)
    down, right = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[direction]
    repeated = grid.copy()
    for thing in find_objects(grid, kind):
        cells = np.argwhere(thing["mask"])
        colours = thing["patch"][cells[:, 0], cells[:, 1]]
        rows, columns = cells[:, 0] + thing["top"], cells[:, 1] + thing["left"]
        tall, wide = thing["mask"].shape
        for _ in range(30):
            rows, columns = rows + down * (tall + gap), columns + right * (wide + gap)
            inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            free = inside.copy()
            free[inside] = grid[rows[inside], columns[inside]] == empty
            if not inside.any() or (obstacle == "stop at content" and (inside & ~free).any()):
                break
            repeated[rows[free], columns[free]] = colours[free]
    return repeated


def _window_near(problem: Problem, slots: Values) -> Values | None:
    shapes = {target.shape for target in problem.targets}
    if len(shapes) > 1:
        return None
    height, width = problem.targets[0].shape
    offsets: set[tuple[int, int]] | None = None
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        if grid.shape[0] < height or grid.shape[1] < width:
            return None
        top, _, left, _ = bounding_box(grid == slots[0])
        windows = np.lib.stride_tricks.sliding_window_view(grid, (height, width))
        places = np.argwhere((windows == target).all(axis=(2, 3))).tolist()
        here = {(row - top, column - left) for row, column in places}
        offsets = here if offsets is None else offsets & here
    return (*min(offsets), height, width) if offsets else None


@primitive(COLOUR, size="changes", fit=_window_near)
def crop_near_colour(
    grid: Grid, colour: int, down: int, right: int, height: int, width: int
) -> Grid:
    """Keep a window at a fixed distance from the top left of a colour's box."""
    top, _, left, _ = bounding_box(grid == colour)
    row, column = top + down, left + right
    if row < 0 or column < 0 or row + height > grid.shape[0] or column + width > grid.shape[1]:
        raise ValueError("the window leaves the grid")
    return grid[row : row + height, column : column + width]
