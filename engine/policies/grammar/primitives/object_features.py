"""Pixel features of the object a cell belongs to or whose box it lies in."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import colour_source, feature
from engine.policies.grammar.primitives.grids import Grid, Quality, background, shift
from engine.policies.grammar.primitives.objects import (
    SIDES,
    at_border,
    colour_numbers,
    find_objects,
    heights,
    hole_numbers,
    label,
    lefts,
    main_colours,
    mirror_left_right,
    mirrors,
    same_colour,
    same_shape,
    shape_number,
    sizes,
    solid,
    square_boxes,
    tops,
    widths,
    window,
)


def paint_objects(grid: Grid, kind: str, values: list[Any]) -> Grid:
    """Each object's value on its cells, -1 elsewhere."""
    painted = np.full(grid.shape, -1)
    for thing, value in zip(find_objects(grid, kind), values, strict=True):
        window(painted, thing)[thing["mask"]] = value
    return painted


def object_quality(grid: Grid, kind: str, quality: Quality) -> Grid:
    """A quality of the object on each cell, -1 on background."""
    return paint_objects(grid, kind, quality(grid, find_objects(grid, kind)))


def object_rank(grid: Grid, kind: str, quality: Quality) -> Grid:
    """Rank of the object by a quality: 0 lowest, 9 highest, -1 on background."""
    values = quality(grid, find_objects(grid, kind))
    distinct = sorted(set(values))
    ranks = [9 if v == distinct[-1] else min(distinct.index(v), 8) for v in values]
    return paint_objects(grid, kind, ranks)


@feature
def object_size(grid: Grid) -> Grid:
    """Size of the object (one colour, sides)."""
    return object_quality(grid, "colour4", sizes)


@feature
def object_size_diagonal(grid: Grid) -> Grid:
    """Size of the object (one colour, corners too)."""
    return object_quality(grid, "colour8", sizes)


@feature
def mixed_object_size(grid: Grid) -> Grid:
    """Size of the object (any colours, corners too)."""
    return object_quality(grid, "mixed8", sizes)


@feature
def object_size_rank(grid: Grid) -> Grid:
    """Rank by size of the object (one colour, sides)."""
    return object_rank(grid, "colour4", sizes)


@feature
def object_size_rank_diagonal(grid: Grid) -> Grid:
    """Rank by size of the object (one colour, corners too)."""
    return object_rank(grid, "colour8", sizes)


@feature
def mixed_object_size_rank(grid: Grid) -> Grid:
    """Rank by size of the object (any colours, corners too)."""
    return object_rank(grid, "mixed8", sizes)


@feature
def object_height(grid: Grid) -> Grid:
    """Height of the object."""
    return object_quality(grid, "colour8", heights)


@feature
def object_width(grid: Grid) -> Grid:
    """Width of the object."""
    return object_quality(grid, "colour8", widths)


@feature
def object_height_rank(grid: Grid) -> Grid:
    """Rank by height of the object."""
    return object_rank(grid, "colour8", heights)


@feature
def object_width_rank(grid: Grid) -> Grid:
    """Rank by width of the object."""
    return object_rank(grid, "colour8", widths)


@feature
def object_top_rank(grid: Grid) -> Grid:
    """Rank of the object from top to bottom."""
    return object_rank(grid, "colour8", tops)


@feature
def object_left_rank(grid: Grid) -> Grid:
    """Rank of the object from left to right."""
    return object_rank(grid, "colour8", lefts)


@feature
def object_holes(grid: Grid) -> Grid:
    """Number of holes in the object."""
    return object_quality(grid, "colour8", hole_numbers)


@feature
def object_mirrors(grid: Grid) -> Grid:
    """How many of the two mirror symmetries the object has."""
    return object_quality(grid, "colour8", mirrors)


@feature
def object_mirror_left_right(grid: Grid) -> Grid:
    """1 on objects that equal their left-right mirror image."""
    return object_quality(grid, "colour8", mirror_left_right)


@feature
def object_solid(grid: Grid) -> Grid:
    """1 on objects that fill their box."""
    return object_quality(grid, "colour4", solid)


@feature
def object_square(grid: Grid) -> Grid:
    """1 on objects whose box is square."""
    return object_quality(grid, "colour4", square_boxes)


@feature
def object_at_border(grid: Grid) -> Grid:
    """1 on objects that touch the grid's edge."""
    return object_quality(grid, "colour4", at_border)


@feature
def object_shape_count(grid: Grid) -> Grid:
    """How many objects have this object's shape."""
    return object_quality(grid, "colour8", same_shape)


@feature
def object_colour_count(grid: Grid) -> Grid:
    """How many objects have this object's colour."""
    return object_quality(grid, "colour8", same_colour)


@feature
def object_colours(grid: Grid) -> Grid:
    """How many colours the object (any colours, corners too) has."""
    return object_quality(grid, "mixed8", colour_numbers)


@feature
def object_shape(grid: Grid) -> Grid:
    """A number that is the same for objects of equal shape."""
    shapes = [shape_number(thing["mask"]) for thing in find_objects(grid, "colour8")]
    return paint_objects(grid, "colour8", shapes)


@feature
def object_touches(grid: Grid) -> Grid:
    """0 on background, 1 on objects alone, 2 on objects that touch one of another colour."""
    numbers, count = label(grid, True, False)
    touching = np.zeros(count + 1, dtype=np.int64)
    for down, right in SIDES:
        other = shift(numbers, down, right, 0)
        touching[numbers[(other > 0) & (numbers > 0) & (other != numbers)]] = 1
    return np.where(numbers > 0, 1 + touching[numbers], 0)


@feature
def number_of_objects(grid: Grid) -> Grid:
    """How many objects the grid has."""
    return np.full_like(grid, len(find_objects(grid, "colour8")))


@colour_source
def object_main_colour(grid: Grid) -> Grid:
    """The main colour of the object (any colours, corners too)."""
    return np.maximum(object_quality(grid, "mixed8", main_colours), background(grid))


@colour_source
def object_second_colour(grid: Grid) -> Grid:
    """The second colour of the object (any colours, corners too), else background."""
    second = np.full_like(grid, background(grid))
    for thing in find_objects(grid, "mixed8"):
        counts = thing["counts"].copy()
        counts[thing["colour"]] = 0
        if counts.any():
            window(second, thing)[thing["mask"]] = int(counts.argmax())
    return second


@colour_source
def same_shape_colour(grid: Grid) -> Grid:
    """The colour of another object of the same shape but another colour, else the cell's own."""
    things = find_objects(grid, "colour8")
    if len(things) > 30:
        return grid
    shapes = [shape_number(thing["mask"]) for thing in things]
    result = grid.copy()
    for thing, shape in zip(things, shapes, strict=True):
        for other, other_shape in zip(things, shapes, strict=True):
            if other_shape == shape and other["colour"] != thing["colour"]:
                window(result, thing)[thing["mask"]] = other["colour"]
                break
    return result
