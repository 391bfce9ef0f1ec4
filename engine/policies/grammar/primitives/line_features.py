"""Pixel features of the whole row or column a cell lies in."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

import numpy as np

from engine.policies.grammar.language import colour_source, feature
from engine.policies.grammar.primitives.grids import Grid, background, coordinates


@feature
def filled_in_row(grid: Grid) -> Grid:
    """How many cells of the row are not background."""
    return (grid != background(grid)).sum(axis=1)[:, None] + 0 * grid


@feature
def filled_in_column(grid: Grid) -> Grid:
    """How many cells of the column are not background."""
    return (grid != background(grid)).sum(axis=0)[None, :] + 0 * grid


@feature
def uniform_row(grid: Grid) -> Grid:
    """1 where the whole row has one colour."""
    return (grid == grid[:, :1]).all(axis=1)[:, None] + 0 * grid


@feature
def uniform_column(grid: Grid) -> Grid:
    """1 where the whole column has one colour."""
    return (grid == grid[:1]).all(axis=0)[None, :] + 0 * grid


@colour_source
def first_of_row(grid: Grid) -> Grid:
    """The colour at the row's left end."""
    return grid[:, :1] + 0 * grid


@colour_source
def last_of_row(grid: Grid) -> Grid:
    """The colour at the row's right end."""
    return grid[:, -1:] + 0 * grid


@colour_source
def first_of_column(grid: Grid) -> Grid:
    """The colour at the column's top."""
    return grid[:1] + 0 * grid


@colour_source
def last_of_column(grid: Grid) -> Grid:
    """The colour at the column's bottom."""
    return grid[-1:] + 0 * grid


def main_of_lines(lines: Grid, empty: int) -> Grid:
    """The main colour of every line, the background where it is empty."""
    found = []
    for line in lines:
        counts = np.bincount(line, minlength=10)
        counts[empty] = 0
        found.append(int(counts.argmax()) if counts.any() else empty)
    return np.array(found)


@colour_source
def main_of_row(grid: Grid) -> Grid:
    """The main colour of the row."""
    return main_of_lines(grid, background(grid))[:, None] + 0 * grid


@colour_source
def main_of_column(grid: Grid) -> Grid:
    """The main colour of the column."""
    return main_of_lines(grid.T, background(grid))[None, :] + 0 * grid


@colour_source
def line_between_equal_ends(grid: Grid) -> Grid:
    """The colour of both ends of the column or row where they agree, else background."""
    empty = background(grid)
    ends = np.full_like(grid, empty)
    rows = (grid[:, 0] == grid[:, -1]) & (grid[:, 0] != empty)
    ends[rows] = grid[rows, :1]
    columns = (grid[0] == grid[-1]) & (grid[0] != empty)
    ends[:, columns] = grid[:1, columns]
    return ends


@colour_source
def nearer_row_end(grid: Grid) -> Grid:
    """The colour at the nearer end of the row."""
    return np.where(coordinates(grid)[1] * 2 < grid.shape[1], grid[:, :1], grid[:, -1:])


@colour_source
def nearer_column_end(grid: Grid) -> Grid:
    """The colour at the nearer end of the column."""
    return np.where(coordinates(grid)[0] * 2 < grid.shape[0], grid[:1], grid[-1:])
