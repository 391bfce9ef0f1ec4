"""Pairs of grids in rows: input → expected → produced, wrong cells marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from textual.reactive import reactive
from textual.strip import Strip

from engine.arc.grid import Grid
from engine.programs.candidate import Failure
from soar_tui.sanitise import one_line
from soar_tui.widgets.grid_picture import Cells, picture_size, wrong_cells
from soar_tui.widgets.line_view import PictureView
from soar_tui.widgets.palette import Palette
from soar_tui.widgets.pictures import (
    ARROW,
    Picture,
    flow,
    grid_picture,
    words_picture,
)
from soar_tui.widgets.strips import Part, fit

_FRAME = 2


@dataclass(frozen=True, slots=True, eq=False)
class Produced:
    """A grid, or the failure in its place, under a caption ("produced", "submission 1")."""

    caption: str
    result: Grid | Failure


@dataclass(frozen=True, slots=True, eq=False)
class PairRow:
    """One demonstration pair or test input, and what programs produced for it.

    `expected` is None where the truth is unknown: then nothing is called right or wrong.
    """

    title: str
    input: Grid
    expected: Grid | None
    produced: tuple[Produced, ...] = ()


class PairView(PictureView):
    """Shows rows of pairs with cells of one size, the largest that fit the width.

    `digits` as in GridView. With half cells, which hold no mark, a picture of only the wrong
    cells follows each wrong grid.
    """

    digits: reactive[bool | None] = reactive(None, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: tuple[PairRow, ...] = ()
        self._lines: list[Strip] = []
        self._starts: list[int] = []

    def show(self, rows: tuple[PairRow, ...]) -> None:
        """Show these rows in place of what was there."""
        self._rows = rows
        self._draw()

    def show_row(self, number: int) -> None:
        """Scroll a row to the top."""
        if number < len(self._starts):
            self.go_to(self._starts[number])

    def fit_to_size(self) -> None:
        self._draw()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        self._draw()

    def watch_digits(self) -> None:
        """Draw anew."""
        self._draw()

    def draw_line(self, y: int, width: int) -> Strip:
        """Return a line of the pictures."""
        return self._lines[y]

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        digits = self.palette.digits if self.digits is None else self.digits
        width, height = self.area
        cells = _cells(self._rows, width, height, digits)
        self._lines, self._starts = draw_pairs(
            self._rows, width, cells, self.palette, digits=digits
        )
        widest = max((line.cell_length for line in self._lines), default=0)
        self.set_extent(len(self._lines), widest)
        self.redraw()


def draw_pairs(
    rows: Sequence[PairRow], width: int, cells: Cells, palette: Palette, *, digits: bool = False
) -> tuple[list[Strip], list[int]]:
    """Draw rows of pictures below their titles; return the lines and where each row begins.

    The pictures of all rows line up where the width allows, else each row is wrapped by itself.
    """
    drawn = [list(pair_pictures(row, cells, palette, digits=digits)) for row in rows]
    least = [
        max(picture.width for picture in column if picture is not None)
        for column in zip_longest(*drawn)
    ]
    if sum(least) + len(ARROW) * (len(least) - 1) > width:
        least = []
    lines: list[Strip] = []
    starts = []
    for row, pictures in zip(rows, drawn, strict=True):
        if lines:
            lines.append(Strip.blank(0))
        starts.append(len(lines))
        lines.append(fit([(one_line(row.title), palette.ink("text", bold=True))], max(1, width)))
        lines += flow(pictures, width, palette, least=least)
    return lines, starts


def pair_pictures(
    row: PairRow, cells: Cells, palette: Palette, *, digits: bool = False
) -> Iterator[Picture]:
    """Draw input → expected → produced, each produced grid with its verdict."""
    yield grid_picture(row.input, cells, palette, caption=_caption("input", palette), digits=digits)
    if row.expected is not None:
        caption = _caption("expected", palette)
        picture = grid_picture(row.expected, cells, palette, caption=caption, digits=digits)
        yield replace(picture, led=True)
    for number, produced in enumerate(row.produced):
        first, *others = _produced(produced, row.expected, cells, palette, digits)
        # Arrows lead from the input; two submissions do not lead to each other.
        yield replace(first, led=number == 0)
        yield from others


def _produced(
    produced: Produced, expected: Grid | None, cells: Cells, palette: Palette, digits: bool
) -> Iterator[Picture]:
    name, result = one_line(produced.caption), produced.result
    if isinstance(result, Failure):
        caption = (*_caption(name, palette), (f" ✗ {result.kind}", palette.ink("bad")))
        yield words_picture(one_line(result.text), palette, caption=caption)
        return
    if expected is None:
        caption = (*_caption(name, palette), (" ?", palette.ink("muted")))
        yield grid_picture(result, cells, palette, caption=caption, digits=digits)
        return
    wrong = wrong_cells(result, expected)
    count = int(wrong.sum())
    if result.shape == expected.shape and not count:
        caption = (*_caption(name, palette), (" ✓", palette.ink("good")))
        yield grid_picture(result, cells, palette, caption=caption, digits=digits, edge="good")
        return
    verdict = "shape" if result.shape != expected.shape else f"{count} wrong"
    caption = (*_caption(name, palette), (f" ✗ {verdict}", palette.ink("bad")))
    if cells != "half":
        yield grid_picture(
            result, cells, palette, caption=caption, digits=digits, wrong=wrong, edge="bad"
        )
        return
    yield grid_picture(result, cells, palette, caption=caption, edge="bad")
    yield grid_picture(result, cells, palette, caption=_caption("only wrong", palette), wrong=wrong)


def _caption(text: str, palette: Palette) -> tuple[Part, ...]:
    return ((text, palette.ink("text")),)


def _cells(rows: tuple[PairRow, ...], width: int, height: int, digits: bool) -> Cells:
    """Choose the largest cells with which the widest row fits the width, one row the height."""
    order: tuple[Cells, ...] = ("big", "wide")
    for cells in order:
        if all(
            _row_width(row, cells) <= width
            and picture_size(_tallest(row), cells)[1] + _FRAME + 2 <= height
            for row in rows
        ):
            return cells
    return "single" if digits else "half"


def _grids(row: PairRow) -> list[Grid]:
    results = [produced.result for produced in row.produced]
    grids = [row.input, *(result for result in results if not isinstance(result, Failure))]
    return grids if row.expected is None else [*grids, row.expected]


def _row_width(row: PairRow, cells: Cells) -> int:
    widths = [picture_size(grid.shape, cells)[0] + _FRAME for grid in _grids(row)]
    return sum(widths) + len(ARROW) * (len(widths) - 1)


def _tallest(row: PairRow) -> tuple[int, int]:
    return max((grid.shape for grid in _grids(row)), key=lambda shape: shape[0])
