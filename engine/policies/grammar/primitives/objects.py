"""Objects: connected pieces of a grid, what can be said of them, and choosing among them."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import remember
from engine.policies.grammar.primitives.grids import Grid, Quality, Thing, background

SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
CORNERS = ((1, 1), (1, -1), (-1, 1), (-1, -1))


@remember
def label(grid: Grid, diagonal: bool, mixed: bool) -> tuple[Grid, int]:
    """Number the connected pieces of non-background cells from 1, in reading order.

    `diagonal`: cells touch at corners too; `mixed`: a piece may have several colours.
    """
    height, width = grid.shape
    across = width + 1
    empty = background(grid)
    framed = np.full((height + 2, across), empty)
    framed[1:-1, :-1] = grid
    cells, directions = framed.ravel().tolist(), SIDES + CORNERS if diagonal else SIDES
    steps = [down * across + right for down, right in directions]
    numbers, count = [0] * len(cells), 0
    for start in np.flatnonzero(framed != empty).tolist():
        if numbers[start]:
            continue
        count += 1
        numbers[start] = count
        waiting = [start]
        while waiting:
            place = waiting.pop()
            for step in steps:
                there = place + step
                if numbers[there] or cells[there] == empty:
                    continue
                if mixed or cells[there] == cells[place]:
                    numbers[there] = count
                    waiting.append(there)
    return np.array(numbers).reshape(height + 2, across)[1:-1, :-1].copy(), count


def describe(grid: Grid, mask: Grid) -> Thing:
    """One object: its box (ends exclusive), mask and patch inside it, size and colours."""
    rows, columns = np.nonzero(mask)
    top, bottom = int(rows.min()), int(rows.max()) + 1
    left, right = int(columns.min()), int(columns.max()) + 1
    inside = mask[top:bottom, left:right]
    counts = np.bincount(grid[rows, columns], minlength=10)
    return {
        "top": top,
        "bottom": bottom,
        "left": left,
        "right": right,
        "mask": inside,
        "patch": np.where(inside, grid[top:bottom, left:right], background(grid)),
        "size": len(rows),
        "colour": int(counts.argmax()),
        "counts": counts,
    }


@remember
def find_objects(grid: Grid, kind: str) -> list[Any]:
    """The objects of a grid in reading order.

    "colour4" and "colour8": connected cells of one colour, by sides or also by corners; "mixed4"
    and "mixed8": connected cells of any colours; "whole colour": all cells of a colour; "hole":
    background that content encloses.
    """
    if kind == "whole colour":
        present = [c for c in range(10) if c != background(grid)]
        return [describe(grid, grid == c) for c in present if (grid == c).any()]
    edge = []
    if kind == "hole":
        numbers, count = label(np.where(grid == background(grid), 1, 0), False, False)
        edge = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]]).tolist()
    else:
        numbers, count = label(grid, kind.endswith("8"), kind.startswith("mixed"))
    if count > 120:
        raise ValueError("too many objects")
    wanted = [number for number in range(1, count + 1) if number not in edge]
    return [describe(grid, numbers == number) for number in wanted]


def hole_count(mask: Grid) -> int:
    """How many separate holes a shape has."""
    outside = np.pad(mask, 1) == 0
    return label(np.where(outside, 1, 0), False, False)[1] - 1


def shape_number(mask: Grid) -> int:
    """A number that is the same for equal shapes."""
    number = 0
    for bit in mask.ravel().tolist():
        number = (number * 2 + int(bit) + 1) % 99991
    return (number * 31 + mask.shape[1]) % 99991


def count_each(values: list[Any]) -> list[Any]:
    """How often each value occurs in its own list."""
    return [values.count(value) for value in values]


def sizes(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many cells each object has."""
    return [thing["size"] for thing in things]


def heights(grid: Grid, things: list[Thing]) -> list[Any]:
    """The height of each box."""
    return [thing["bottom"] - thing["top"] for thing in things]


def widths(grid: Grid, things: list[Thing]) -> list[Any]:
    """The width of each box."""
    return [thing["right"] - thing["left"] for thing in things]


def box_areas(grid: Grid, things: list[Thing]) -> list[Any]:
    """The area of each box."""
    return [thing["mask"].size for thing in things]


def densities(grid: Grid, things: list[Thing]) -> list[Any]:
    """The share of its box each object fills."""
    return [thing["size"] / thing["mask"].size for thing in things]


def colour_numbers(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many colours each object has."""
    return [int((thing["counts"] > 0).sum()) for thing in things]


def hole_numbers(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many holes each object has."""
    return [hole_count(thing["mask"]) for thing in things]


def mirror_left_right(grid: Grid, things: list[Thing]) -> list[Any]:
    """1 for objects that equal their left-right mirror image."""
    return [int((thing["patch"] == thing["patch"][:, ::-1]).all()) for thing in things]


def mirror_up_down(grid: Grid, things: list[Thing]) -> list[Any]:
    """1 for objects that equal their up-down mirror image."""
    return [int((thing["patch"] == thing["patch"][::-1]).all()) for thing in things]


def tops(grid: Grid, things: list[Thing]) -> list[Any]:
    """The top row of each object."""
    return [thing["top"] for thing in things]


def lefts(grid: Grid, things: list[Thing]) -> list[Any]:
    """The left column of each object."""
    return [thing["left"] for thing in things]


def bottoms(grid: Grid, things: list[Thing]) -> list[Any]:
    """The row below each object."""
    return [thing["bottom"] for thing in things]


def rights(grid: Grid, things: list[Thing]) -> list[Any]:
    """The column right of each object."""
    return [thing["right"] for thing in things]


def solid(grid: Grid, things: list[Thing]) -> list[Any]:
    """1 for objects that fill their box."""
    return [int(thing["size"] == thing["mask"].size) for thing in things]


def square_boxes(grid: Grid, things: list[Thing]) -> list[Any]:
    """1 for objects whose box is square."""
    return [int(thing["mask"].shape[0] == thing["mask"].shape[1]) for thing in things]


def main_colours(grid: Grid, things: list[Thing]) -> list[Any]:
    """The main colour of each object."""
    return [thing["colour"] for thing in things]


def odd_cells(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many cells have another colour than the main one."""
    return [int(thing["size"] - thing["counts"].max()) for thing in things]


def mirrors(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many of the two mirror symmetries each object has."""
    across, down = mirror_left_right(grid, things), mirror_up_down(grid, things)
    return [a + d for a, d in zip(across, down, strict=True)]


def at_border(grid: Grid, things: list[Thing]) -> list[Any]:
    """1 for objects that touch the edge of the grid."""
    height, width = grid.shape
    return [
        int(t["top"] == 0 or t["left"] == 0 or t["bottom"] == height or t["right"] == width)
        for t in things
    ]


def same_colour(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many objects share each one's main colour."""
    return count_each(main_colours(grid, things))


def same_size(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many objects share each one's size."""
    return count_each(sizes(grid, things))


def same_shape(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many objects share each one's shape."""
    return count_each([shape_number(thing["mask"]) for thing in things])


def same_picture(grid: Grid, things: list[Thing]) -> list[Any]:
    """How many objects share each one's picture."""
    return count_each([thing["patch"].tolist() for thing in things])


def select(grid: Grid, things: list[Thing], quality: Quality, rank: str | int) -> list[Any]:
    """The objects whose quality is the largest, smallest, unique or commonest, or that number."""
    if not things:
        raise ValueError("no objects")
    values = quality(grid, things)
    if rank == "largest":
        wanted = max(values)
    elif rank == "smallest":
        wanted = min(values)
    elif rank == "commonest":
        wanted = max(values, key=values.count)
    elif rank == "unique":
        alone = [value for value in values if values.count(value) == 1]
        wanted = alone[0] if alone else None
    else:
        wanted = rank
    return [thing for thing, value in zip(things, values, strict=True) if value == wanted]


def window(grid: Grid, thing: Thing) -> Grid:
    """The part of the grid in an object's box, as a view."""
    return grid[thing["top"] : thing["bottom"], thing["left"] : thing["right"]]


def places(thing: Thing) -> Grid:
    """Row and column in the grid of each of an object's cells."""
    return np.argwhere(thing["mask"]) + np.array([thing["top"], thing["left"]])
