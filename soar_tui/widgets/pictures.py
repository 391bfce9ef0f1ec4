"""Captioned pictures set beside each other, wrapped into rows where the width ends."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from engine.arc.grid import Grid
from soar_tui.widgets.grid_picture import Cells, Mask, draw_grid, framed
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, columns, fit, left

ARROW = " → "
_WORDS_WIDTH = 26


@dataclass(frozen=True, slots=True)
class Picture:
    """A caption and lines of one width."""

    caption: tuple[Part, ...]
    lines: tuple[Strip, ...]

    @property
    def width(self) -> int:
        """Width of its lines, at least that of the caption."""
        caption = sum(len(text) for text, _ in self.caption)
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
    width = max(len(line) for line in wrapped)
    lines = [fit([(line, palette.ink(role))], width) for line in wrapped]
    return Picture(tuple(caption), tuple(framed(lines, palette.ink("faint"))))


def flow(
    pictures: Sequence[Picture], width: int, palette: Palette, *, arrows: bool = False
) -> list[Strip]:
    """Set pictures in rows of at most `width` cells, an empty line between rows.

    With `arrows` one stands between neighbours. A picture wider than `width` gets its own row and
    makes it wider.
    """
    gap = ARROW if arrows else "  "
    rows: list[list[Picture]] = []
    used = 0
    for picture in pictures:
        needed = picture.width + len(gap)
        if rows and used + needed <= width:
            rows[-1].append(picture)
            used += needed
        else:
            rows.append([picture])
            used = picture.width
    lines: list[Strip] = []
    for number, row in enumerate(rows):
        if number:
            lines.append(Strip.blank(0))
        lines += _row(row, gap, palette.ink("muted"))
    return lines


def _row(row: Sequence[Picture], gap: str, style: Style) -> list[Strip]:
    blocks = []
    for picture in row:
        body = [fit(line, picture.width) for line in map(_parts, picture.lines)]
        blocks.append([fit(picture.caption, picture.width), *body])
    # The arrow stands where the shortest neighbour still has its middle.
    middle = min(len(block) for block in blocks) // 2
    between = [
        fit([(gap if y == middle else left("", len(gap)), style)], len(gap))
        for y in range(max(len(block) for block in blocks))
    ]
    return columns(blocks, between)


def _parts(strip: Strip) -> list[Part]:
    return [(segment.text, segment.style) for segment in strip]
