"""Grids as terminal text: coloured cells where the terminal can, digits where it cannot.

A grid becomes a `Picture`, lines of equal width in a thin frame under a caption; `side_by_side`
puts pictures in rows that fit the terminal. Three ways to draw a cell: `half` (two grid rows per
line), `wide` (two characters per cell) and `digits` (a digit and a mark per cell).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.console import Console
from rich.style import Style
from rich.text import Text

from engine.arc.palette import PALETTE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.arc import Grid

    Mask: TypeAlias = NDArray[np.bool_]

Cells: TypeAlias = Literal["half", "wide", "digits"]

COLOURS = ("#1c1c1c", *PALETTE[1:])
"""ARC's ten colours; black is lifted a little so that it stands out from a black terminal."""

WIDE_SIDE = 12
"""The longest side of a grid that is drawn with wide cells."""

_FRAME = Style(dim=True)
_MISSED, _RIGHT = Style(color="#ffffff"), Style(color="#3a3a3a")
_GAP = " → "


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn grid: its caption, its lines (frame included) and their common width."""

    caption: str
    lines: tuple[Text, ...]
    width: int


def cells_for(console: Console, grids: Sequence[Grid]) -> Cells:
    """Choose how to draw grids that are shown together."""
    # 16 colours merge ARC's red and orange.
    if console.no_color or console.color_system not in ("truecolor", "256", "windows"):
        return "digits"
    longest = max((max(grid.shape) for grid in grids), default=0)
    return "wide" if longest <= WIDE_SIDE else "half"


def draw(grid: Grid, cells: Cells, *, caption: str = "", wrong: Mask | None = None) -> Picture:
    """Draw a grid with its shape after the caption.

    `wrong` (same shape) marks cells: by `><` in wide cells and `x` behind digits. Half cells hold
    no mark; draw_mask shows them beside.
    """
    rows, columns = grid.shape
    if cells == "half":
        lines = [_half_line(grid, row) for row in range(0, rows, 2)]
        width = columns
    else:
        paint = _wide_line if cells == "wide" else _digit_line
        lines = [paint(grid[row], None if wrong is None else wrong[row]) for row in range(rows)]
        width = 2 * columns
    return _framed(f"{caption} {rows}×{columns}".strip(), lines, width)


def draw_mask(wrong: Mask, *, caption: str) -> Picture:
    """Draw which cells are wrong, as half cells: white where wrong, dark where right."""
    rows, columns = wrong.shape
    lines = []
    for row in range(0, rows, 2):
        line = Text()
        for column in range(columns):
            upper = _MISSED if wrong[row, column] else _RIGHT
            if row + 1 == rows:
                line.append("▀", upper)
            else:
                lower = _MISSED if wrong[row + 1, column] else _RIGHT
                line.append("▀", Style(color=upper.color, bgcolor=lower.color))
        lines.append(line)
    return _framed(caption, lines, columns)


def words(text: str, *, caption: str = "", width: int = 24) -> Picture:
    """Make a picture of a few words, for a grid that is not there."""
    lines = [Text(line, style=_FRAME) for line in _wrapped(text, width)]
    return Picture(caption, tuple(lines), max(line.cell_len for line in lines))


def side_by_side(pictures: Sequence[Picture], width: int) -> Iterator[Text]:
    """Yield lines that show pictures in rows of at most `width` columns, captions above.

    The first is what the others are made of: an arrow leads from it to the second.
    """
    row: list[Picture] = []
    used, first = 0, True
    for picture in pictures:
        needed = _outer(picture)
        if row and used + len(_GAP) + needed > width:
            yield from _row(row, arrow=first)
            row, used, first = [], 0, False
        used += needed + (len(_GAP) if row else 0)
        row.append(picture)
    if row:
        yield from _row(row, arrow=first)


def _row(pictures: Sequence[Picture], *, arrow: bool) -> Iterator[Text]:
    blank = " " * len(_GAP)
    captions = [picture.caption.ljust(_outer(picture)) for picture in pictures]
    yield Text(blank.join(captions).rstrip(), style="bold")
    height = max(len(picture.lines) for picture in pictures)
    for number in range(height):
        line = Text()
        for place, picture in enumerate(pictures):
            if place:
                here = arrow and place == 1 and number == len(pictures[0].lines) // 2
                line.append(_GAP if here else blank, _FRAME)
            if number < len(picture.lines):
                line.append_text(picture.lines[number])
                line.append(" " * (_outer(picture) - picture.lines[number].cell_len))
            else:
                line.append(" " * _outer(picture))
        line.rstrip()
        yield line


def _outer(picture: Picture) -> int:
    return max(picture.width, len(picture.caption))


def _framed(caption: str, lines: Sequence[Text], width: int) -> Picture:
    edge = "─" * width
    framed = (
        Text(f"┌{edge}┐", style=_FRAME),
        *(Text.assemble(("│", _FRAME), line, ("│", _FRAME)) for line in lines),
        Text(f"└{edge}┘", style=_FRAME),
    )
    return Picture(caption, framed, width + 2)


def _half_line(grid: Grid, row: int) -> Text:
    line = Text()
    last = row + 1 == grid.shape[0]
    for column in range(grid.shape[1]):
        upper = COLOURS[grid[row, column]]
        lower = None if last else COLOURS[grid[row + 1, column]]
        line.append("▀", Style(color=upper, bgcolor=lower))
    return line


def _wide_line(cells: NDArray[np.uint8], wrong: NDArray[np.bool_] | None) -> Text:
    line = Text()
    for column, cell in enumerate(cells):
        marked = wrong is not None and bool(wrong[column])
        ink = "#000000" if cell in (4, 5, 7, 8) else "#ffffff"
        style = Style(color=ink, bgcolor=COLOURS[cell], bold=marked)
        line.append("><" if marked else "  ", style)
    return line


def _digit_line(cells: NDArray[np.uint8], wrong: NDArray[np.bool_] | None) -> Text:
    marks = ["x" if wrong is not None and wrong[column] else " " for column in range(len(cells))]
    return Text("".join(f"{cell}{mark}" for cell, mark in zip(cells, marks, strict=True)))


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width) or [""]
