"""Pixel features of where a cell is, and of whole rows, columns and grids."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

import numpy as np

from engine.policies.grammar.language import colour_source, feature
from engine.policies.grammar.primitives.grids import (
    Grid,
    Turn,
    background,
    bounding_box,
    coordinates,
    flip_left_right,
    flip_up_down,
    half_turn,
    main_colour,
    rarest_colour,
    transpose,
)


@colour_source
def own_colour(grid: Grid) -> Grid:
    """The cell's colour."""
    return grid


@feature
def is_background(grid: Grid) -> Grid:
    """1 on background."""
    return (grid == background(grid)).astype(np.int64)


@feature
def row_parity(grid: Grid) -> Grid:
    """Row number modulo 2."""
    return coordinates(grid)[0] % 2


@feature
def column_parity(grid: Grid) -> Grid:
    """Column number modulo 2."""
    return coordinates(grid)[1] % 2


@feature
def chessboard(grid: Grid) -> Grid:
    """Row plus column modulo 2."""
    rows, columns = coordinates(grid)
    return (rows + columns) % 2


@feature
def row_modulo_3(grid: Grid) -> Grid:
    """Row number modulo 3."""
    return coordinates(grid)[0] % 3


@feature
def column_modulo_3(grid: Grid) -> Grid:
    """Column number modulo 3."""
    return coordinates(grid)[1] % 3


@feature
def row_number(grid: Grid) -> Grid:
    """Row number from the top."""
    return coordinates(grid)[0]


@feature
def column_number(grid: Grid) -> Grid:
    """Column number from the left."""
    return coordinates(grid)[1]


@feature
def row_from_bottom(grid: Grid) -> Grid:
    """Row number from the bottom."""
    return grid.shape[0] - 1 - coordinates(grid)[0]


@feature
def column_from_right(grid: Grid) -> Grid:
    """Column number from the right."""
    return grid.shape[1] - 1 - coordinates(grid)[1]


@feature
def edge_distance(grid: Grid) -> Grid:
    """Steps to the nearest edge of the grid."""
    rows, columns = coordinates(grid)
    height, width = grid.shape
    vertical = np.minimum(rows, height - 1 - rows)
    return np.minimum(vertical, np.minimum(columns, width - 1 - columns))


@feature
def diagonal_side(grid: Grid) -> Grid:
    """-1, 0 or 1: below, on or above the main diagonal."""
    rows, columns = coordinates(grid)
    return np.sign(columns - rows)


@feature
def antidiagonal_side(grid: Grid) -> Grid:
    """-1, 0 or 1: above, on or below the diagonal from the top right corner."""
    rows, columns = coordinates(grid)
    return np.sign(rows + columns - grid.shape[1] + 1)


@colour_source
def mirrored_left_right(grid: Grid) -> Grid:
    """The colour of the cell's mirror image across the vertical axis."""
    return grid[:, ::-1]


@colour_source
def mirrored_up_down(grid: Grid) -> Grid:
    """The colour of the cell's mirror image across the horizontal axis."""
    return grid[::-1]


@colour_source
def half_turned(grid: Grid) -> Grid:
    """The colour of the cell opposite the centre."""
    return grid[::-1, ::-1]


@colour_source
def transposed(grid: Grid) -> Grid:
    """The colour of the cell's mirror image across the main diagonal, in square grids."""
    return grid.T if grid.shape[0] == grid.shape[1] else grid


@colour_source
def main_of_grid(grid: Grid) -> Grid:
    """The grid's main colour."""
    return np.full_like(grid, main_colour(grid))


@colour_source
def rarest_of_grid(grid: Grid) -> Grid:
    """The grid's rarest colour."""
    return np.full_like(grid, rarest_colour(grid))


@feature
def colour_rank(grid: Grid) -> Grid:
    """Rank of the cell's colour by frequency, 0 for the commonest; equal counts share a rank."""
    counts = np.bincount(grid.ravel(), minlength=10)
    distinct = np.unique(counts[counts > 0])[::-1].tolist()
    ranks = np.array([distinct.index(n) if n else -1 for n in counts.tolist()])
    return ranks[grid]


@feature
def side_of_first_in_row(grid: Grid) -> Grid:
    """-1, 0 or 1: left of, at or right of the row's first filled cell."""
    first = (grid != background(grid)).argmax(axis=1)
    return np.sign(coordinates(grid)[1] - first[:, None])


@feature
def side_of_content_centre(grid: Grid) -> Grid:
    """Which of nine sectors around the centre of all content the cell is in."""
    filled = grid != background(grid)
    if not filled.any():
        return 0 * grid
    top, bottom, left, right = bounding_box(filled)
    rows, columns = coordinates(grid)
    vertical = np.sign(2 * rows - (top + bottom - 1))
    return vertical * 3 + np.sign(2 * columns - (left + right - 1))


@feature
def ring_parity(grid: Grid) -> Grid:
    """1 or 2: parity of the square ring around the first filled cell."""
    places = np.argwhere(grid != background(grid))
    if len(places) == 0:
        return 0 * grid
    rows, columns = coordinates(grid)
    return np.maximum(abs(rows - places[0][0]), abs(columns - places[0][1])) % 2 + 1


def turn_content(grid: Grid, symmetry: Turn) -> Grid:
    """Turn what is in the box of all content, where its shape allows."""
    filled = grid != background(grid)
    changed = grid.copy()
    if filled.any():
        top, bottom, left, right = bounding_box(filled)
        image = symmetry(grid[top:bottom, left:right])
        if image.shape == (bottom - top, right - left):
            changed[top:bottom, left:right] = image
    return changed


@colour_source
def content_mirrored_left_right(grid: Grid) -> Grid:
    """The cell's colour after mirroring the content in its own box left to right."""
    return turn_content(grid, flip_left_right)


@colour_source
def content_mirrored_up_down(grid: Grid) -> Grid:
    """The cell's colour after mirroring the content in its own box up and down."""
    return turn_content(grid, flip_up_down)


@colour_source
def content_transposed(grid: Grid) -> Grid:
    """The cell's colour after transposing the content in its own box."""
    return turn_content(grid, transpose)


@colour_source
def content_half_turned(grid: Grid) -> Grid:
    """The cell's colour after turning the content by half in its own box."""
    return turn_content(grid, half_turn)
