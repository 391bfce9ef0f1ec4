"""Captioned pictures set beside each other, wrapped into rows where the width ends."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.strip import Strip

from engine.arc.grid import Grid
from soar_tui.widgets.grid_picture import Cells, Mask, draw_grid, framed
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, columns, fit

ARROW = " → "
_WORDS_WIDTH = 26


@dataclass(frozen=True, slots=True)
class Picture:
    """A caption and lines of one width; `led` says that an arrow leads to it."""

    caption: tuple[Part, ...]
    lines: tuple[Strip, ...]
    led: bool = False

    @property
    def width(self) -> int:
        """Width of its lines, at least that of the caption."""
        caption = sum(cell_len(text) for text, _ in self.caption)
        return max(caption, self.lines[0].cell_length if self.lines else 0)


def grid_picture(
    grid: Grid,
    cells: Cells,
    palette: Palette,
    *,
    caption: Sequence[Part] = (),
    digits: bool = False,
    wrong: Mask | None = None,
    edge: Role = "faint",
) -> Picture:
    """Draw a grid in a thin frame, its shape after the caption."""
    shape = f"{grid.shape[0]}×{grid.shape[1]}"
    lines = draw_grid(grid, cells, palette, digits=digits, wrong=wrong)
    return Picture(
        (*caption, (f" {shape}" if caption else shape, palette.ink("muted"))),
        tuple(framed(lines, palette.ink(edge))),
    )


def words_picture(
    text: str, palette: Palette, *, caption: Sequence[Part] = (), role: Role = "muted"
) -> Picture:
    """Make a picture of words, for a grid that is not there; `text` has been sanitised."""
    wrapped = textwrap.wrap(text, _WORDS_WIDTH) or [""]
    width = max(cell_len(line) for line in wrapped)
    lines = [fit([(line, palette.ink(role))], width) for line in wrapped]
    return Picture(tuple(caption), tuple(framed(lines, palette.ink("faint"))))


def flow(
    pictures: Sequence[Picture], width: int, palette: Palette, *, least: Sequence[int] = ()
) -> list[Strip]:
    """Set pictures in rows of at most `width` cells, an empty line between rows.

    `least` are widths to give the first pictures at least, so that rows set one by one line up. A
    picture wider than `width` gets its own row and makes it wider.
    """
    sized = [
        (picture, max(picture.width, least[place] if place < len(least) else 0))
        for place, picture in enumerate(pictures)
    ]
    rows: list[list[tuple[Picture, int]]] = []
    used = 0
    for picture, size in sized:
        needed = size + len(_gap(picture))
        if rows and used + needed <= width:
            rows[-1].append((picture, size))
            used += needed
        else:
            rows.append([(picture, size)])
            used = size
    lines: list[Strip] = []
    for number, row in enumerate(rows):
        if number:
            lines.append(Strip.blank(0))
        lines += _row(row, palette)
    return lines


def _gap(picture: Picture) -> str:
    return ARROW if picture.led else "  "


def _row(row: Sequence[tuple[Picture, int]], palette: Palette) -> list[Strip]:
    height = 1 + max(len(picture.lines) for picture, _ in row)
    # The arrow stands where the shortest of them still has its middle.
    middle = (1 + min(len(picture.lines) for picture, _ in row)) // 2
    blocks: list[list[Strip]] = []
    for place, (picture, size) in enumerate(row):
        if place:
            gap = _gap(picture)
            arrow = fit([(gap, palette.ink("muted"))], len(gap))
            blocks.append([arrow if y == middle else Strip.blank(len(gap)) for y in range(height)])
        body = [line.adjust_cell_length(size) for line in picture.lines]
        blocks.append([fit(picture.caption, size), *body])
    return columns(blocks, 0)
