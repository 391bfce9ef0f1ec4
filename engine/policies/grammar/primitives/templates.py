"""Templates: fitted patterns stamped around cells, and pictures copied onto marks."""

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.objects import find_objects
from engine.policies.grammar.problem import Problem

_MAX_MARKS = 40
_AROUND = np.argwhere(np.ones((7, 7))) - 3
"""What is looked at around a mark, (down, right) of each cell: up to 3 away."""


def _stamp(problem: Problem, slots: Values) -> Values | None:
    if not problem.same_size:
        return None
    marks = [np.argwhere(grid == slots[0])[:_MAX_MARKS] for grid in problem.demos]
    if not any(len(places) for places in marks):
        return None
    counts, already = np.zeros((2, len(_AROUND) * 10), dtype=np.int64)
    for grid, target, places in zip(problem.demos, problem.targets, marks, strict=True):
        around = places[:, None] + _AROUND
        inside = ((around >= 0) & (around < grid.shape)).all(axis=-1)
        cells = tuple(around[inside].T)
        offset = np.nonzero(inside)[1] * 10
        counts += np.bincount(offset + target[cells], minlength=len(counts))
        already += np.bincount(offset + grid[cells], minlength=len(counts))
    counts, already = counts.reshape(-1, 10), already.reshape(-1, 10)
    colours, totals = counts.argmax(axis=1), counts.sum(axis=1)
    most, had = (np.take_along_axis(each, colours[:, None], 1)[:, 0] for each in (counts, already))
    clear = (totals > 0) & (most >= 0.8 * totals) & (had < 0.5 * totals)
    pattern = {
        (down, right): colour
        for (down, right), colour in zip(
            _AROUND[clear].tolist(), colours[clear].tolist(), strict=True
        )
    }
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
