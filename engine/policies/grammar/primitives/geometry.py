"""The whole grid: turned, cropped, scaled, repeated, laid side by side."""

# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import (
    Grid,
    Turn,
    anti_transpose,
    background,
    bounding_box,
    flip_left_right,
    flip_up_down,
    half_turn,
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
