"""Counting: grids that say how many, which colour most, which colours in what order."""

# ruff: noqa: D401, PLR0917 - a docstring here names what a function gives; fitted constants are arguments

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import (
    Grid,
    background,
    colour_counts,
    main_colour,
    rarest_colour,
)
from engine.policies.grammar.primitives.objects import find_objects
from engine.policies.grammar.primitives.region_features import enclosed, label_background
from engine.policies.grammar.problem import Problem

Count: TypeAlias = Callable[[np.ndarray, int], int]


def _target_size(problem: Problem, _: Values) -> Values | None:
    shapes = {target.shape for target in problem.targets}
    return problem.targets[0].shape if len(shapes) == 1 else None


@primitive(choice("main", "rarest", "commonest"), size="changes", fit=_target_size)
def uniform_grid(grid: Grid, which: str, height: int, width: int) -> Grid:
    """A grid of one colour: the main, the rarest, or the commonest with background."""
    if which == "main":
        colour = main_colour(grid)
    elif which == "rarest":
        colour = rarest_colour(grid)
    else:
        colour = int(np.bincount(grid.ravel()).argmax())
    return np.full((height, width), colour)


def cells_of_colour(grid: Grid, colour: int) -> int:
    """How many cells have the colour."""
    return int((grid == colour).sum())


def objects_of_colour(grid: Grid, colour: int) -> int:
    """How many connected pieces of the colour there are."""
    return len(find_objects(np.where(grid == colour, 1, 0), "colour4"))


def large_objects_of_colour(grid: Grid, colour: int) -> int:
    """How many connected pieces of more than one cell the colour has."""
    things = find_objects(np.where(grid == colour, 1, 0), "colour4")
    return len([thing for thing in things if thing["size"] > 1])


def all_cells(grid: Grid, _: int) -> int:
    """How many cells are not background."""
    return int((grid != background(grid)).sum())


def all_colours(grid: Grid, _: int) -> int:
    """How many colours there are beside the background."""
    return int((colour_counts(grid) > 0).sum())


def all_objects(grid: Grid, _: int) -> int:
    """How many objects of one colour there are."""
    return len(find_objects(grid, "colour8"))


def all_mixed_objects(grid: Grid, _: int) -> int:
    """How many objects of any colours there are."""
    return len(find_objects(grid, "mixed8"))


def all_holes(grid: Grid, _: int) -> int:
    """How many regions of background are enclosed."""
    return len(np.unique(label_background(grid)[0][enclosed(grid) == 2]))


ALL = (all_cells, all_colours, all_objects, all_mixed_objects, all_holes)
COUNTED = (cells_of_colour, objects_of_colour, large_objects_of_colour, *ALL)


@primitive(
    choice(*COUNTED),
    COLOUR,
    COLOUR,
    choice("row by row", "to and fro", "column by column", "diagonal", "every other cell"),
    size="changes",
    fit=_target_size,
)
def tally(
    grid: Grid, count: Count, counted: int, colour: int, order: str, height: int, width: int
) -> Grid:
    """Fill as many cells of a black grid as were counted, in one colour."""
    number = count(grid, counted)
    cells = np.zeros(height * width, dtype=np.int64)
    if order == "every other cell":
        cells[: 2 * number : 2] = colour
        return cells.reshape(height, width)
    cells[:number] = colour
    if order == "diagonal":
        return np.diag(cells[:height]) if height == width else np.zeros((height, width), int)
    if order == "column by column":
        return cells.reshape(width, height).T
    filled = cells.reshape(height, width)
    if order == "to and fro":
        filled[1::2] = filled[1::2, ::-1]
    return filled


@primitive(
    choice(*ALL),
    choice("row", "column", "diagonal", "square"),
    choice("main", "black"),
    size="changes",
)
def grid_as_long_as(grid: Grid, count: Count, form: str, paint: str) -> Grid:
    """A line, diagonal or square whose length is a count."""
    number = count(grid, 0)
    if not 0 < number <= 30:
        raise ValueError("too many")
    colour = main_colour(grid) if paint == "main" else 0
    if form == "diagonal":
        return np.diag([colour] * number)
    return np.full((number if form != "row" else 1, number if form != "column" else 1), colour)


@primitive(
    choice("most cells first", "fewest cells first", "most objects first", "from top", "from left"),
    choice("row", "column"),
    choice("one cell each", "bars"),
    size="changes",
)
def list_colours(grid: Grid, order: str, form: str, length: str) -> Grid:
    """The grid's colours in order, one cell each or as bars as long as their count."""
    empty = background(grid)
    counts = colour_counts(grid)
    if order == "most objects first":
        counts = 0 * counts
        for thing in find_objects(grid, "colour8"):
            counts[thing["colour"]] += 1
    colours = [colour for colour in range(10) if counts[colour] > 0]
    if order in ("from top", "from left"):
        cells = (grid if order == "from top" else grid.T).ravel().tolist()
        colours = sorted(colours, key=cells.index)
    else:
        sign = 1 if order == "fewest cells first" else -1
        colours = sorted(colours, key=lambda colour: sign * int(counts[colour]))
    longest = max([int(counts[colour]) for colour in colours]) if length == "bars" else 1
    if longest > 30:
        raise ValueError("too long")
    listed = np.full((len(colours), longest), empty)
    for row, colour in enumerate(colours):
        listed[row, : int(counts[colour]) if length == "bars" else 1] = colour
    return listed if form == "column" else listed.T


def _block_table(problem: Problem, _: Values) -> Values | None:
    factor = problem.targets[0].shape[0] // problem.demos[0].shape[0]
    if factor < 2:
        return None
    table: dict[int, tuple[tuple[int, ...], ...]] = {}
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        height, width = grid.shape
        if target.shape != (height * factor, width * factor):
            return None
        for row in range(height):
            for column in range(width):
                place = target[row * factor : (row + 1) * factor, column * factor :][:, :factor]
                block = tuple(map(tuple, place.tolist()))
                if table.setdefault(int(grid[row, column]), block) != block:
                    return None
    return (factor, dict(sorted(table.items())))


@primitive(size="changes", fit=_block_table)
def replace_cells_by_blocks(grid: Grid, factor: int, blocks: dict[Any, Any]) -> Grid:
    """Replace every cell by the block of its colour."""
    height, width = grid.shape
    large = np.zeros((height * factor, width * factor), dtype=np.int64)
    for colour, block in blocks.items():
        mask = np.kron((grid == colour).astype(np.int64), np.ones((factor, factor), dtype=np.int64))
        large = np.where(mask == 1, np.tile(block, (height, width)), large)
    return large
