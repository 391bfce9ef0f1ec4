"""What the rules see in a grid: objects and rooms."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arc import Grid
from tests.sample_rules.rule import BLACK, UnclearError

Mask = NDArray[np.bool_]

STRAIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
AROUND = (*STRAIGHT, (1, 1), (1, -1), (-1, 1), (-1, -1))


@dataclass(frozen=True, eq=False)
class Object:
    """Connected cells of a grid: where they are, and their box cut out (black elsewhere)."""

    mask: Mask
    top: int
    left: int
    picture: Grid

    @property
    def size(self) -> int:
        return int(self.mask.sum())

    @property
    def colour(self) -> int:
        return commonest(self.picture)

    @property
    def shape(self) -> tuple[tuple[int, ...], bytes]:
        """What objects of one shape share, whatever their colours."""
        return self.picture.shape, (self.picture != BLACK).tobytes()

    @property
    def box(self) -> tuple[slice, slice]:
        rows, columns = self.picture.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


def objects(grid: Grid, *, one_colour: bool = True, around: bool = False) -> list[Object]:
    """Return the connected objects of coloured cells, in reading order of their first cells.

    `one_colour` parts touching cells of different colours; `around` joins across corners.
    """
    found = []
    left = grid != BLACK
    while left.any():
        first = tuple(np.argwhere(left)[0])
        allowed = left & (grid == grid[first]) if one_colour else left
        mask = flood(allowed, [first], AROUND if around else STRAIGHT)
        left = left & ~mask
        rows, columns = np.nonzero(mask)
        box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        picture = np.where(mask[box], grid[box], BLACK)
        found.append(Object(mask, int(rows.min()), int(columns.min()), picture))
    return found


def flood(allowed: Mask, starts: list[tuple[int, ...]], steps=STRAIGHT) -> Mask:
    """Return the allowed cells that can be reached from the starts."""
    reached = np.zeros_like(allowed)
    waiting = [start for start in starts if allowed[start]]
    for start in waiting:
        reached[start] = True
    while waiting:
        row, column = waiting.pop()
        for down, right in steps:
            place = row + down, column + right
            inside = 0 <= place[0] < allowed.shape[0] and 0 <= place[1] < allowed.shape[1]
            if inside and allowed[place] and not reached[place]:
                reached[place] = True
                waiting.append(place)
    return reached


def outside(grid: Grid) -> Mask:
    """Return the black cells that can be reached from the grid's edge."""
    rows, columns = grid.shape
    edge = [
        (row, column)
        for row in range(rows)
        for column in range(columns)
        if row in (0, rows - 1) or column in (0, columns - 1)
    ]
    return flood(grid == BLACK, edge)


def commonest(grid: Grid) -> int:
    """Return the colour (black aside) that most cells have; unclear when two do."""
    counts = np.bincount(grid[grid != BLACK], minlength=10)
    return only(int(colour) for colour in np.nonzero(counts == counts.max())[0])


def only(values):
    """Return the only value there is; unclear when there are none or several."""
    values = list(values)
    if len(values) != 1:
        raise UnclearError
    return values[0]


def most(values, key):
    """Return the value with the highest key; unclear when two share it."""
    values = list(values)
    highest = max((key(value) for value in values), default=None)
    return only(value for value in values if key(value) == highest)


def shape_counts(found: list[Object]) -> Counter:
    return Counter(one.shape for one in found)


def box_of(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.nonzero(mask)
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def rooms(grid: Grid) -> list[list[Grid]]:
    """Return the rooms between the full lines of one colour that part a grid, row by row."""
    lines = {int(row[0]) for row in grid if (row == row[0]).all()} - {BLACK}
    line = only(lines)
    rows = _spans((grid == line).all(axis=1))
    columns = _spans((grid == line).all(axis=0))
    return [[grid[rows_, columns_] for columns_ in columns] for rows_ in rows]


def _spans(wall: Mask) -> list[slice]:
    spans, start = [], None
    for place, walled in enumerate([*wall, True]):
        if walled and start is not None:
            spans.append(slice(start, place))
            start = None
        elif not walled and start is None:
            start = place
    return spans
