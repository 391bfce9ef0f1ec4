"""What every other module of the language builds on: background, shifts, boxes, colour counts."""

# ruff: noqa: D401 - a docstring here names what a function gives

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from engine.policies.grammar.language import remember

Grid: TypeAlias = np.ndarray
Turn: TypeAlias = Callable[[np.ndarray], np.ndarray]
Box: TypeAlias = tuple[int, int, int, int]
"""Top, bottom, left, right; the ends exclusive."""
Thing: TypeAlias = dict[str, Any]
"""An object; see objects.describe."""
Quality: TypeAlias = Callable[[np.ndarray, list[dict[str, Any]]], list[Any]]
"""(grid, objects) -> one number per object."""


@remember
def background(grid: Grid) -> int:
    """Black where there is any, else the most frequent colour."""
    counts = np.bincount(grid.ravel(), minlength=10)
    return 0 if counts[0] > 0 else int(counts.argmax())


def colour_counts(grid: Grid) -> Grid:
    """Cells per colour 0..9, the background counted as none."""
    counts = np.bincount(grid.ravel(), minlength=10)
    counts[background(grid)] = 0
    return counts


def main_colour(grid: Grid) -> int:
    """The most frequent colour that is not background (the background if there is none)."""
    counts = colour_counts(grid)
    return int(counts.argmax()) if counts.any() else background(grid)


def rarest_colour(grid: Grid) -> int:
    """The least frequent colour that is not background (the background if there is none)."""
    counts = colour_counts(grid)
    return int(np.where(counts > 0, counts, 9999).argmin()) if counts.any() else background(grid)


def shift(grid: Grid, down: int, right: int, fill: int) -> Grid:
    """Move the cells, filling what is left behind."""
    height, width = grid.shape
    moved = np.full_like(grid, fill)
    if abs(down) < height and abs(right) < width:
        moved[
            max(0, down) : height + min(0, down),
            max(0, right) : width + min(0, right),
        ] = grid[
            max(0, -down) : height + min(0, -down),
            max(0, -right) : width + min(0, -right),
        ]
    return moved


def bounding_box(mask: Grid) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (ends exclusive) of the true cells."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        raise ValueError("nothing to put a box around")
    return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1


def unchanged(grid: Grid) -> Grid:
    """The grid itself."""
    return grid


def blank(grid: Grid) -> Grid:
    """A black grid of the same size."""
    return 0 * grid


def flip_left_right(grid: Grid) -> Grid:
    """Mirror left to right."""
    return grid[:, ::-1]


def flip_up_down(grid: Grid) -> Grid:
    """Mirror up to down."""
    return grid[::-1]


def half_turn(grid: Grid) -> Grid:
    """Turn by 180 degrees."""
    return grid[::-1, ::-1]


def transpose(grid: Grid) -> Grid:
    """Mirror across the main diagonal."""
    return grid.T


def anti_transpose(grid: Grid) -> Grid:
    """Mirror across the other diagonal."""
    return grid[::-1, ::-1].T


def turn_left(grid: Grid) -> Grid:
    """Turn by 90 degrees against the clock."""
    return grid.T[::-1]


def turn_right(grid: Grid) -> Grid:
    """Turn by 90 degrees with the clock."""
    return grid[::-1].T


def coordinates(grid: Grid) -> tuple[Grid, Grid]:
    """Row numbers and column numbers of every cell."""
    height, width = grid.shape
    return np.arange(height)[:, None] + 0 * grid, np.arange(width)[None, :] + 0 * grid
