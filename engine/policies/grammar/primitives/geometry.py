"""The whole grid: turned, cropped, scaled, repeated, laid side by side."""

# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import (
    Grid,
    Turn,
    anti_transpose,
    background,
    blank,
    bounding_box,
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

TURNS = (
    flip_left_right,
    flip_up_down,
    half_turn,
    transpose,
    anti_transpose,
    turn_left,
    turn_right,
)
SAME_OR_TURNED = (unchanged, *TURNS)


@primitive(choice(*TURNS), size="either")
def turn(grid: Grid, symmetry: Turn) -> Grid:
    """Turn or mirror the whole grid."""
    return symmetry(grid)


@primitive(size="changes")
def crop_to_content(grid: Grid) -> Grid:
    """Keep the box around everything that is not background."""
    top, bottom, left, right = bounding_box(grid != background(grid))
    return grid[top:bottom, left:right]


@primitive(COLOUR, size="changes")
def crop_to_colour(grid: Grid, colour: int) -> Grid:
    """Keep the box around all cells of a colour."""
    top, bottom, left, right = bounding_box(grid == colour)
    return grid[top:bottom, left:right]


@primitive(COLOUR, size="changes")
def crop_inside_colour(grid: Grid, colour: int) -> Grid:
    """Keep what a frame of a colour encloses, without the frame."""
    top, bottom, left, right = bounding_box(grid == colour)
    return grid[top + 1 : bottom - 1, left + 1 : right - 1]


@primitive(size="changes")
def remove_border(grid: Grid) -> Grid:
    """Cut off the outermost cells on all sides."""
    return grid[1:-1, 1:-1]


@primitive(choice("top", "bottom", "left", "right"), size="changes")
def keep_half(grid: Grid, side: str) -> Grid:
    """Keep one half (the middle line belongs to the top and to the left)."""
    height, width = grid.shape
    if side == "top":
        return grid[: (height + 1) // 2]
    if side == "bottom":
        return grid[height // 2 :]
    if side == "left":
        return grid[:, : (width + 1) // 2]
    return grid[:, width // 2 :]


def _common_window(problem: Problem, _: Values) -> Values | None:
    shapes = {target.shape for target in problem.targets}
    if len(shapes) > 1:
        return None
    height, width = problem.targets[0].shape
    found: set[tuple[int, int]] | None = None
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        if grid.shape[0] < height or grid.shape[1] < width:
            return None
        windows = np.lib.stride_tricks.sliding_window_view(grid, (height, width))
        places = np.argwhere((windows == target).all(axis=(2, 3))).tolist()
        here = {(row, column) for row, column in places}
        found = here if found is None else found & here
    return (*min(found), height, width) if found else None


@primitive(size="changes", fit=_common_window)
def crop_window(grid: Grid, top: int, left: int, height: int, width: int) -> Grid:
    """Keep the window at a fixed place."""
    return grid[top : top + height, left : left + width]


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


@primitive(size="changes")
def drop_repeated_lines(grid: Grid) -> Grid:
    """Remove rows and columns that equal the one before."""
    rows = [r for r in range(grid.shape[0]) if r == 0 or (grid[r] != grid[r - 1]).any()]
    grid = grid[rows]
    columns = [c for c in range(grid.shape[1]) if c == 0 or (grid[:, c] != grid[:, c - 1]).any()]
    return grid[:, columns]


@primitive(size="changes")
def drop_empty_lines(grid: Grid) -> Grid:
    """Remove rows and columns that hold only background."""
    filled = grid != background(grid)
    return grid[filled.any(axis=1)][:, filled.any(axis=0)]


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


@primitive(choice(*TURNS))
def overlay_turned(grid: Grid, symmetry: Turn) -> Grid:
    """Fill background cells from the grid's own mirror image."""
    image = symmetry(grid)
    if image.shape != grid.shape:
        raise ValueError("the image has another shape")
    return np.where(grid == background(grid), image, grid)


@primitive()
def overlay_all_mirrors(grid: Grid) -> Grid:
    """Make the grid symmetrical by filling background cells from its mirror images."""
    empty = background(grid)
    whole = grid
    for symmetry in (flip_left_right, flip_up_down, transpose):
        image = symmetry(whole)
        if image.shape == whole.shape:
            whole = np.where(whole == empty, image, whole)
    return whole


@primitive(COLOUR)
def draw_border(grid: Grid, colour: int) -> Grid:
    """Paint the outermost cells."""
    framed = np.full_like(grid, colour)
    framed[1:-1, 1:-1] = grid[1:-1, 1:-1]
    return framed


@primitive(COLOUR, size="changes")
def add_border(grid: Grid, colour: int) -> Grid:
    """Put a frame of one colour around the grid."""
    return np.pad(grid, 1, constant_values=colour)


@primitive(size="changes")
def extend_edges(grid: Grid) -> Grid:
    """Repeat the outermost cells once more on all sides."""
    return np.pad(grid, 1, mode="edge")


@primitive(choice(-3, -2, -1, 0, 1, 2, 3), choice(-3, -2, -1, 0, 1, 2, 3), weight=0.5)
def move(grid: Grid, down: int, right: int) -> Grid:
    """Shift everything; what leaves the grid is lost."""
    height, width = grid.shape
    if abs(down) >= height or abs(right) >= width:
        raise ValueError("moved out of the grid")
    padded = np.pad(grid, 3, constant_values=background(grid))
    return padded[3 - down : 3 - down + height, 3 - right : 3 - right + width]


@primitive(choice(-2, -1, 0, 1, 2), choice(-2, -1, 0, 1, 2), weight=0.5)
def roll(grid: Grid, down: int, right: int) -> Grid:
    """Shift everything; what leaves the grid comes back on the other side."""
    return np.roll(grid, (down, right), axis=(0, 1))


@primitive(choice("fewest first", "most first"), choice("rows", "columns"))
def sort_lines(grid: Grid, order: str, lines: str) -> Grid:
    """Sort rows or columns by how many cells are not background."""
    across = grid if lines == "rows" else grid.T
    filled = (across != background(grid)).sum(axis=1)
    sorted_lines = across[np.argsort(filled if order == "fewest first" else -filled, kind="stable")]
    return sorted_lines if lines == "rows" else sorted_lines.T
