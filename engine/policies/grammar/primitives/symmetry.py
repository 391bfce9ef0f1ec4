"""Symmetry and period: completing what is hidden, restoring patterns, mirroring objects."""

# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.geometry import TURNS
from engine.policies.grammar.primitives.grids import (
    Grid,
    Turn,
    anti_transpose,
    background,
    bounding_box,
    flip_left_right,
    flip_up_down,
    half_turn,
    shift,
    transpose,
    turn_left,
    turn_right,
)
from engine.policies.grammar.primitives.objects import find_objects, window
from engine.policies.grammar.primitives.position_features import edge_distance
from engine.policies.grammar.primitives.region_features import (
    continue_diagonals,
    continue_lines,
    find_period,
)
from engine.policies.grammar.primitives.selection import OBJECTS
from engine.policies.grammar.problem import Problem


def complete_by_symmetry(grid: Grid, hidden: int) -> Grid:
    """Fill hidden cells from mirror images, the axis being up to eight cells off the centre."""
    height, width = grid.shape
    if not (grid == hidden).any():
        return grid
    for _ in range(3):
        for symmetry in (flip_left_right, flip_up_down, transpose, anti_transpose):
            flips = symmetry in (flip_left_right, flip_up_down)
            if not flips and height != width:
                continue
            best, best_overlap = grid, height * width * 0.35
            for offset in range(-8, 9) if flips else (0,):
                down, right = (offset, 0) if symmetry == flip_up_down else (0, offset)
                image = shift(symmetry(grid), down, right, hidden)
                both = (image != hidden) & (grid != hidden)
                overlap = both.sum()
                if overlap > best_overlap and (image[both] == grid[both]).all():
                    best, best_overlap = image, overlap
            grid = np.where(grid == hidden, best, grid)
    return grid


@primitive(COLOUR)
def restore_symmetry(grid: Grid, hidden: int) -> Grid:
    """Replace cells of a colour by what the grid's symmetry says."""
    return complete_by_symmetry(grid, hidden)


@primitive(COLOUR)
def restore_pattern(grid: Grid, hidden: int) -> Grid:
    """Replace cells of a colour by what the grid's period says."""
    if not (grid == hidden).any():
        return grid
    pattern = find_period(grid, hidden)[0]
    return np.where(pattern < 0, grid, pattern)


@primitive(COLOUR, size="changes")
def crop_restored(grid: Grid, hidden: int) -> Grid:
    """Return what is hidden under a colour, by the grid's symmetry or else its period."""
    whole = complete_by_symmetry(grid, hidden)
    if (whole == hidden).any():
        pattern = find_period(grid, hidden)[0]
        whole = np.where(pattern < 0, hidden, pattern)
    if (whole == hidden).any():
        raise ValueError("something stays hidden")
    top, bottom, left, right = bounding_box(grid == hidden)
    return whole[top:bottom, left:right]


def _target_size(problem: Problem, _: Values) -> Values | None:
    shapes = {target.shape for target in problem.targets}
    return problem.targets[0].shape if len(shapes) == 1 else None


@primitive(COLOUR, size="changes", fit=_target_size)
def extend_pattern(grid: Grid, hidden: int, height: int, width: int) -> Grid:
    """Continue the grid's period over another size."""
    _, down, across = find_period(grid, hidden)
    rows, columns = np.arange(grid.shape[0]) % down, np.arange(grid.shape[1]) % across
    place = rows[:, None] * across + columns[None, :]
    pattern = np.zeros(down * across, dtype=np.int64)
    pattern[place[grid != hidden]] = grid[grid != hidden]
    rows, columns = np.arange(height) % down, np.arange(width) % across
    return pattern[rows[:, None] * across + columns[None, :]]


@primitive(choice("rows", "columns"))
def continue_pattern_in(grid: Grid, lines: str) -> Grid:
    """Continue the content of every row or column by its period."""
    if lines == "rows":
        return continue_lines(grid, background(grid))
    return continue_lines(grid.T, background(grid)).T


@primitive()
def continue_diagonal_cycle(grid: Grid) -> Grid:
    """Fill the grid with the cycle of colours its diagonals show."""
    return continue_diagonals(grid)


@primitive(OBJECTS, choice(*TURNS))
def turn_objects(grid: Grid, kind: str, symmetry: Turn) -> Grid:
    """Turn or mirror every object in its own box."""
    empty = background(grid)
    changed = np.full_like(grid, empty)
    for thing in find_objects(grid, kind):
        image = symmetry(thing["patch"])
        if image.shape != thing["patch"].shape:
            raise ValueError("the image has another shape")
        place = window(changed, thing)
        place[:] = np.where(image == empty, place, image)
    return changed


@primitive(
    OBJECTS,
    choice(
        (flip_left_right, flip_up_down, transpose, anti_transpose),
        (turn_left, half_turn, turn_right),
        (flip_left_right,),
        (flip_up_down,),
    ),
)
def make_objects_symmetric(grid: Grid, kind: str, images: list[Turn]) -> Grid:
    """Fill background in every object's box from the object's own images."""
    empty = background(grid)
    changed = grid.copy()
    for thing in find_objects(grid, kind):
        place = window(changed, thing)
        for symmetry in images:
            image = symmetry(place.copy())
            if image.shape == place.shape:
                place[:] = np.where(place == empty, image, place)
    return changed


@primitive()
def reverse_rings(grid: Grid) -> Grid:
    """Exchange the colours of nested square rings, innermost with outermost."""
    depth = edge_distance(grid)
    rings = [int(grid[d, d]) for d in range(int(depth.max()) + 1)]
    return np.array(rings[::-1])[depth]


@primitive()
def reverse_ring_colours(grid: Grid) -> Grid:
    """Exchange the colours met from the left edge to the centre, first with last."""
    middle = grid[grid.shape[0] // 2, : grid.shape[1] // 2 + 1].tolist()
    met = [c for i, c in enumerate(middle) if c not in middle[:i]]
    new = np.arange(10)
    new[met] = met[::-1]
    return new[grid]


@primitive(choice("rows", "columns"), choice("both ways", "onwards", "backwards"))
def repeat_content(grid: Grid, lines: str, where: str) -> Grid:
    """Repeat the box of all content along the rows or columns, to one side or both."""
    across = grid if lines == "rows" else grid.T
    empty = background(across)
    filled = np.flatnonzero((across != empty).any(axis=0))
    if len(filled) == 0:
        raise ValueError("no content")
    first, last = int(filled[0]), int(filled[-1])
    content = across[:, first : last + 1]
    places = np.arange(across.shape[1]) - first
    repeated = content[:, places % content.shape[1]]
    if where == "onwards":
        repeated = np.where(places < 0, across, repeated)
    elif where == "backwards":
        repeated = np.where(places >= content.shape[1], across, repeated)
    return repeated if lines == "rows" else repeated.T
