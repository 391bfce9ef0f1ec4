"""Pixel features of a cell's surroundings: neighbours, rays to the next content, distances."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import colour_source, feature
from engine.policies.grammar.primitives.grids import Grid, background, shift
from engine.policies.grammar.primitives.objects import CORNERS, SIDES

OUTSIDE = 10


def count_around(mask: Grid, directions: tuple[Any, ...]) -> Grid:
    """How many of the cells in the given directions are true."""
    ones = mask.astype(np.int64)
    return sum((shift(ones, y, x, 0) for y, x in directions), 0 * ones)


@feature
def filled_beside(grid: Grid) -> Grid:
    """How many of the four neighbours are not background."""
    return count_around(grid != background(grid), SIDES)


@feature
def filled_around(grid: Grid) -> Grid:
    """How many of the eight neighbours are not background."""
    return count_around(grid != background(grid), SIDES + CORNERS)


@feature
def filled_corners(grid: Grid) -> Grid:
    """How many of the four diagonal neighbours are not background."""
    return count_around(grid != background(grid), CORNERS)


def count_equal(grid: Grid, directions: tuple[Any, ...]) -> Grid:
    """How many of the cells in the given directions have the cell's colour."""
    return sum(((shift(grid, y, x, -1) == grid).astype(np.int64) for y, x in directions), 0 * grid)


@feature
def equal_beside(grid: Grid) -> Grid:
    """How many of the four neighbours have the cell's colour."""
    return count_equal(grid, SIDES)


@feature
def equal_around(grid: Grid) -> Grid:
    """How many of the eight neighbours have the cell's colour."""
    return count_equal(grid, SIDES + CORNERS)


@colour_source
def above(grid: Grid) -> Grid:
    """The colour of the cell above."""
    return shift(grid, 1, 0, OUTSIDE)


@colour_source
def below(grid: Grid) -> Grid:
    """The colour of the cell below."""
    return shift(grid, -1, 0, OUTSIDE)


@colour_source
def left_of(grid: Grid) -> Grid:
    """The colour of the cell to the left."""
    return shift(grid, 0, 1, OUTSIDE)


@colour_source
def right_of(grid: Grid) -> Grid:
    """The colour of the cell to the right."""
    return shift(grid, 0, -1, OUTSIDE)


@colour_source
def majority_around(grid: Grid) -> Grid:
    """The commonest colour among the eight neighbours, the smallest number when several are."""
    most = np.zeros(grid.shape) - 1
    winner = grid
    for colour in np.unique(grid).tolist():
        votes = count_around(grid == colour, SIDES + CORNERS)
        winner = np.where(votes > most, colour, winner)
        most = np.maximum(votes, most)
    return winner


def last_seen(lines: Grid, empty: int) -> Grid:
    """Per cell, the colour of the nearest content before it in its row, else background."""
    seen = np.full_like(lines, empty)
    for column in range(1, lines.shape[1]):
        before = lines[:, column - 1]
        seen[:, column] = np.where(before != empty, before, seen[:, column - 1])
    return seen


@colour_source
def next_left(grid: Grid) -> Grid:
    """The first colour met going left."""
    return last_seen(grid, background(grid))


@colour_source
def next_right(grid: Grid) -> Grid:
    """The first colour met going right."""
    return last_seen(grid[:, ::-1], background(grid))[:, ::-1]


@colour_source
def next_above(grid: Grid) -> Grid:
    """The first colour met going up."""
    return last_seen(grid.T, background(grid)).T


@colour_source
def next_below(grid: Grid) -> Grid:
    """The first colour met going down."""
    return last_seen(grid[::-1].T, background(grid)).T[::-1]


@feature
def between_equals_across(grid: Grid) -> Grid:
    """1 where the next colours to the left and to the right are the same."""
    left, right = next_left(grid), next_right(grid)
    return ((left == right) & (left != background(grid))).astype(np.int64)


@feature
def between_equals_down(grid: Grid) -> Grid:
    """1 where the next colours above and below are the same."""
    up, down = next_above(grid), next_below(grid)
    return ((up == down) & (up != background(grid))).astype(np.int64)


@feature
def sides_with_content(grid: Grid) -> Grid:
    """In how many of the four directions some content is met."""
    empty = background(grid)
    found = [next_left(grid), next_right(grid), next_above(grid), next_below(grid)]
    return sum(((seen != empty).astype(np.int64) for seen in found), 0 * grid)


def next_diagonal(grid: Grid, down: int, right: int) -> Grid:
    """The first colour met going back along a diagonal direction, else background."""
    empty = background(grid)
    height, width = grid.shape
    seen = np.full_like(grid, empty)
    for row in range(height) if down > 0 else range(height - 1, -1, -1):
        if 0 <= row - down < height:
            before = np.where(grid[row - down] != empty, grid[row - down], seen[row - down])
            if right > 0:
                seen[row, 1:] = before[: width - 1]
            else:
                seen[row, : width - 1] = before[1:]
    return seen


@colour_source
def next_up_left(grid: Grid) -> Grid:
    """The first colour met going up and left."""
    return next_diagonal(grid, 1, 1)


@colour_source
def next_up_right(grid: Grid) -> Grid:
    """The first colour met going up and right."""
    return next_diagonal(grid, 1, -1)


@colour_source
def next_down_left(grid: Grid) -> Grid:
    """The first colour met going down and left."""
    return next_diagonal(grid, -1, 1)


@colour_source
def next_down_right(grid: Grid) -> Grid:
    """The first colour met going down and right."""
    return next_diagonal(grid, -1, -1)


@colour_source
def nearest_content(grid: Grid) -> Grid:
    """The colour of the nearest content, by steps to the sides."""
    empty = background(grid)
    spread = grid
    for _ in range(max(grid.shape)):
        if not (spread == empty).any():
            break
        for down, right in SIDES:
            moved = shift(spread, down, right, empty)
            spread = np.where((spread == empty) & (moved != empty), moved, spread)
    return spread


def widened(mask: Grid) -> Grid:
    """The true cells and all that touch one, by a corner too."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


@feature
def content_distance(grid: Grid) -> Grid:
    """Steps (diagonal ones too) to the nearest content, 0 on it, 99 beyond five."""
    reached = grid != background(grid)
    distance = np.where(reached, 0, 99)
    for step in range(1, 6):
        if reached.all():
            break
        reached = widened(reached)
        distance = np.where(reached & (distance == 99), step, distance)
    return distance


@feature
def depth_in_content(grid: Grid) -> Grid:
    """How deep a content cell lies below the surface, 0 on background."""
    inside = grid != background(grid)
    depth = np.zeros(grid.shape, dtype=np.int64)
    for _ in range(8):
        if not inside.any():
            break
        depth = depth + inside
        inside = inside & (count_around(inside, SIDES) == 4)
    return depth
