"""Colour rules: what each colour does to its surroundings, as tables fitted to demonstrations."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.lines import OBSTACLE
from engine.policies.grammar.primitives.neighbour_features import count_around
from engine.policies.grammar.primitives.objects import CORNERS, SIDES, find_objects, places, window
from engine.policies.grammar.problem import Problem

_CLEAR = 0.85
"""Share of the cells a rule speaks of that must agree before it counts as one."""
_MAX_CELLS = 60


def _rule(votes: list[np.ndarray], empty: int) -> int | None:
    """The colour that clearly most of the given target cells have, if it is not background."""
    counts = np.bincount(np.concatenate(votes), minlength=10) if votes else np.zeros(10)
    colour = int(counts.argmax())
    clear = counts[colour] > 0 and counts[colour] >= _CLEAR * counts.sum()
    return colour if clear and colour != empty else None


def _seen_twice(table: dict[int, Any], grids: tuple[np.ndarray, ...]) -> bool:
    """Whether at least half of a table's colours occur in two demonstrations or more."""
    often = [sum(bool((grid == colour).any()) for grid in grids) > 1 for colour in table]
    return bool(table) and (len(grids) < 2 or 2 * sum(often) >= len(often))


def ray_cells(grid: Grid, start: Any, way: Any, obstacle: str) -> Iterator[tuple[int, int]]:
    """The background cells a ray passes, from a cell (row, column) on by (down, right)."""
    height, width = grid.shape
    empty = background(grid)
    row, column = start[0] + way[0], start[1] + way[1]
    while 0 <= row < height and 0 <= column < width:
        if grid[row, column] == empty:
            yield row, column
        elif obstacle == "stop at content":
            return
        row, column = row + way[0], column + way[1]


def _rays(problem: Problem, slots: Values) -> Values | None:
    if not problem.same_size:
        return None
    table: dict[int, tuple[tuple[int, int, int], ...]] = {}
    for colour in problem.colours:
        rules = []
        for way in SIDES + CORNERS:
            paint = _ray_colour(problem, colour, way, slots[0])
            if paint is not None:
                rules.append((*way, paint))
        if rules:
            table[colour] = tuple(rules)
    return (table,) if _seen_twice(table, problem.demos) else None


def _ray_colour(problem: Problem, colour: int, way: tuple[int, int], obstacle: str) -> int | None:
    """The colour of the rays from a colour's cells in one direction, where they clearly have one."""
    empty = background(problem.demos[0])
    rays, first = [], []
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        if colour == background(grid):
            continue
        for start in np.argwhere(grid == colour)[:_MAX_CELLS].tolist():
            ray = ray_cells(grid, start, way, obstacle)
            cell = next(ray, None)
            if cell is not None:
                rays.append((target, cell, ray))
                first.append(target[cell])
    # Most directions are told from the first cells alone.
    if not first or _rule([np.array(first)], empty) is None:
        return None
    return _rule([np.array([target[c] for c in (cell, *ray)]) for target, cell, ray in rays], empty)


@primitive(OBSTACLE, fit=_rays, weight=2.0, applies=lambda problem: problem.same_size)
def rays_by_colour(grid: Grid, obstacle: str, table: dict[Any, Any]) -> Grid:
    """Draw rays from all cells of the table's colours: {colour: ((down, right, paint), ...)}."""
    drawn = grid.copy()
    for colour, rules in table.items():
        for start in np.argwhere(grid == colour).tolist():
            for down, right, paint in rules:
                for cell in ray_cells(grid, start, (down, right), obstacle):
                    drawn[cell] = paint
    return drawn


def beside(mask: Grid, reach: str) -> Grid:
    """The cells next to true ones: "sides", or "around" for the corners too."""
    directions = SIDES if reach == "sides" else SIDES + CORNERS
    return (count_around(mask, directions) > 0) & ~mask


def _outlines(problem: Problem, slots: Values) -> Values | None:
    if not problem.same_size:
        return None
    table: dict[int, int] = {}
    for colour in problem.colours:
        votes = []
        for grid, target in zip(problem.demos, problem.targets, strict=True):
            if colour != background(grid):
                here = beside(grid == colour, slots[0]) & (grid == background(grid))
                votes.append(target[here])
        paint = _rule(votes, background(problem.demos[0]))
        if paint is not None:
            table[colour] = paint
    return (table,) if _seen_twice(table, problem.demos) else None


@primitive(
    choice("sides", "around"), fit=_outlines, weight=1.0, applies=lambda problem: problem.same_size
)
def outline_by_colour(grid: Grid, reach: str, table: dict[Any, int]) -> Grid:
    """Paint background next to each colour in the colour a table has for it."""
    drawn = grid.copy()
    for colour, paint in table.items():
        drawn[beside(grid == colour, reach) & (grid == background(grid))] = paint
    return drawn


def frame_colour(grid: Grid, hole: Any) -> int:
    """The commonest colour around an enclosed piece of background."""
    mask = np.zeros(grid.shape, dtype=bool)
    window(mask, hole)[hole["mask"]] = True
    return int(np.bincount(grid[beside(mask, "sides")], minlength=10).argmax())


def _fillings(problem: Problem, slots: Values) -> Values | None:
    if not problem.same_size:
        return None
    votes: dict[int, list[np.ndarray]] = {}
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        for hole in find_objects(grid, "hole")[:_MAX_CELLS]:
            cells = window(target, hole)[hole["mask"]]
            votes.setdefault(frame_colour(grid, hole), []).append(cells)
    empty = background(problem.demos[0])
    rules = {frame: _rule(cells, empty) for frame, cells in sorted(votes.items())}
    table = {frame: paint for frame, paint in rules.items() if paint is not None}
    return (table,) if _seen_twice(table, problem.demos) else None


@primitive(fit=_fillings, weight=1.0, applies=lambda problem: problem.same_size)
def fill_by_frame(grid: Grid, table: dict[Any, int]) -> Grid:
    """Fill enclosed background in the colour a table has for what encloses it."""
    filled = grid.copy()
    for hole in find_objects(grid, "hole"):
        frame = frame_colour(grid, hole)
        if frame in table:
            window(filled, hole)[hole["mask"]] = table[frame]
    return filled


MIXED = choice("mixed4", "mixed8")


@primitive(MIXED)
def swap_in_objects(grid: Grid, kind: str) -> Grid:
    """Exchange the two colours of every object that has two."""
    swapped = grid.copy()
    for thing in find_objects(grid, kind):
        present = np.flatnonzero(thing["counts"])
        if len(present) == 2:
            patch = window(grid, thing)
            other = np.where(patch == present[0], present[1], present[0])
            window(swapped, thing)[thing["mask"]] = other[thing["mask"]]
    return swapped


@primitive(MIXED, choice("rarest", "commonest", "rarest without its cells"))
def unify_objects(grid: Grid, kind: str, which: str) -> Grid:
    """Give every object of several colours its rarest or its commonest one."""
    painted = grid.copy()
    for thing in find_objects(grid, kind):
        present = np.flatnonzero(thing["counts"])
        if len(present) < 2:
            continue
        rarest = present[thing["counts"][present].argmin()]
        paint = thing["colour"] if which == "commonest" else rarest
        patch = window(grid, thing)
        new = np.full(patch.shape, paint)
        if which == "rarest without its cells":
            new[patch == rarest] = background(grid)
        window(painted, thing)[thing["mask"]] = new[thing["mask"]]
    return painted


@primitive(COLOUR, choice("colour4", "colour8"))
def paint_like_nearest(grid: Grid, colour: int, kind: str) -> Grid:
    """Give every object of a colour the colour of the nearest other content."""
    others = np.argwhere((grid != background(grid)) & (grid != colour))
    if len(others) == 0:
        raise ValueError("no other content")
    painted = grid.copy()
    for thing in find_objects(grid, kind):
        if thing["colour"] != colour:
            continue
        apart = np.abs(places(thing)[:, None] - others[None]).max(axis=2).min(axis=0)
        row, column = others[apart.argmin()]
        window(painted, thing)[thing["mask"]] = grid[row, column]
    return painted
