"""Drawing inputs: sprites, scenes of them, and the frames rules ask for."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from engine.arc import Grid
from tests.sample_rules.objects import objects
from tests.sample_rules.rule import BLACK, GREY, UnclearError

BRIGHT = tuple(colour for colour in range(1, 10) if colour != GREY)


def canvas(rows: int, columns: int) -> Grid:
    return np.zeros((rows, columns), np.uint8)


def between(rng: Generator, least: int, most: int) -> int:
    """Return a number from least to most, both included."""
    return int(rng.integers(least, most + 1))


def size(rng: Generator, least: int, most: int) -> Grid:
    """Return an empty canvas with sides from least to most."""
    return canvas(between(rng, least, most), between(rng, least, most))


def pick(rng: Generator, count: int, colours=BRIGHT) -> list[int]:
    """Return so many different colours."""
    return [int(colour) for colour in rng.choice(colours, count, replace=False)]


def sprite(rng: Generator, rows: int, columns: int, colours, fill: float = 0.65) -> Grid:
    """Return a connected shape that touches every side of its box, its cells of these colours."""
    while True:
        shape = (rng.random((rows, columns)) < fill).astype(np.uint8)
        touches = shape[0].any() and shape[-1].any() and shape[:, 0].any() and shape[:, -1].any()
        if touches and len(objects(shape)) == 1:
            return shape * rng.choice(np.array(colours, np.uint8), shape.shape)


def block(rows: int, columns: int, colour: int) -> Grid:
    return np.full((rows, columns), colour, np.uint8)


def outline(rows: int, columns: int, colour: int) -> Grid:
    box = block(rows, columns, colour)
    box[1:-1, 1:-1] = BLACK
    return box


def scatter(rng: Generator, grid: Grid, sprites, gap: int = 1) -> Grid:
    """Put sprites on the grid, no two nearer than `gap` cells; unclear when there is no room."""
    taken = grid != BLACK
    grid = grid.copy()
    for one in sprites:
        rows, columns = one.shape
        places = []
        for top in range(grid.shape[0] - rows + 1):
            for left in range(grid.shape[1] - columns + 1):
                around = taken[
                    max(0, top - gap) : top + rows + gap, max(0, left - gap) : left + columns + gap
                ]
                if not around.any():
                    places.append((top, left))
        if not places:
            raise UnclearError
        top, left = places[rng.integers(len(places))]
        window = grid[top : top + rows, left : left + columns]
        window[:] = np.where(one != BLACK, one, window)
        taken[top : top + rows, left : left + columns] = True
    return grid


def scene(rng: Generator, least: int = 5, most: int = 10, colours: int = 3) -> Grid:
    """Return a small picture: a few sprites, some of two colours, on black."""
    grid = size(rng, least, most)
    palette = pick(rng, colours)
    longest = min(4, min(grid.shape) // 2)
    sprites = [
        sprite(
            rng,
            between(rng, 1, longest),
            between(rng, 1, longest),
            rng.choice(palette, between(rng, 1, 2), replace=False),
        )
        for _ in range(max(3, grid.size // 14))
    ]
    return scatter(rng, grid, sprites)


def dots(rng: Generator, grid: Grid, colours, density: float) -> Grid:
    """Colour black cells at random with this density."""
    drawn = rng.choice(np.array(colours, np.uint8), grid.shape)
    return np.where((grid == BLACK) & (rng.random(grid.shape) < density), drawn, grid)


def walled(rng: Generator, rows: int, columns: int, height: int, width: int, line: int, fill):
    """Return rows × columns rooms parted by lines, each filled by `fill(rng, height, width)`."""
    grid = block(rows * (height + 1) - 1, columns * (width + 1) - 1, line)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + 1), column * (width + 1)
            grid[top : top + height, left : left + width] = fill(rng, height, width)
    return grid
