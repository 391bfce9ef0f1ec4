"""Growth: filling holes and boxes, outlines, frames, insides, squares and rectangles."""

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.neighbour_features import (
    equal_beside,
    filled_around,
    filled_beside,
    nearest_content,
)
from engine.policies.grammar.primitives.objects import find_objects, window
from engine.policies.grammar.primitives.region_features import enclosed
from engine.policies.grammar.primitives.selection import OBJECTS


@primitive(COLOUR)
def fill_enclosed(grid: Grid, colour: int) -> Grid:
    """Paint background that content encloses."""
    return np.where(enclosed(grid) == 2, colour, grid)


@primitive()
def fill_enclosed_alike(grid: Grid) -> Grid:
    """Paint enclosed background in the colour of what is nearest."""
    return np.where(enclosed(grid) == 2, nearest_content(grid), grid)


@primitive(COLOUR)
def fill_open(grid: Grid, colour: int) -> Grid:
    """Paint background that is not enclosed."""
    return np.where(enclosed(grid) == 1, colour, grid)


@primitive(OBJECTS, COLOUR)
def fill_boxes(grid: Grid, kind: str, colour: int) -> Grid:
    """Paint background inside every object's box."""
    painted = grid.copy()
    for thing in find_objects(grid, kind):
        place = window(painted, thing)
        place[place == background(grid)] = colour
    return painted


@primitive(OBJECTS)
def fill_boxes_alike(grid: Grid, kind: str) -> Grid:
    """Paint background inside every object's box in the object's colour."""
    painted = grid.copy()
    for thing in find_objects(grid, kind):
        place = window(painted, thing)
        place[place == background(grid)] = thing["colour"]
    return painted


@primitive(COLOUR, choice("sides", "corners too"))
def outline(grid: Grid, colour: int, neighbours: str) -> Grid:
    """Paint background next to content."""
    count = filled_beside(grid) if neighbours == "sides" else filled_around(grid)
    return np.where((grid == background(grid)) & (count > 0), colour, grid)


@primitive(COLOUR)
def paint_inside(grid: Grid, colour: int) -> Grid:
    """Paint content cells whose four neighbours have their colour."""
    inside = (grid != background(grid)) & (equal_beside(grid) == 4)
    return np.where(inside, colour, grid)


@primitive()
def hollow_out(grid: Grid) -> Grid:
    """Remove cells whose four neighbours have their colour."""
    return np.where(equal_beside(grid) == 4, background(grid), grid)


@primitive(OBJECTS, COLOUR)
def frame_objects(grid: Grid, kind: str, colour: int) -> Grid:
    """Draw a frame around every object's box, over background."""
    height, width = grid.shape
    around = np.zeros(grid.shape, dtype=bool)
    for thing in find_objects(grid, kind):
        top, bottom = max(thing["top"] - 1, 0), min(thing["bottom"] + 1, height)
        left, right = max(thing["left"] - 1, 0), min(thing["right"] + 1, width)
        around[top:bottom, left:right] = True
    for thing in find_objects(grid, kind):
        window(around, thing)[:] = False
    return np.where(around & (grid == background(grid)), colour, grid)


@primitive(choice(2, 3, 4), COLOUR)
def paint_empty_squares(grid: Grid, side: int, colour: int) -> Grid:
    """Paint squares of background of a given size, greedily in reading order."""
    empty = background(grid)
    painted = grid.copy()
    for row in range(grid.shape[0] - side + 1):
        for column in range(grid.shape[1] - side + 1):
            place = painted[row : row + side, column : column + side]
            if (place == empty).all():
                place[:] = colour
    return painted


def largest_rectangle(mask: Grid) -> tuple[Any, ...]:
    """Top, bottom, left, right of the largest rectangle of true cells, the first of equals."""
    height, width = mask.shape
    sums = np.zeros((height + 1, width + 1), dtype=np.int64)
    sums[1:, 1:] = mask.cumsum(axis=0).cumsum(axis=1)
    best, area = (0, 0, 0, 0), 0
    for h in range(1, height + 1):
        for w in range(area // h + 1, width + 1):
            inside = sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]
            places = np.argwhere(inside == h * w)
            if len(places) == 0:
                break
            top, left = places[0].tolist()
            best, area = (top, top + h, left, left + w), h * w
    if area == 0:
        raise ValueError("no rectangle")
    return best


@primitive(COLOUR)
def paint_largest_rectangle(grid: Grid, colour: int) -> Grid:
    """Paint the largest rectangle of background."""
    top, bottom, left, right = largest_rectangle(grid == background(grid))
    painted = grid.copy()
    painted[top:bottom, left:right] = colour
    return painted


@primitive(COLOUR, size="changes")
def crop_largest_rectangle(grid: Grid, colour: int) -> Grid:
    """Keep the largest rectangle of one colour."""
    top, bottom, left, right = largest_rectangle(grid == colour)
    return grid[top:bottom, left:right]


@primitive()
def mend_rectangles(grid: Grid) -> Grid:
    """Fill the boxes of large objects that nearly fill them."""
    mended = grid.copy()
    for thing in sorted(find_objects(grid, "colour4"), key=lambda thing: thing["size"]):
        if thing["size"] > 8 and thing["size"] > 0.6 * thing["mask"].size:
            window(mended, thing)[:] = thing["colour"]
    return mended


@primitive(COLOUR, COLOUR, choice("sides", "corners too"))
def flood(grid: Grid, seed: int, over: int, neighbours: str) -> Grid:
    """Let a colour spread over connected cells of another."""
    area = grid == over
    reached = grid == seed
    for _ in range(60):
        padded = np.pad(reached, 1)
        grown = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
        if neighbours == "corners too":
            grown = grown | padded[:-2, :-2] | padded[:-2, 2:] | padded[2:, :-2] | padded[2:, 2:]
        new = reached | (grown & area)
        if (new == reached).all():
            break
        reached = new
    return np.where(reached, seed, grid)
