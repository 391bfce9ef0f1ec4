"""Sizes: magnified, reduced, repeated, copies laid side by side."""

# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import Values, choice, primitive
from engine.policies.grammar.primitives.geometry import SAME_OR_TURNED
from engine.policies.grammar.primitives.grids import (
    Grid,
    Turn,
    anti_transpose,
    background,
    blank,
    flip_left_right,
    flip_up_down,
    half_turn,
    main_colour,
    transpose,
    turn_left,
    turn_right,
    unchanged,
)
from engine.policies.grammar.problem import Problem


@primitive(choice(2, 3, 4, 5, 6), size="changes")
def magnify(grid: Grid, factor: int) -> Grid:
    """Replace every cell by a square block of it."""
    return np.kron(grid, np.ones((factor, factor), dtype=np.int64))


@primitive(choice("colours", "cells", "all colours"), size="changes")
def magnify_by_count(grid: Grid, counted: str) -> Grid:
    """Magnify by the number of colours, of non-background cells, or of colours with background."""
    if counted == "cells":
        factor = int((grid != background(grid)).sum())
    else:
        present = np.unique(grid)
        factor = (
            len(present) if counted == "all colours" else int((present != background(grid)).sum())
        )
    if not 0 < factor * max(grid.shape) <= 30:
        raise ValueError("too large")
    return np.kron(grid, np.ones((factor, factor), dtype=np.int64))


@primitive(choice(2, 3, 4, 5, 6), size="changes")
def reduce(grid: Grid, factor: int) -> Grid:
    """Keep one cell of every square block."""
    if grid.shape[0] % factor or grid.shape[1] % factor:
        raise ValueError("the blocks do not fit")
    return grid[::factor, ::factor]


@primitive(
    choice("content", "background", "commonest", "rarest", "main colour"),
    choice(unchanged, flip_left_right, flip_up_down, half_turn),
    size="changes",
    weight=0.5,
)
def grid_of_copies(grid: Grid, where: str, symmetry: Turn) -> Grid:
    """Blow every cell up to the grid's own size: a copy of the grid in chosen cells, else black."""
    counts = np.bincount(grid.ravel(), minlength=10)
    if where == "content":
        chosen = grid != background(grid)
    elif where == "background":
        chosen = grid == background(grid)
    elif where == "commonest":
        chosen = grid == counts.argmax()
    elif where == "rarest":
        chosen = grid == np.where(counts > 0, counts, 9999).argmin()
    else:
        chosen = grid == main_colour(grid)
    return np.kron(chosen.astype(np.int64), symmetry(grid))


@primitive(size="changes", weight=0.5)
def grid_of_negatives(grid: Grid) -> Grid:
    """In every content cell, a copy of the grid with content and background exchanged."""
    filled = grid != background(grid)
    return np.kron(filled.astype(np.int64), np.where(filled, 0, main_colour(grid)))


@primitive(choice(1, 2, 3, 4, 5), choice(1, 2, 3, 4, 5), size="changes", weight=0.5)
def repeat(grid: Grid, down: int, across: int) -> Grid:
    """Lay copies of the grid in a block."""
    return np.tile(grid, (down, across))


@primitive(
    choice(*SAME_OR_TURNED), choice("right", "left", "below", "above"), size="changes", weight=0.5
)
def append_copy(grid: Grid, symmetry: Turn, side: str) -> Grid:
    """Attach a copy of the grid, turned or mirrored, on one side."""
    copy = symmetry(grid)
    if side == "right":
        return np.hstack([grid, copy])
    if side == "left":
        return np.hstack([copy, grid])
    if side == "below":
        return np.vstack([grid, copy])
    return np.vstack([copy, grid])


@primitive(size="changes", weight=0.5)
def mirror_to_four(grid: Grid) -> Grid:
    """Mirror the grid to the right, then both downwards."""
    half = np.hstack([grid, grid[:, ::-1]])
    return np.vstack([half, half[::-1]])


def _layout(problem: Problem, _: Values) -> Values | None:
    height, width = problem.demos[0].shape
    rows, columns = problem.targets[0].shape
    if rows % height or columns % width or not 1 < rows * columns // (height * width) <= 30:
        return None
    down, across = rows // height, columns // width
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        if target.shape != (grid.shape[0] * down, grid.shape[1] * across):
            return None
    symmetries: tuple[Turn, ...] = (unchanged, flip_left_right, flip_up_down, half_turn, blank)
    if all(grid.shape[0] == grid.shape[1] for grid in problem.demos):
        symmetries += (transpose, anti_transpose, turn_left, turn_right)

    def fits(symmetry: Turn, row: int, column: int) -> int:
        right = 0
        for grid, target in zip(problem.demos, problem.targets, strict=True):
            h, w = grid.shape
            tile = target[row * h : (row + 1) * h, column * w : (column + 1) * w]
            right += np.array_equal(tile, symmetry(grid))
        return right

    def best(row: int, column: int) -> Turn:
        return max(symmetries, key=lambda symmetry: fits(symmetry, row, column))

    return (tuple(tuple(best(row, column) for column in range(across)) for row in range(down)),)


@primitive(size="changes", fit=_layout)
def tile_with(grid: Grid, layout: tuple[Any, ...]) -> Grid:
    """Lay turned copies of the grid (or black ones) according to a layout."""
    return np.vstack([np.hstack([how(grid) for how in row]) for row in layout])


@primitive(size="changes")
def extend_edges(grid: Grid) -> Grid:
    """Repeat the outermost cells once more on all sides."""
    return np.pad(grid, 1, mode="edge")
