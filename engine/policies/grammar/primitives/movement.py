"""Movement: gravity, sliding towards something, attraction."""

# ruff: noqa: D401 - a docstring here names what a function gives

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, background, bounding_box, shift
from engine.policies.grammar.primitives.objects import find_objects, places
from engine.policies.grammar.primitives.selection import OBJECTS

STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
TOWARDS = choice(*STEPS)


@primitive(TOWARDS)
def drop_cells(grid: Grid, direction: str) -> Grid:
    """Let every content cell fall as far as it can."""
    lines = grid.T if direction in ("up", "down") else grid
    empty = background(grid)
    fallen = np.full_like(lines, empty)
    for number, line in enumerate(lines):
        content = line[line != empty]
        start = 0 if direction in ("up", "left") else len(line) - len(content)
        fallen[number, start : start + len(content)] = content
    return fallen.T if direction in ("up", "down") else fallen


def slide(placed: Grid, cells: Grid, step: tuple[Any, ...], empty: int) -> Grid:
    """Where cells come to rest when they move by a step until the edge or content stops them."""
    height, width = placed.shape
    for _ in range(30):
        moved = cells + step
        rows, columns = moved[:, 0], moved[:, 1]
        if rows.min() < 0 or columns.min() < 0 or rows.max() >= height or columns.max() >= width:
            break
        if (placed[rows, columns] != empty).any():
            break
        cells = moved
    return cells


@primitive(OBJECTS, TOWARDS)
def drop_objects(grid: Grid, kind: str, direction: str) -> Grid:
    """Let every object fall as far as it can, the foremost first."""
    empty = background(grid)
    down, right = STEPS[direction]
    things = find_objects(grid, kind)
    things = sorted(
        things,
        key=lambda t: (
            -(down * (t["bottom"] if down > 0 else t["top"]))
            - (right * (t["right"] if right > 0 else t["left"]))
        ),
    )
    placed = np.full_like(grid, empty)
    for thing in things:
        cells = places(thing)
        rest = slide(placed, cells, (down, right), empty)
        placed[rest[:, 0], rest[:, 1]] = grid[cells[:, 0], cells[:, 1]]
    return placed


def heading(box: tuple[Any, ...], target: tuple[Any, ...]) -> tuple[Any, ...]:
    """The one step that leads from a box towards another, (0, 0) when they overlap both ways."""
    top, bottom, left, right = box
    other_top, other_bottom, other_left, other_right = target
    down = 1 if other_top >= bottom else -1 if other_bottom <= top else 0
    across = 1 if other_left >= right else -1 if other_right <= left else 0
    return (down, 0) if down else (0, across)


@primitive(COLOUR, COLOUR)
def slide_colour_to(grid: Grid, colour: int, target: int) -> Grid:
    """Move all cells of a colour together until they touch something on the way to another."""
    empty = background(grid)
    mask = grid == colour
    down, right = heading(bounding_box(mask), bounding_box(grid == target))
    rest = np.where(mask, empty, grid)
    for _ in range(30):
        moved = shift(mask, down, right, False)
        if moved.sum() < mask.sum() or (moved & (rest != empty)).any():
            break
        mask = moved
    return np.where(mask, colour, rest)


@primitive(COLOUR, OBJECTS)
def attract_objects(grid: Grid, magnet: int, kind: str) -> Grid:
    """Move every object straight towards the cells of a colour until something stops it."""
    empty = background(grid)
    target = bounding_box(grid == magnet)
    placed = np.where(grid == magnet, magnet, empty)
    things = find_objects(np.where(grid == magnet, empty, grid), kind)
    things = sorted(things, key=lambda t: abs(t["top"] - target[0]) + abs(t["left"] - target[2]))
    for thing in things:
        cells = places(thing)
        step = heading((thing["top"], thing["bottom"], thing["left"], thing["right"]), target)
        rest = slide(placed, cells, step, empty) if step != (0, 0) else cells
        placed[rest[:, 0], rest[:, 1]] = grid[cells[:, 0], cells[:, 1]]
    return placed


@primitive(COLOUR, choice(-3, -2, -1, 0, 1, 2, 3), choice(-3, -2, -1, 0, 1, 2, 3), weight=0.5)
def move_colour(grid: Grid, colour: int, down: int, right: int) -> Grid:
    """Shift the cells of one colour; what leaves the grid is lost."""
    mask = grid == colour
    rest = np.where(mask, background(grid), grid)
    return np.where(shift(mask, down, right, False), colour, rest)


@primitive(OBJECTS, TOWARDS, choice("own height or width", "one"), weight=0.5)
def move_objects(grid: Grid, kind: str, direction: str, distance: str) -> Grid:
    """Shift every object by one cell or by its own extent; what leaves the grid is lost."""
    height, width = grid.shape
    down, right = STEPS[direction]
    moved = np.full_like(grid, background(grid))
    for thing in find_objects(grid, kind):
        steps = 1
        if distance != "one":
            steps = thing["mask"].shape[0] if down else thing["mask"].shape[1]
        cells = places(thing)
        new = cells + np.array([down * steps, right * steps])
        inside = (new >= 0).all(axis=1) & (new[:, 0] < height) & (new[:, 1] < width)
        new, old = new[inside], cells[inside]
        moved[new[:, 0], new[:, 1]] = grid[old[:, 0], old[:, 1]]
    return moved
