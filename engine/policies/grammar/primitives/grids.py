"""What every other module of the language builds on: background, shifts, boxes, colour counts."""

import numpy as np

from engine.policies.grammar.language import remember

Grid = np.ndarray


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


def turned(grid: Grid, symmetry: str) -> Grid:
    """One of the eight symmetries of a square applied to a grid."""
    if symmetry == "same":
        return grid
    if symmetry == "flip left-right":
        return grid[:, ::-1]
    if symmetry == "flip up-down":
        return grid[::-1]
    if symmetry == "half turn":
        return grid[::-1, ::-1]
    if symmetry == "transpose":
        return grid.T
    if symmetry == "anti-transpose":
        return grid[::-1, ::-1].T
    if symmetry == "turn left":
        return np.rot90(grid)
    return np.rot90(grid, 3)


def coordinates(grid: Grid) -> tuple[Grid, Grid]:
    """Row numbers and column numbers of every cell."""
    height, width = grid.shape
    return np.arange(height)[:, None] + 0 * grid, np.arange(width)[None, :] + 0 * grid
