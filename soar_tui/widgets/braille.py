"""Braille dots: a character cell holds 2 dots across and 4 down."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ACROSS, DOWN = 2, 4
_BLANK = 0x2800
_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])

Dots = NDArray[np.bool_]


def codes(dots: Dots) -> NDArray[np.int64]:
    """Return per character the bits of its dots, 0 for none; `dots` is (4·height, 2·width)."""
    height, width = dots.shape[0] // DOWN, dots.shape[1] // ACROSS
    cells = dots.reshape(height, DOWN, width, ACROSS)
    bits: NDArray[np.int64] = np.einsum("hdwa,da->hw", cells.astype(np.int64), _WEIGHTS)
    return bits


def text(bits: NDArray[np.int64]) -> list[str]:
    """Return the lines of characters of `codes`, a space where there are no dots."""
    return ["".join(_character(bit) for bit in row) for row in bits.tolist()]


def line_dots(xs: NDArray[np.float64], ys: NDArray[np.float64], shape: tuple[int, int]) -> Dots:
    """Return the dots of a line through points, of `shape` (4·height, 2·width).

    `xs` and `ys` run 0..1 over the picture, y upwards; points that are not finite break the line,
    points outside are not drawn.
    """
    rows, width = shape
    x, y = xs * (width - 1), (1 - ys) * (rows - 1)
    known = np.isfinite(x) & np.isfinite(y)
    starts = np.flatnonzero(known[:-1] & known[1:])
    across, down = np.diff(x)[starts], np.diff(y)[starts]
    # A dot per row or column crossed; what leads far outside is not drawn densely.
    steps = np.minimum(np.maximum(np.abs(across), np.abs(down)), 4 * (width + rows))
    steps = np.ceil(steps).astype(np.int64) + 1
    which = np.repeat(np.arange(len(starts)), steps)
    part = (np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[which]
    dots = np.zeros(shape, dtype=np.bool_)
    _put(dots, x[starts][which] + part * across[which], y[starts][which] + part * down[which])
    _put(dots, x[known], y[known])
    return dots


def area_dots(heights: NDArray[np.float64], rows: int) -> Dots:
    """Return dots filled from below, column by column; a height of 0..1, any above 0 shows."""
    filled = np.ceil(np.clip(np.nan_to_num(heights), 0, 1) * rows)
    levels = np.arange(rows, 0, -1)[:, None]
    dots: Dots = levels <= filled[None, :]
    return dots


def _put(dots: Dots, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    columns, rows = np.rint(x), np.rint(y)
    inside = (columns >= 0) & (columns < dots.shape[1]) & (rows >= 0) & (rows < dots.shape[0])
    dots[rows[inside].astype(np.int64), columns[inside].astype(np.int64)] = True


@lru_cache(maxsize=256)
def _character(bit: int) -> str:
    return chr(_BLANK + bit) if bit else " "
