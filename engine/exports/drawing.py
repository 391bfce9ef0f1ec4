"""Drawing a picture: laid out once in shapes, then written as SVG or painted as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.arc import Grid
from engine.arc.palette import PALETTE
from engine.exports.output import ExportError
from engine.exports.picture import Picture
from engine.exports.text import markup, shown

CELL, MARGIN, GAP = 16, 16, 14
TITLE, HEADING, CAPTION = 16, 13, 11
"""Pixels of a cell, of the margin, between panels; of the three sizes of text."""
EMPTY = 120
"""Pixels of a panel that has no grid."""
PAPER, INK, LINE = "#ffffff", "#222222", "#555555"
"""Of the page, of text, of what lies between cells."""
NOTE = 60
"""Characters of a note that are shown."""


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; x is its left end, y its baseline."""

    x: int
    y: int
    text: str
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A grid; x and y are its upper left corner."""

    x: int
    y: int
    grid: Grid
    wrong: NDArray[np.bool_] | None


Shape: TypeAlias = Label | Cells


def layout(picture: Picture) -> tuple[int, int, list[Shape]]:
    """Return a picture's width and height in pixels and its shapes."""
    y = MARGIN + TITLE
    shapes: list[Shape] = [Label(MARGIN, y, _cut(picture.title, 120), TITLE)]
    right = MARGIN + len(_cut(picture.title, 120)) * TITLE * 6 // 10
    for strip in picture.strips:
        y += GAP + HEADING
        heading = _cut(strip.heading, 120)
        shapes.append(Label(MARGIN, y, heading, HEADING))
        right = max(right, MARGIN + len(heading) * HEADING * 6 // 10)
        y += 6 + CAPTION
        x, tallest = MARGIN, CAPTION
        for panel in strip.panels:
            caption = _cut(panel.caption if panel.grid is not None else panel.note, NOTE)
            shapes.append(Label(x, y, caption, CAPTION))
            width = max(len(caption) * CAPTION * 6 // 10, EMPTY if panel.grid is None else 0)
            if panel.grid is not None:
                rows, columns = panel.grid.shape
                shapes.append(Cells(x, y + 5, panel.grid, panel.wrong))
                width = max(width, columns * CELL + 1)
                tallest = max(tallest, rows * CELL + 6)
            x += width + GAP
        right = max(right, x - GAP)
        y += tallest
    return right + MARGIN, y + MARGIN, shapes


def svg(picture: Picture) -> str:
    """Return a picture as an SVG document of its own."""
    width, height, shapes = layout(picture)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
    ]
    for shape in shapes:
        if isinstance(shape, Label):
            parts.append(
                f'<text x="{shape.x}" y="{shape.y}" font-size="{shape.size}">'
                f"{markup(shape.text)}</text>"
            )
        else:
            parts.append(f'<g transform="translate({shape.x} {shape.y}) scale({CELL})">')
            parts += [*grid_paths(shape.grid, shape.wrong), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def grid_paths(grid: Grid, wrong: NDArray[np.bool_] | None = None) -> Iterator[str]:
    """Yield a grid as SVG in units of cells: a path per colour, lines between, marks of wrong cells."""
    rows, columns = grid.shape
    for colour in np.unique(grid).tolist():
        yield f'<path fill="{PALETTE[colour]}" d="{"".join(_runs(grid, colour))}"/>'
    across = "".join(f"M0 {row}h{columns}" for row in range(rows + 1))
    down = "".join(f"M{column} 0v{rows}" for column in range(columns + 1))
    yield f'<path fill="none" stroke="{LINE}" stroke-width=".06" d="{across}{down}"/>'
    if wrong is not None and wrong.any():
        places = zip(*(axis.tolist() for axis in np.nonzero(wrong)), strict=True)
        marks = "".join(f"M{column}.33 {row}.33h.34v.34h-.34z" for row, column in places)
        yield f'<path fill="#fff" stroke="#000" stroke-width=".08" d="{marks}"/>'


def _runs(grid: Grid, colour: int) -> Iterator[str]:
    """Yield one rectangle for every run of a colour in a row."""
    for row, cells in enumerate(grid.tolist()):
        start: int | None = None
        for column, cell in enumerate([*cells, None]):
            if cell == colour and start is None:
                start = column
            elif cell != colour and start is not None:
                yield f"M{start} {row}h{column - start}v1H{start}z"
                start = None


def png(picture: Picture, scale: int = 2) -> bytes:
    """Return a picture as PNG, `scale` pixels for one. Raises ExportError without Pillow."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ExportError(
            f"PNG needs Pillow ({error}); pip install 'soar-tui[export]', or choose .svg"
        ) from error
    width, height, shapes = layout(picture)
    image = Image.new("RGB", (width * scale, height * scale), PAPER)
    draw = ImageDraw.Draw(image)
    for shape in shapes:
        if isinstance(shape, Label):
            font = ImageFont.load_default(shape.size * scale)
            text = shown(shape.text)
            draw.text((shape.x * scale, shape.y * scale), text, fill=INK, font=font, anchor="ls")
        else:
            _paint(draw, shape, scale)
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


def _paint(draw: Any, shape: Cells, scale: int) -> None:
    side = CELL * scale
    for (row, column), cell in np.ndenumerate(shape.grid):
        x, y = shape.x * scale + column * side, shape.y * scale + row * side
        draw.rectangle((x, y, x + side, y + side), fill=PALETTE[int(cell)], outline=LINE, width=1)
        if shape.wrong is not None and shape.wrong[row, column]:
            inset = side // 3
            box = (x + inset, y + inset, x + side - inset, y + side - inset)
            draw.rectangle(box, fill="#ffffff", outline="#000000", width=scale)


def _cut(text: str, most: int) -> str:
    clean = shown(text)
    return clean if len(clean) <= most else clean[: most - 1] + "…"
