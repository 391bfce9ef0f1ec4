"""Tasks of two steps, or with a colour or a number to be found out."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from engine.arc import Grid
from tests.sample_rules.drawing import (
    BRIGHT,
    between,
    block,
    canvas,
    dots,
    outline,
    pick,
    scatter,
    size,
    sprite,
)
from tests.sample_rules.objects import commonest, most, objects, only, outside
from tests.sample_rules.rule import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    UnclearError,
    rule,
)


def _corner_picture(rng: Generator, number: int) -> Grid:
    return dots(rng, size(rng, 3, 6), pick(rng, between(rng, 2, 4)), 0.6)


@rule(
    "kaleidoscope",
    "two steps",
    "The picture is mirrored to the right, then both are mirrored below.",
    _corner_picture,
    3,
)
def kaleidoscope(grid: Grid) -> Grid:
    wide = np.hstack([grid, grid[:, ::-1]])
    return np.vstack([wide, wide[::-1]])


def _objects_of_many_sizes(rng: Generator, number: int) -> Grid:
    sprites = [
        sprite(rng, between(rng, 1, 4), between(rng, 1, 4), [colour])
        for colour in rng.choice(BRIGHT, between(rng, 3, 6))
    ]
    return scatter(rng, size(rng, 9, 15), sprites)


@rule("largest-object-stays", "two steps", "Only the largest object stays.", _objects_of_many_sizes)
def largest_object_stays(grid: Grid) -> Grid:
    largest = most(objects(grid), lambda one: one.size)
    return np.where(largest.mask, grid, BLACK)


_COUNTS = (3, 6, 2, 8, 5, 4)


def _counted_objects(rng: Generator, number: int) -> Grid:
    colour = pick(rng, 1)
    sprites = [
        sprite(rng, between(rng, 1, 3), between(rng, 1, 3), colour)
        for _ in range(_COUNTS[number % len(_COUNTS)])
    ]
    return scatter(rng, size(rng, 9, 14), sprites)


@rule(
    "count-objects-as-a-bar",
    "two steps",
    "As many blue cells as there are objects, at the left of a row of nine.",
    _counted_objects,
    4,
    2,
)
def count_objects_as_a_bar(grid: Grid) -> Grid:
    bar = np.zeros((1, 9), np.uint8)
    bar[0, : len(objects(grid))] = BLUE
    return bar


def _dots_and_grey(rng: Generator, number: int) -> Grid:
    grid = canvas(between(rng, 7, 13), between(rng, 9, 15))
    rows = rng.choice(grid.shape[0], between(rng, 3, 5), replace=False)
    for place, row in enumerate(rows):
        column = between(rng, 0, 3)
        grid[row, column] = rng.choice(BRIGHT)
        if place % 3:
            grid[row, between(rng, column + 2, grid.shape[1] - 2)] = GREY
    empty = np.setdiff1d(np.arange(grid.shape[0]), rows)
    for row in empty[::2]:
        grid[row, between(rng, 4, grid.shape[1] - 1)] = GREY
    return grid


@rule(
    "rays-stop-at-grey",
    "two steps",
    "Every dot shines to the right until something grey stops it.",
    _dots_and_grey,
)
def rays_stop_at_grey(grid: Grid) -> Grid:
    lit = grid.copy()
    for row in lit:
        ray = BLACK
        for column, cell in enumerate(row):
            if cell == GREY:
                ray = BLACK
            elif cell != BLACK:
                ray = cell
            row[column] = ray if cell == BLACK else cell
    return lit


def _pairs_of_dots(rng: Generator, number: int) -> Grid:
    grid = size(rng, 9, 14)
    *paired, alone = pick(rng, between(rng, 3, 5))
    for place, colour in enumerate(paired):
        long = grid if place % 2 else grid.T
        line = between(rng, 0, long.shape[0] - 1)
        ends = sorted(rng.choice(long.shape[1], 2, replace=False))
        if ends[1] - ends[0] < 3 or long[line, ends].any():
            raise UnclearError
        long[line, ends] = colour
    row, column = rng.integers(grid.shape[0]), rng.integers(grid.shape[1])
    if grid[row, column] != BLACK:
        raise UnclearError
    grid[row, column] = alone
    return grid


@rule(
    "join-equal-dots",
    "two steps",
    "Two dots of one colour are joined by a line of it.",
    _pairs_of_dots,
)
def join_equal_dots(grid: Grid) -> Grid:
    joined = grid.copy()
    for colour in np.unique(grid[grid != BLACK]):
        rows, columns = np.nonzero(grid == colour)
        line = joined[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        if ((line != BLACK) & (line != colour)).any():
            raise UnclearError
        line[:] = colour
    return joined


def _rooms_with_and_without_doors(rng: Generator, number: int) -> Grid:
    sprites = []
    for place in range(between(rng, 3, 5)):
        room = outline(between(rng, 3, 6), between(rng, 4, 6), int(rng.choice([BLUE, RED, PURPLE])))
        if place % 3 == 1:
            wall, along = room[[0, -1][between(rng, 0, 1)]], between(rng, 1, room.shape[1] - 2)
            wall[along] = BLACK
        sprites.append(room)
    return scatter(rng, size(rng, 12, 17), sprites)


@rule(
    "fill-closed-rooms",
    "two steps",
    "What walls close in is filled with yellow; a room with a door is not.",
    _rooms_with_and_without_doors,
)
def fill_closed_rooms(grid: Grid) -> Grid:
    return np.where((grid == BLACK) & ~outside(grid), np.uint8(YELLOW), grid)


def _purple_sprites(rng: Generator, number: int) -> Grid:
    sprites = [
        sprite(rng, between(rng, 2, 5), between(rng, 3, 6), [PURPLE], 0.8)
        for _ in range(between(rng, 2, 3))
    ]
    return scatter(rng, size(rng, 9, 14), sprites)


@rule(
    "every-other-column-orange",
    "two steps",
    "Purple cells in every second column turn orange.",
    _purple_sprites,
)
def every_other_column_orange(grid: Grid) -> Grid:
    striped = grid.copy()
    striped[:, 1::2][grid[:, 1::2] == PURPLE] = ORANGE
    return striped


def _two_halves(rng: Generator, number: int) -> Grid:
    rows, columns = between(rng, 3, 6), between(rng, 3, 6)
    left = dots(rng, canvas(rows, columns), [BLUE], 0.55)
    right = dots(rng, canvas(rows, columns), [GREEN], 0.55)
    return np.hstack([left, block(rows, 1, GREY), right])


@rule(
    "red-where-both-halves-are",
    "two steps",
    "Red where both halves beside the grey line are coloured.",
    _two_halves,
    4,
    2,
)
def red_where_both_halves_are(grid: Grid) -> Grid:
    middle = grid.shape[1] // 2
    both = (grid[:, :middle] != BLACK) & (grid[:, middle + 1 :] != BLACK)
    return np.where(both, np.uint8(RED), np.uint8(BLACK))


def _blocks_and_specks(rng: Generator, number: int) -> Grid:
    blocks = [
        block(between(rng, 2, 5), between(rng, 2, 6), colour)
        for colour in pick(rng, between(rng, 2, 3))
    ]
    specks = [block(1, 1, int(colour)) for colour in rng.choice(BRIGHT, between(rng, 4, 8))]
    return scatter(rng, size(rng, 10, 16), [*blocks, *specks])


@rule("remove-specks", "two steps", "Single cells vanish.", _blocks_and_specks)
def remove_specks(grid: Grid) -> Grid:
    clean = grid.copy()
    for one in objects(grid, around=True):
        if one.size == 1:
            clean[one.mask] = BLACK
    return clean


_SIDES = (0, 1, 2, 3, 1, 2)


def _wall_and_cells(rng: Generator, number: int) -> Grid:
    inside = dots(rng, size(rng, 6, 11), pick(rng, 3), 0.2)
    inside[0] = BLACK
    walled = np.vstack([block(1, inside.shape[1], GREY), inside])
    return np.rot90(walled, _SIDES[number % len(_SIDES)])


@rule(
    "slide-to-the-wall",
    "two steps",
    "All cells slide to the side that has the grey wall.",
    _wall_and_cells,
    4,
    2,
)
def slide_to_the_wall(grid: Grid) -> Grid:
    turns = only(turns for turns in range(4) if (np.rot90(grid, turns)[0] == GREY).all())
    lines = np.rot90(grid, turns).T
    slid = np.zeros_like(lines)
    for line, cells in zip(slid, lines, strict=True):
        cells = cells[cells != BLACK]  # noqa: PLW2901 - the same line, without gaps
        line[: cells.size] = cells
    return np.rot90(slid.T, -turns)


def _few_dots(rng: Generator, number: int) -> Grid:
    grid = size(rng, 8, 13)
    diagonals = set()
    for colour in pick(rng, between(rng, 2, 4)):
        row, column = between(rng, 0, grid.shape[0] - 4), between(rng, 0, grid.shape[1] - 4)
        if column - row in diagonals:
            raise UnclearError
        diagonals.add(column - row)
        grid[row, column] = colour
    return grid


@rule(
    "diagonal-trails",
    "two steps",
    "Every dot draws a diagonal line down to the right, as far as the edge.",
    _few_dots,
)
def diagonal_trails(grid: Grid) -> Grid:
    drawn = grid.copy()
    for row, column in np.argwhere(grid != BLACK):
        for step in range(min(grid.shape[0] - row, grid.shape[1] - column)):
            drawn[row + step, column + step] = grid[row, column]
    return drawn


def _mirrored_with_a_hole(rng: Generator, number: int) -> Grid:
    rows, half = between(rng, 7, 12), between(rng, 4, 6)
    palette = pick(rng, 4)
    left = block(rows, half, palette[0])
    for colour in palette[1:] * 2:
        top, start = between(rng, 0, rows - 2), between(rng, 0, half - 2)
        left[top : top + between(rng, 1, 3), start : start + between(rng, 1, 3)] = colour
    grid = np.hstack([left, left[:, ::-1]])
    top, start = between(rng, 0, rows - 4), between(rng, 0, half - 3)
    height, width = between(rng, 2, 4), between(rng, 2, 3)
    if number % 2:
        start = 2 * half - start - width
    grid[top : top + height, start : start + width] = BLACK
    return grid


@rule(
    "repair-the-mirror",
    "two steps",
    "The picture is the same on both sides; the black patch is repaired from the other one.",
    _mirrored_with_a_hole,
)
def repair_the_mirror(grid: Grid) -> Grid:
    return np.where(grid == BLACK, grid[:, ::-1], grid)


def _blue_objects(rng: Generator, number: int) -> Grid:
    sprites = [
        sprite(rng, between(rng, 1, 4), between(rng, 1, 4), [BLUE])
        for _ in range(between(rng, 3, 5))
    ]
    return scatter(rng, size(rng, 10, 15), sprites)


@rule(
    "red-largest-green-smallest",
    "two steps",
    "The largest object turns red, the smallest green, the others grey.",
    _blue_objects,
)
def red_largest_green_smallest(grid: Grid) -> Grid:
    found = objects(grid)
    ranked = np.where(grid != BLACK, np.uint8(GREY), grid)
    ranked[most(found, lambda one: one.size).mask] = RED
    ranked[most(found, lambda one: -one.size).mask] = GREEN
    return ranked


def _tile(rng: Generator, number: int) -> Grid:
    grid = dots(rng, size(rng, 3, 5), pick(rng, 3), 0.6)
    if (grid == grid[:, ::-1]).all():
        raise UnclearError
    return grid


@rule(
    "tiles-every-other-mirrored",
    "two steps",
    "Three by three tiles; those of the middle column are mirrored left to right.",
    _tile,
    3,
)
def tiles_every_other_mirrored(grid: Grid) -> Grid:
    return np.tile(np.hstack([grid, grid[:, ::-1], grid]), (3, 1))


def _dots_on_two_edges(rng: Generator, number: int) -> Grid:
    grid = size(rng, 8, 14)
    for edge in (grid[1:, 0], grid[0, 1:]):
        places = rng.choice(edge.size, between(rng, 1, 3), replace=False)
        edge[places] = pick(rng, places.size, [c for c in BRIGHT if c != YELLOW])
    return grid


@rule(
    "crossing-rays",
    "two steps",
    "Dots at the left shine right, dots at the top shine down; where rays cross is yellow.",
    _dots_on_two_edges,
)
def crossing_rays(grid: Grid) -> Grid:
    across = np.broadcast_to(grid[:, :1], grid.shape)
    down = np.broadcast_to(grid[:1], grid.shape)
    crossed = np.where((across != BLACK) & (down != BLACK), np.uint8(YELLOW), across + down)
    crossed[0], crossed[:, 0] = grid[0], grid[:, 0]
    return crossed


def _two_colours(rng: Generator, number: int) -> Grid:
    first, second = pick(rng, 2)
    large = [
        sprite(rng, between(rng, 2, 4), between(rng, 3, 4), [first], 0.9)
        for _ in range(between(rng, 1, 3))
    ]
    small = [
        sprite(rng, between(rng, 1, 2), between(rng, 1, 2), [second])
        for _ in range(between(rng, 2, 5))
    ]
    grid = scatter(rng, size(rng, 10, 14), [*large, *small])
    most_cells = commonest(grid)
    if (number % 4 == 3) != (most_cells == _winner(grid)):
        raise UnclearError
    return grid


def _winner(grid: Grid) -> int:
    found = objects(grid)
    colours = {one.colour for one in found}
    return most(colours, lambda colour: sum(one.colour == colour for one in found))


@rule(
    "more-objects-win",
    "two steps",
    "Three by three cells of the colour with more objects, however small they are.",
    _two_colours,
    4,
    2,
)
def more_objects_win(grid: Grid) -> Grid:
    return np.full((3, 3), _winner(grid), np.uint8)
