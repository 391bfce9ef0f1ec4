"""Grids as strips: the cells of four sizes, digits, marks of wrong cells, thumbnails.

Everything here is a pure function of a grid and a palette, run-length encoded, so that a line
of equal cells is one segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from engine.arc.grid import Grid
from soar_tui.widgets.palette import ABSENT, RIGHT, Palette
from soar_tui.widgets.strips import fit

Cells: TypeAlias = Literal["half", "single", "wide", "big"]
"""How a cell is drawn: half a character, one, two beside each other, or four on two lines."""

Mask: TypeAlias = NDArray[np.bool_]
Shape: TypeAlias = tuple[int, int]
T = TypeVar("T")

SIZES: dict[Cells, tuple[int, int]] = {
    "half": (1, 1),
    "single": (1, 2),
    "wide": (2, 2),
    "big": (4, 4),
}
"""Columns and half lines one cell takes."""

_DIGITS = "0123456789"
_MARK = {"single": "×", "wide": "><"}
_EMPHASIS = Style(bold=True, underline=True, reverse=True)


def picture_size(shape: Shape, cells: Cells) -> tuple[int, int]:
    """Return the width and height in characters of a grid of (rows, columns)."""
    columns, halves = SIZES[cells]
    return shape[1] * columns, (shape[0] * halves + 1) // 2


def fitting(
    shapes: Iterable[Shape], width: int, height: int, *, digits: bool = False, most: Cells = "big"
) -> Cells:
    """Choose the largest cells with which each of the shapes fits into width and height.

    `digits` rules out half cells, which hold none; where nothing fits, the smallest is returned.
    """
    order: tuple[Cells, ...] = ("big", "wide", "single") if digits else ("big", "wide", "half")
    order = tuple(cells for cells in order if SIZES[cells][0] <= SIZES[most][0])
    shapes = list(shapes)
    for cells in order:
        if all(
            needed[0] <= width and needed[1] <= height
            for needed in (picture_size(shape, cells) for shape in shapes)
        ):
            return cells
    return order[-1]


def wrong_cells(produced: Grid, expected: Grid) -> Mask:
    """Return which of the produced cells are not as expected, those outside it included."""
    rows, columns = np.minimum(produced.shape, expected.shape)
    wrong = np.ones(produced.shape, dtype=np.bool_)
    wrong[:rows, :columns] = produced[:rows, :columns] != expected[:rows, :columns]
    return wrong


def draw_grid(
    grid: Grid, cells: Cells, palette: Palette, *, digits: bool = False, wrong: Mask | None = None
) -> list[Strip]:
    """Draw a grid; each strip is as wide as picture_size() says.

    `wrong` (same shape) marks cells by a cross. Half cells hold no cross: there the wrong cells
    keep their colour and all others are drawn alike.
    """
    if cells == "half":
        return draw_codes(grid if wrong is None else np.where(wrong, grid, RIGHT), palette)
    if cells == "big":
        return _big(grid, palette, digits, wrong)
    return [
        _line(row.tolist(), cells, palette, digits, None if wrong is None else wrong[y].tolist())
        for y, row in enumerate(grid)
    ]


def draw_codes(codes: NDArray[np.integer], palette: Palette) -> list[Strip]:
    """Draw half cells from codes: 0..9, or ABSENT and RIGHT of the palette."""
    return [Strip(line, codes.shape[1]) for line in code_segments(codes, palette)]


def code_segments(codes: NDArray[np.integer], palette: Palette) -> list[list[Segment]]:
    """Return draw_codes() as bare segments, for what is put together from many small pictures."""
    rows, width = codes.shape
    if rows % 2:
        codes = np.vstack([codes, np.full((1, width), ABSENT, dtype=codes.dtype)])
    styles, whole = palette.halves, palette.cells
    lines = []
    for y in range(0, len(codes), 2):
        pairs = list(zip(codes[y].tolist(), codes[y + 1].tolist(), strict=True))
        lines.append(
            [
                Segment(" " * run, whole[upper])
                if upper == lower
                else Segment("▀" * run, styles[upper][lower])
                for (upper, lower), run in _runs(pairs)
            ]
        )
    return lines


def framed(strips: Sequence[Strip], style: Style, *, title: str = "") -> list[Strip]:
    """Put a thin frame around strips of one width; `title` stands in its upper line if it fits."""
    width = strips[0].cell_length if strips else 0
    title = title if len(title) <= width else ""
    top = fit([(f"┌{title}{'─' * (width - len(title))}", style)], width + 1)
    side = Segment("│", style)
    lines = [Strip([*top, Segment("┐", style)], width + 2)]
    lines += [Strip([side, *strip, side], width + 2) for strip in strips]
    lines.append(Strip([Segment(f"└{'─' * width}┘", style)], width + 2))
    return lines


def thumbnail(grid: Grid, width: int, height: int) -> NDArray[np.uint8]:
    """Shrink or enlarge a grid into codes of shape (2·height, width), centred, ABSENT around it.

    Shrinking keeps the rarest of the colours that fall together, so that thin lines survive.
    """
    room = (2 * height, width)
    rows, columns = grid.shape
    scale = min(room[0] / rows, room[1] / columns)
    if scale >= 1:
        times = int(scale)
        small = grid.repeat(times, axis=0).repeat(times, axis=1)
    else:
        small = _shrunk(grid, max(1, int(rows * scale)), max(1, int(columns * scale)))
    codes = np.full(room, ABSENT, dtype=np.uint8)
    # An even start keeps the upper edge on a whole character.
    top = (room[0] - small.shape[0]) // 2 // 2 * 2
    left = (room[1] - small.shape[1]) // 2
    codes[top : top + small.shape[0], left : left + small.shape[1]] = small
    return codes


def _shrunk(grid: Grid, rows: int, columns: int) -> Grid:
    rarest_first = np.argsort(np.bincount(grid.ravel(), minlength=10), kind="stable")
    place = np.empty(10, dtype=np.uint8)
    place[rarest_first] = np.arange(10, dtype=np.uint8)
    ys = np.arange(rows) * grid.shape[0] // rows
    xs = np.arange(columns) * grid.shape[1] // columns
    rank = np.minimum.reduceat(np.minimum.reduceat(place[grid], ys, axis=0), xs, axis=1)
    return rarest_first[rank].astype(np.uint8)


def _runs(values: Sequence[T]) -> list[tuple[T, int]]:
    runs: list[tuple[T, int]] = []
    start = 0
    for place in range(1, len(values) + 1):
        if place == len(values) or values[place] != values[start]:
            runs.append((values[start], place - start))
            start = place
    return runs


def _line(
    row: list[int], cells: Cells, palette: Palette, digits: bool, wrong: list[bool] | None
) -> Strip:
    marked = wrong or [False] * len(row)
    segments, x = [], 0
    for (cell, missed), run in _runs(list(zip(row, marked, strict=True))):
        text, style = _glyph(cell, cells, digits, missed), palette.cells[cell]
        if missed and digits and cells == "single":
            style += _EMPHASIS
        segments.append(Segment(text * run, style))
        x += run
    return Strip(segments, x * SIZES[cells][0])


def _glyph(cell: int, cells: Cells, digits: bool, missed: bool) -> str:
    if not digits:
        return _MARK[cells] if missed else " " * SIZES[cells][0]
    if cells == "single":
        return _DIGITS[cell]
    return _DIGITS[cell] + ("×" if missed else " ")


def _big(grid: Grid, palette: Palette, digits: bool, wrong: Mask | None) -> list[Strip]:
    strips = []
    for y, row in enumerate(grid):
        marked = [False] * len(row) if wrong is None else wrong[y].tolist()
        runs = _runs(list(zip(row.tolist(), marked, strict=True)))
        for half in range(2):
            segments = []
            for (cell, missed), run in runs:
                text = ("╲╱", "╱╲")[half] if missed else "  "
                edge = _DIGITS[cell] if digits and half == 0 else " "
                segments.append(Segment(f"{edge}{text} " * run, palette.cells[cell]))
            strips.append(Strip(segments, 4 * len(row)))
    return strips
