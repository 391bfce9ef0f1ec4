"""Templates: fitted patterns stamped around cells, and pictures copied onto marks."""

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.objects import find_objects
from engine.policies.grammar.problem import Problem

_REACH = 3
_MAX_MARKS = 40


def _stamp(problem: Problem, slots: Values) -> Values | None:
    if not problem.same_size:
        return None
    marks = [np.argwhere(grid == slots[0])[:_MAX_MARKS] for grid in problem.demos]
    if not any(len(places) for places in marks):
        return None
    pattern: dict[tuple[int, int], int] = {}
    for down in range(-_REACH, _REACH + 1):
        for right in range(-_REACH, _REACH + 1):
            counts, already = np.zeros(10, dtype=np.int64), np.zeros(10, dtype=np.int64)
            for grid, target, places in zip(problem.demos, problem.targets, marks, strict=True):
                rows, columns = places[:, 0] + down, places[:, 1] + right
                inside = (rows >= 0) & (rows < grid.shape[0])
                inside &= (columns >= 0) & (columns < grid.shape[1])
                rows, columns = rows[inside], columns[inside]
                counts += np.bincount(target[rows, columns], minlength=10)
                already += np.bincount(grid[rows, columns], minlength=10)
            total, colour = int(counts.sum()), int(counts.argmax())
            if total and counts[colour] >= 0.8 * total and already[colour] < 0.5 * total:
                pattern[down, right] = colour
    return (pattern,) if pattern else None


@primitive(COLOUR, fit=_stamp, weight=2.0)
def stamp(grid: Grid, mark: int, pattern: dict[Any, Any]) -> Grid:
    """Paint a pattern, given as {(down, right): colour}, over background around every mark."""
    height, width = grid.shape
    empty = background(grid)
    stamped = grid.copy()
    for row, column in np.argwhere(grid == mark).tolist():
        for (down, right), colour in pattern.items():
            y, x = row + down, column + right
            if not (0 <= y < height and 0 <= x < width):
                continue
            if grid[y, x] == empty or (y, x) == (row, column):
                stamped[y, x] = colour
    return stamped


@primitive(COLOUR, choice("colour8", "mixed8"))
def copy_picture_to_marks(grid: Grid, mark: int, kind: str) -> Grid:
    """Centre a copy of the largest object's picture on every single cell of a colour."""
    height, width = grid.shape
    empty = background(grid)
    things = find_objects(grid, kind)
    template = max(things, key=lambda thing: thing["size"])
    patch = template["patch"]
    copied = grid.copy()
    for thing in things:
        if thing["size"] > 1 or thing["colour"] != mark:
            continue
        top, left = thing["top"] - patch.shape[0] // 2, thing["left"] - patch.shape[1] // 2
        for row, column in np.argwhere(patch != empty).tolist():
            y, x = top + row, left + column
            if 0 <= y < height and 0 <= x < width:
                copied[y, x] = patch[row, column]
    return copied


@primitive(COLOUR)
def complete_like_largest(grid: Grid, colour: int) -> Grid:
    """Copy what surrounds a colour in the largest mixed object around its other occurrences."""
    height, width = grid.shape
    empty = background(grid)
    things = [t for t in find_objects(grid, "mixed8") if (t["patch"] == colour).any()]
    if len(things) < 2:
        raise ValueError("no template and copy")
    template = max(things, key=lambda thing: thing["size"])
    anchor = np.argwhere(template["patch"] == colour)[0]
    cells = np.argwhere(template["patch"] != empty)
    copied = grid.copy()
    for thing in things:
        if thing is template:
            continue
        top, left = (
            np.argwhere(thing["patch"] == colour)[0] - anchor + (thing["top"], thing["left"])
        )
        for row, column in cells.tolist():
            y, x = top + row, left + column
            if 0 <= y < height and 0 <= x < width and grid[y, x] == empty:
                copied[y, x] = template["patch"][row, column]
    return copied
