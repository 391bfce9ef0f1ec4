"""Pixel features of the box of the object a cell lies in."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import colour_source, feature
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.objects import find_objects, window


def boxes_outer_first(grid: Grid, kind: str) -> list[Any]:
    """Objects by descending box area."""
    return sorted(find_objects(grid, kind), key=lambda thing: -thing["mask"].size)


@feature
def in_object_box(grid: Grid) -> Grid:
    """1 inside the box of an object."""
    inside = 0 * grid
    for thing in find_objects(grid, "colour8"):
        window(inside, thing)[:] = 1
    return inside


@feature
def boxes_here(grid: Grid) -> Grid:
    """In how many boxes of mixed objects the cell lies."""
    count = 0 * grid
    for thing in find_objects(grid, "mixed8"):
        window(count, thing)[:] += 1
    return count


@colour_source
def box_colour(grid: Grid) -> Grid:
    """The colour of the object in whose box the cell lies, the smallest box first."""
    colours = np.full_like(grid, background(grid))
    for thing in boxes_outer_first(grid, "colour8"):
        window(colours, thing)[:] = thing["colour"]
    return colours


def depth_in_boxes(grid: Grid, kind: str) -> Grid:
    """Steps from the box's edge, 1 on the edge, 0 outside all boxes."""
    depth = 0 * grid
    for thing in boxes_outer_first(grid, kind):
        height, width = thing["mask"].shape
        rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
        vertical = np.minimum(rows, height - 1 - rows)
        window(depth, thing)[:] = 1 + np.minimum(vertical, np.minimum(columns, width - 1 - columns))
    return depth


@feature
def box_depth(grid: Grid) -> Grid:
    """Depth in the box of an object of one colour."""
    return depth_in_boxes(grid, "colour8")


@feature
def mixed_box_depth(grid: Grid) -> Grid:
    """Depth in the box of an object of any colours."""
    return depth_in_boxes(grid, "mixed8")


@feature
def row_in_box(grid: Grid) -> Grid:
    """Row inside the mixed object's box from 1, 0 outside."""
    rows = 0 * grid
    for thing in boxes_outer_first(grid, "mixed8"):
        window(rows, thing)[:] = np.arange(1, thing["mask"].shape[0] + 1)[:, None]
    return rows


@feature
def column_in_box(grid: Grid) -> Grid:
    """Column inside the mixed object's box from 1, 0 outside."""
    columns = 0 * grid
    for thing in boxes_outer_first(grid, "mixed8"):
        window(columns, thing)[:] = np.arange(1, thing["mask"].shape[1] + 1)[None, :]
    return columns


@feature
def row_parity_in_box(grid: Grid) -> Grid:
    """Parity of the row inside the mixed object's box."""
    return row_in_box(grid) % 2


@feature
def column_parity_in_box(grid: Grid) -> Grid:
    """Parity of the column inside the mixed object's box."""
    return column_in_box(grid) % 2


@feature
def chessboard_in_box(grid: Grid) -> Grid:
    """1 or 2 as on a chessboard inside the mixed object's box, 0 outside."""
    rows, columns = row_in_box(grid), column_in_box(grid)
    return (rows + columns) % 2 + (rows > 0)


def mirror_in_boxes(grid: Grid, symmetry: str) -> Grid:
    """Every mixed object's picture mirrored in its box, background elsewhere."""
    empty = background(grid)
    mirrored = np.full_like(grid, empty)
    for thing in boxes_outer_first(grid, "mixed8"):
        patch = thing["patch"]
        window(mirrored, thing)[:] = patch[:, ::-1] if symmetry == "left-right" else patch[::-1]
    return mirrored


@colour_source
def object_mirrored_left_right(grid: Grid) -> Grid:
    """The cell's colour after mirroring every object in its box left to right."""
    return mirror_in_boxes(grid, "left-right")


@colour_source
def object_mirrored_up_down(grid: Grid) -> Grid:
    """The cell's colour after mirroring every object in its box up and down."""
    return mirror_in_boxes(grid, "up-down")
