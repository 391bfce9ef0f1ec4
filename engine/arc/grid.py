"""Grids: what a valid one is, and its packed form for storage and comparison.

A grid is a read-only uint8 array of shape (rows, columns), each 1..30, cells 0..9 (colours).
Packed, it is one byte of rows, one byte of columns, then the cells row by row, so two grids are
equal exactly when their packed bytes are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Grid: TypeAlias = NDArray[np.uint8]

MAX_SIDE = 30
COLOURS = 10
_CELLS = bytes(range(COLOURS))


class GridError(ValueError):
    """A value that is not a grid; the message says which rule it breaks."""


def as_grid(value: object) -> Grid:
    """Check rows of cells (nested sequences, or a 2-D integer array) and return them as a grid.

    Cells must be ints 0..9 exactly: bools, floats and strings are refused, integral numpy ints
    are fine. Raises GridError naming the broken rule.
    """
    if isinstance(value, np.ndarray):
        return _from_array(value)
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise GridError(f"a grid is a list of rows, not {type(value).__name__}")
    rows = len(value)
    if not 1 <= rows <= MAX_SIDE:
        raise GridError(f"a grid has 1 to {MAX_SIDE} rows, not {rows}")
    columns = -1
    for number, row in enumerate(value, 1):
        if isinstance(row, np.ndarray) and row.ndim == 1:
            row = row.tolist()  # noqa: PLW2901 - the same row, as a list
        if not isinstance(row, Sequence) or isinstance(row, str | bytes):
            raise GridError(f"row {number} is {type(row).__name__}, not a list of cells")
        if columns == -1:
            columns = len(row)
            if not 1 <= columns <= MAX_SIDE:
                raise GridError(f"a grid has 1 to {MAX_SIDE} columns, not {columns}")
        if len(row) != columns:
            raise GridError(f"row {number} has {len(row)} cells where row 1 has {columns}")
        for column, cell in enumerate(row, 1):
            if isinstance(cell, bool | np.bool_) or not isinstance(cell, int | np.integer):
                raise GridError(
                    f"row {number}, column {column} is {type(cell).__name__}, not an int"
                )
            if not 0 <= cell < COLOURS:
                raise GridError(f"row {number}, column {column} is {cell}, not 0 to 9")
    return _frozen(np.array(value, dtype=np.uint8))


def _from_array(array: NDArray[np.generic]) -> Grid:
    if array.ndim != 2:
        raise GridError(f"a grid has 2 dimensions, not {array.ndim}")
    if array.dtype.kind not in "iu":
        raise GridError(f"a grid holds ints, not {array.dtype}")
    rows, columns = array.shape
    if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE):
        raise GridError(f"a grid has 1 to {MAX_SIDE} rows and columns, not {rows} by {columns}")
    if int(array.min()) < 0 or int(array.max()) >= COLOURS:
        raise GridError("a grid's cells are 0 to 9")
    return _frozen(array.astype(np.uint8))


def _frozen(grid: Grid) -> Grid:
    grid.setflags(write=False)
    return grid


def pack(grid: Grid) -> bytes:
    """Return the grid's packed bytes (rows, columns, cells)."""
    rows, columns = grid.shape
    return bytes((rows, columns)) + grid.tobytes()


def unpack(packed: bytes) -> Grid:
    """Return the grid of its packed bytes. Raises GridError when they are not one."""
    if len(packed) < 3 or len(packed) != 2 + packed[0] * packed[1]:
        raise GridError("not a packed grid")
    if max(packed[0], packed[1]) > MAX_SIDE or packed[2:].translate(None, _CELLS):
        raise GridError("not a packed grid")
    return np.frombuffer(packed, dtype=np.uint8, offset=2).reshape(packed[0], packed[1])
