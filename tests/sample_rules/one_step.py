"""Tasks of one step."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from engine.arc import Grid
from tests.sample_rules.drawing import (
    between,
    block,
    canvas,
    dots,
    pick,
    scatter,
    scene,
    size,
    sprite,
)
from tests.sample_rules.objects import box_of, commonest
from tests.sample_rules.rule import BLACK, BLUE, GREEN, RED, UnclearError, rule


def _scene(rng: Generator, number: int) -> Grid:
    return scene(rng)


@rule("mirror-left-right", "one step", "The picture is mirrored left to right.", _scene)
def mirror_left_right(grid: Grid) -> Grid:
    return grid[:, ::-1]


@rule("half-turn", "one step", "The picture is turned by half a turn.", _scene, 3)
def half_turn(grid: Grid) -> Grid:
    return grid[::-1, ::-1]


@rule("quarter-turn-right", "one step", "The picture is turned a quarter to the right.", _scene, 3)
def quarter_turn_right(grid: Grid) -> Grid:
    return np.rot90(grid, -1)


@rule("rows-become-columns", "one step", "Rows become columns.", _scene, 3, 2)
def rows_become_columns(grid: Grid) -> Grid:
    return grid.T


def _small_picture(rng: Generator, number: int) -> Grid:
    grid = size(rng, 3, 5)
    return dots(rng, grid, pick(rng, 3), 0.5)


@rule("double-size", "one step", "Every cell becomes a block of two by two.", _small_picture, 3)
def double_size(grid: Grid) -> Grid:
    return np.kron(grid, np.ones((2, 2), np.uint8))


@rule("mirror-below", "one step", "The mirror image is set below the picture.", _small_picture, 3)
def mirror_below(grid: Grid) -> Grid:
    return np.vstack([grid, grid[::-1]])


def _red_and_green(rng: Generator, number: int) -> Grid:
    colours = [RED, GREEN, *pick(rng, 1, (BLUE, 4, 8))]
    sprites = [
        sprite(rng, between(rng, 2, 3), between(rng, 2, 4), [colour])
        for colour in (*colours, colours[number % 3])
    ]
    return scatter(rng, size(rng, 8, 12), sprites)


@rule("swap-red-and-green", "one step", "Red becomes green and green red.", _red_and_green, 3, 2)
def swap_red_and_green(grid: Grid) -> Grid:
    swapped = grid.copy()
    swapped[grid == RED] = GREEN
    swapped[grid == GREEN] = RED
    return swapped


def _one_sprite(rng: Generator, number: int) -> Grid:
    one = sprite(rng, between(rng, 2, 5), between(rng, 2, 5), pick(rng, 3), 0.75)
    return scatter(rng, size(rng, 7, 14), [one])


@rule("cut-out-the-picture", "one step", "What is coloured is cut out.", _one_sprite, 4, 2)
def cut_out_the_picture(grid: Grid) -> Grid:
    return grid[box_of(grid != BLACK)]


def _loose_cells(rng: Generator, number: int) -> Grid:
    return dots(rng, size(rng, 5, 10), pick(rng, 3), 0.25)


@rule("fall-to-the-floor", "one step", "Every cell falls down its column.", _loose_cells)
def fall_to_the_floor(grid: Grid) -> Grid:
    fallen = np.zeros_like(grid)
    for number, column in enumerate(grid.T):
        cells = column[column != BLACK]
        if cells.size:
            fallen[-cells.size :, number] = cells
    return fallen


@rule("one-to-the-right", "one step", "All moves one to the right, around the edge.", _scene, 3, 2)
def one_to_the_right(grid: Grid) -> Grid:
    return np.roll(grid, 1, axis=1)


@rule("blue-frame", "one step", "A blue frame is set around the picture.", _small_picture, 3)
def blue_frame(grid: Grid) -> Grid:
    return np.pad(grid, 1, constant_values=BLUE)


def _one_colour_ahead(rng: Generator, number: int) -> Grid:
    grid = scene(rng, 6, 10)
    counts = sorted(np.bincount(grid[grid != BLACK], minlength=10))
    if counts[-1] < counts[-2] + 2 or counts[-3] == 0:
        raise UnclearError
    return grid


@rule(
    "all-take-the-commonest-colour",
    "one step",
    "Every coloured cell takes the commonest colour.",
    _one_colour_ahead,
)
def all_take_the_commonest_colour(grid: Grid) -> Grid:
    return np.where(grid != BLACK, np.uint8(commonest(grid)), grid)


def _wide_scene(rng: Generator, number: int) -> Grid:
    grid = canvas(between(rng, 4, 8), 2 * between(rng, 3, 7))
    palette = pick(rng, 4)
    sprites = [
        sprite(rng, between(rng, 1, 3), between(rng, 2, 4), rng.choice(palette, 2, replace=False))
        for _ in range(max(3, grid.size // 16))
    ]
    grid = scatter(rng, grid, sprites)
    half = grid.shape[1] // 2
    if not (grid[:, :half].any() and grid[:, half:].any()):
        raise UnclearError
    return grid


@rule("left-half", "one step", "Only the left half is kept.", _wide_scene, 3, 2)
def left_half(grid: Grid) -> Grid:
    return grid[:, : grid.shape[1] // 2]


def _blocks(rng: Generator, number: int) -> Grid:
    count = between(rng, 2, 4)
    sprites = [block(between(rng, 2, 6), between(rng, 3, 6), colour) for colour in pick(rng, count)]
    return scatter(rng, size(rng, 10, 16), sprites)


@rule("hollow-blocks", "one step", "Blocks are hollowed out, their rim is kept.", _blocks)
def hollow_blocks(grid: Grid) -> Grid:
    hollow = grid.copy()
    padded = np.pad(grid, 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    hollow[(windows == grid[:, :, None, None]).all(axis=(2, 3))] = BLACK
    return hollow
