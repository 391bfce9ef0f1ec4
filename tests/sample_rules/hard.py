"""Tasks of several steps, or of relations between objects."""

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
    walled,
)
from tests.sample_rules.objects import (
    commonest,
    most,
    objects,
    only,
    outside,
    rooms,
    shape_counts,
)
from tests.sample_rules.rule import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    UnclearError,
    rule,
)


def _three_kinds(rng: Generator, number: int) -> Grid:
    sprites = []
    for colour, count in zip(pick(rng, 3), rng.permutation([1, 2, 3]), strict=True):
        one = sprite(rng, between(rng, 2, 3), between(rng, 2, 3), [colour])
        sprites += [one] * int(count)
    return scatter(rng, size(rng, 12, 16), sprites)


@rule(
    "commonest-shape-cut-out",
    "hard",
    "The shape that is there most often is cut out.",
    _three_kinds,
    4,
    2,
)
def commonest_shape_cut_out(grid: Grid) -> Grid:
    found = objects(grid)
    counts = shape_counts(found)
    if len(counts) != 3:
        raise UnclearError
    shape = most(counts, counts.__getitem__)
    return next(one.picture for one in found if one.shape == shape)


def _legend_and_objects(rng: Generator, number: int) -> Grid:
    pairs = between(rng, 2, 3)
    colours = pick(rng, 2 * pairs)
    below = canvas(between(rng, 8, 12), between(rng, 9, 13))
    sprites = [
        sprite(rng, between(rng, 2, 3), between(rng, 2, 4), [colour])
        for colour in (*colours[:pairs], *rng.choice(colours[:pairs], 1))
    ]
    below = scatter(rng, below, sprites)
    legend = canvas(2, below.shape[1])
    for place in range(pairs):
        legend[0, 3 * place : 3 * place + 2] = colours[place], colours[pairs + place]
    legend[1] = GREY
    return np.vstack([legend, below])


@rule(
    "legend-recolours",
    "hard",
    "Above the grey line, pairs of cells say which colour becomes which below it.",
    _legend_and_objects,
    4,
    2,
)
def legend_recolours(grid: Grid) -> Grid:
    recoloured = grid.copy()
    for before, after in grid[0, : grid.shape[1] // 3 * 3].reshape(-1, 3)[:, :2]:
        if before != BLACK:
            recoloured[2:][grid[2:] == before] = after
    return recoloured


def _dot_at_the_top(rng: Generator, number: int) -> Grid:
    grid = canvas(between(rng, 10, 18), between(rng, 4, 8))
    grid[0, between(rng, 0, grid.shape[1] - 2)] = rng.choice(BRIGHT)
    return grid


@rule(
    "bouncing-ray",
    "hard",
    "The dot sends a ray down to the right that bounces off both sides.",
    _dot_at_the_top,
)
def bouncing_ray(grid: Grid) -> Grid:
    drawn = grid.copy()
    column = int(np.nonzero(grid[0])[0][0])
    colour, step = grid[0, column], 1
    for row in range(1, grid.shape[0]):
        if not 0 <= column + step < grid.shape[1]:
            step = -step
        column += step
        drawn[row, column] = colour
    return drawn


def _one_differs(rng: Generator, number: int) -> Grid:
    rows, columns = between(rng, 2, 3), between(rng, 2, 3)
    colours = [int(colour) for colour in rng.choice(BRIGHT, between(rng, 4, 6))]
    usual = sprite(rng, rows, columns, [1])
    odd = sprite(rng, rows, columns, [colours[0]])
    grid = size(rng, 11, 15)
    return scatter(rng, grid, [odd, *(usual * np.uint8(colour) for colour in colours[1:])])


@rule(
    "odd-one-out-doubled",
    "hard",
    "The one object of another shape is cut out and doubled in size.",
    _one_differs,
)
def odd_one_out_doubled(grid: Grid) -> Grid:
    found = objects(grid)
    counts = shape_counts(found)
    odd = only(one for one in found if counts[one.shape] == 1)
    return np.kron(odd.picture, np.ones((2, 2), np.uint8))


def _bars(rng: Generator, number: int) -> Grid:
    count = between(rng, 3, 5)
    grid = canvas(between(rng, 7, 11), 2 * count + 1)
    heights = rng.choice(np.arange(1, grid.shape[0]), count, replace=False)
    for place, (height, colour) in enumerate(zip(heights, pick(rng, count), strict=True)):
        grid[-height:, 2 * place + 1] = colour
    return grid


@rule(
    "bars-in-order",
    "hard",
    "The bars are put in order, the lowest at the left.",
    _bars,
    3,
    2,
)
def bars_in_order(grid: Grid) -> Grid:
    ordered = grid.copy()
    bars = grid[:, 1::2]
    heights = (bars != BLACK).sum(axis=0)
    ordered[:, 1::2] = bars[:, np.argsort(heights)]
    return ordered


def _shape_with_holes(rng: Generator, holes: int) -> Grid:
    if holes == 0:
        return sprite(rng, between(rng, 2, 3), between(rng, 2, 4), [GREY])
    shape = block(between(rng, 3, 4), 2 * holes + between(rng, 1, 2), GREY)
    for hole in range(holes):
        shape[1:-1, 1 + 2 * hole] = BLACK
    return shape if rng.random() < 0.5 else shape.T


def _shapes_with_holes(rng: Generator, number: int) -> Grid:
    holes = [0, 1, 2, *(between(rng, 0, 2) for _ in range(between(rng, 0, 2)))]
    return scatter(rng, size(rng, 13, 18), [_shape_with_holes(rng, count) for count in holes])


@rule(
    "colour-by-holes",
    "hard",
    "Grey shapes turn blue without a hole, red with one, green with two.",
    _shapes_with_holes,
)
def colour_by_holes(grid: Grid) -> Grid:
    coloured = grid.copy()
    for one in objects(grid):
        alone = np.pad(one.picture, 1)
        holes = objects(((alone == BLACK) & ~outside(alone)).astype(np.uint8))
        coloured[one.mask] = (BLUE, RED, GREEN)[len(holes)]
    return coloured


def _path_with_turns(rng: Generator, number: int) -> Grid:
    grid = size(rng, 10, 14)
    row, column = between(rng, 2, grid.shape[0] - 3), 0
    grid[row, column] = RED
    passed = {(row, column)}
    down, right = 0, 1
    for _ in range(between(rng, 2, 4)):
        for _ in range(between(rng, 2, 5)):
            row, column = row + down, column + right
            inside = 1 <= row < grid.shape[0] - 1 and 1 <= column < grid.shape[1] - 1
            if not inside or (row, column) in passed:
                raise UnclearError
            passed.add((row, column))
        clockwise = rng.random() < 0.5
        grid[row, column] = GREEN if clockwise else YELLOW
        down, right = (right, -down) if clockwise else (-right, down)
    if len(set(np.unique(grid))) < 4:
        raise UnclearError
    return grid


@rule(
    "path-with-turns",
    "hard",
    "A red path starts to the right, turns right at green and left at yellow, and leaves the grid.",
    _path_with_turns,
    5,
)
def path_with_turns(grid: Grid) -> Grid:
    drawn = grid.copy()
    row, column = (int(place) for place in np.argwhere(grid == RED)[0])
    down, right = 0, 1
    while True:
        row, column = row + down, column + right
        if not (0 <= row < grid.shape[0] and 0 <= column < grid.shape[1]):
            return drawn
        if grid[row, column] == GREEN:
            down, right = right, -down
        elif grid[row, column] == YELLOW:
            down, right = -right, down
        elif drawn[row, column] == RED:
            raise UnclearError
        else:
            drawn[row, column] = RED


def _stamp_and_anchors(rng: Generator, number: int) -> Grid:
    stamp = dots(rng, canvas(3, 3), pick(rng, 2), 0.7)
    stamp[1, 1] = GREY
    ring = stamp.copy()
    ring[1, 1] = BLACK
    if np.count_nonzero(ring) < 4 or len(objects(stamp, one_colour=False, around=True)) > 1:
        raise UnclearError
    anchor = canvas(3, 3)
    anchor[1, 1] = GREY
    return scatter(rng, size(rng, 10, 14), [stamp, *[anchor] * between(rng, 2, 4)], gap=1)


@rule(
    "stamp-on-every-anchor",
    "hard",
    "The pattern around one grey cell is copied around every other grey cell.",
    _stamp_and_anchors,
)
def stamp_on_every_anchor(grid: Grid) -> Grid:
    stamped = grid.copy()
    windows = [
        (slice(row - 1, row + 2), slice(column - 1, column + 2))
        for row, column in np.argwhere(grid == GREY)
    ]
    stamp = grid[only(window for window in windows if np.count_nonzero(grid[window]) > 1)]
    for window in windows:
        stamped[window] = stamp
    return stamped


def _nest(rng: Generator, depth: int) -> Grid:
    height, width = (4 * depth - 1 + between(rng, 0, 2) for _ in range(2))
    nest = canvas(height, width)
    for inset in range(0, 2 * depth, 2):
        frame = outline(height - 2 * inset, width - 2 * inset, GREY)
        nest[inset : height - inset, inset : width - inset] = frame
    return nest


_DEPTHS = ((4,), (2, 2), (3,), (3, 2), (4,))


def _nests(rng: Generator, number: int) -> Grid:
    nests = [_nest(rng, depth) for depth in _DEPTHS[number % len(_DEPTHS)]]
    return scatter(rng, size(rng, 11, 20), nests)


@rule(
    "colour-by-nesting",
    "hard",
    "Frames within frames: the outermost turns blue, then red, green, yellow.",
    _nests,
    4,
)
def colour_by_nesting(grid: Grid) -> Grid:
    coloured = grid.copy()
    frames = objects(grid)
    for frame in frames:
        around = sum(_within(frame.box, other.box) for other in frames)
        coloured[frame.mask] = (BLUE, RED, GREEN, YELLOW)[around]
    return coloured


def _within(inner: tuple[slice, slice], outer: tuple[slice, slice]) -> bool:
    sides = zip(inner, outer, strict=True)
    return all(other.start < one.start and one.stop < other.stop for one, other in sides)


def _shape_beside_a_line(rng: Generator, number: int) -> Grid:
    side = canvas(between(rng, 6, 10), between(rng, 4, 6))
    shape_colour, line_colour = pick(rng, 2)
    side = scatter(rng, side, [sprite(rng, between(rng, 3, 5), between(rng, 2, 4), [shape_colour])])
    line = block(side.shape[0], 1, line_colour)
    grid = np.hstack([side, line, np.zeros_like(side)])
    return np.rot90(grid, number % 4)


@rule(
    "mirrored-across-the-line",
    "hard",
    "The shape is mirrored across the line, in the colour of the line.",
    _shape_beside_a_line,
    4,
    2,
)
def mirrored_across_the_line(grid: Grid) -> Grid:
    if (grid == grid[:, :1]).all(axis=1)[grid[:, 0] != BLACK].any():
        return _mirrored_below(grid)
    return _mirrored_below(grid.T).T


def _mirrored_below(grid: Grid) -> Grid:
    line = only(row[0] for row in grid if row[0] != BLACK and (row == row[0]).all())
    shape = (grid != BLACK) & (grid != line)
    return np.where(shape[::-1], line, grid)


def _shape_in_specks(rng: Generator, number: int) -> Grid:
    shape_colour, speck_colour = pick(rng, 2)
    shape = sprite(rng, between(rng, 3, 5), between(rng, 3, 5), [shape_colour], 0.75)
    specks = [block(1, 1, speck_colour)] * between(rng, 3, 7)
    return scatter(rng, size(rng, 9, 14), [shape, *specks])


@rule(
    "clean-cut-turn-recolour",
    "hard",
    "Specks are removed, the shape is cut out, turned a quarter right, in the specks' colour.",
    _shape_in_specks,
)
def clean_cut_turn_recolour(grid: Grid) -> Grid:
    found = objects(grid)
    shape = most(found, lambda one: one.size)
    speck = only({one.colour for one in found if one is not shape})
    turned = np.rot90(shape.picture, -1)
    return np.where(turned != BLACK, np.uint8(speck), turned)


def _one_symmetric(rng: Generator, number: int) -> Grid:
    half = sprite(rng, between(rng, 3, 4), 2, [1], 0.7)
    whole = np.hstack([half, half[:, -2::-1]])
    found = [whole]
    while len(found) < between(rng, 3, 4):
        other = sprite(rng, between(rng, 3, 4), 3, [1], 0.7)
        if (other != other[:, ::-1]).any():
            found.append(other)
    colours = rng.choice(BRIGHT, len(found))
    sprites = [one * np.uint8(colour) for one, colour in zip(found, colours, strict=True)]
    return scatter(rng, size(rng, 10, 14), sprites)


@rule(
    "the-symmetric-one",
    "hard",
    "The one shape that is its own mirror image, left to right, is cut out.",
    _one_symmetric,
)
def the_symmetric_one(grid: Grid) -> Grid:
    pictures = [one.picture for one in objects(grid)]
    return only(one for one in pictures if (one == one[:, ::-1]).all())


def _room(rng: Generator, height: int, width: int) -> Grid:
    first, second = pick(rng, 2)
    room = dots(rng, canvas(height, width), [first, first, second], 0.7)
    commonest(room)
    return room


def _rooms(rng: Generator, number: int) -> Grid:
    side = between(rng, 3, 4)
    rows, columns = between(rng, 2, 4), between(rng, 2, 4)
    return walled(rng, rows, columns, side, side, GREY, _room)


@rule(
    "rooms-to-cells",
    "hard",
    "Every room between the grey lines becomes one cell of its commonest colour.",
    _rooms,
    3,
)
def rooms_to_cells(grid: Grid) -> Grid:
    return np.array([[commonest(room) for room in row] for row in rooms(grid)], np.uint8)


def _rooms_of_one_colour(rng: Generator, number: int) -> Grid:
    line, colour = pick(rng, 2)

    def sparse(rng: Generator, height: int, width: int) -> Grid:
        return dots(rng, canvas(height, width), [colour], rng.uniform(0.1, 0.6))

    rows, columns = between(rng, 2, 3), between(rng, 2, 3)
    return walled(rng, rows, columns, between(rng, 3, 4), between(rng, 3, 5), line, sparse)


@rule(
    "fullest-room",
    "hard",
    "The room with the most coloured cells is cut out.",
    _rooms_of_one_colour,
    4,
    2,
)
def fullest_room(grid: Grid) -> Grid:
    every = [room for row in rooms(grid) for room in row]
    counts = sorted(map(np.count_nonzero, every))
    if counts[-1] - counts[-2] < 2:
        raise UnclearError
    return most(every, np.count_nonzero)


def _objects_and_a_mark(rng: Generator, number: int) -> Grid:
    sprites = [
        sprite(rng, between(rng, 2, 4), between(rng, 2, 4), [BLUE])
        for _ in range(between(rng, 3, 4))
    ]
    marked = sprites[0]
    cells = np.argwhere(marked != BLACK)
    marked[tuple(cells[rng.integers(len(cells))])] = rng.choice([RED, GREEN, YELLOW])
    return scatter(rng, size(rng, 10, 15), sprites)


@rule(
    "marked-object-takes-its-mark",
    "hard",
    "The object with a cell of another colour takes that colour; all others vanish.",
    _objects_and_a_mark,
)
def marked_object_takes_its_mark(grid: Grid) -> Grid:
    marked = only(one for one in objects(grid, one_colour=False) if (one.picture > BLUE).any())
    mark = marked.picture.max()
    return np.where(marked.mask, mark, np.uint8(BLACK))
