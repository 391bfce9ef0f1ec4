"""A line of descent as a filmstrip: what each step of a chain produced, grid by grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.reactive import reactive
from textual.strip import Strip

from engine.arc.grid import Grid
from engine.programs.candidate import Failure
from soar_tui.sanitise import one_line
from soar_tui.widgets.chain_tree import ChainNode, change_parts
from soar_tui.widgets.grid_picture import Cells, draw_grid, framed, picture_size, wrong_cells
from soar_tui.widgets.line_view import PictureView
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.pictures import words_picture
from soar_tui.widgets.strips import Part, beside, columns, fit

_GAP = 2
_FRAME = 2
_LEAST = 14


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One step: the candidate and what it gave on each input, demonstrations first."""

    node: ChainNode
    results: tuple[Grid | Failure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A line of descent, root first, and per input the expected output (None: not known)."""

    expected: tuple[Grid | None, ...]
    frames: tuple[Frame, ...]


class Filmstrip(PictureView):
    """A column per step and a row per input, the expected outputs leading; wrong cells marked."""

    digits: reactive[bool | None] = reactive(None, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._film = Film((), ())
        self._lines: list[Strip] = []

    def show(self, film: Film) -> None:
        """Show this line of descent."""
        self._film = film
        self._draw()
        self.go_to(0, 0)

    def fit_to_size(self) -> None:
        self._draw()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        self._draw()

    def watch_digits(self) -> None:
        """Draw anew."""
        self._draw()

    def draw_line(self, y: int, width: int) -> Strip:
        """Return a line of the strip."""
        return self._lines[y]

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        digits = self.palette.digits if self.digits is None else self.digits
        self._lines = draw_film(self._film, self.area.width, self.palette, digits=digits)
        widest = max((line.cell_length for line in self._lines), default=0)
        self.set_extent(len(self._lines), widest)
        self.redraw()


def draw_film(film: Film, width: int, palette: Palette, *, digits: bool = False) -> list[Strip]:
    """Draw a film with the largest cells with which all steps fit the width, if any do."""
    if not film.frames:
        return []
    cells: Cells = "single" if digits else "half"
    if _width(film, "wide") <= width:
        cells = "wide"
    known = any(expected is not None for expected in film.expected)
    blocks: list[tuple[list[Part], list[list[Strip]]]] = []
    if known:
        title: list[Part] = [("expected", palette.ink("muted"))]
        pictures = [
            _blank(palette) if grid is None else _picture(grid, None, cells, palette, digits)
            for grid in film.expected
        ]
        blocks.append((title, pictures))
    parent: ChainNode | None = None
    for frame in film.frames:
        node = frame.node
        role: Role = "good" if node.fits else "text"
        title = [
            (f"#{node.number}", palette.ink(role, bold=True)),
            (f" {node.right}/{node.pairs}", palette.ink(role)),
            *change_parts(node, parent, palette),
        ]
        pictures = [
            _picture(result, expected, cells, palette, digits)
            for result, expected in zip(frame.results, film.expected, strict=True)
        ]
        blocks.append((title, pictures))
        parent = node
    return _assembled(blocks, len(film.expected))


def _assembled(
    blocks: Sequence[tuple[Sequence[Part], Sequence[list[Strip]]]], rows: int
) -> list[Strip]:
    heights = [max(len(pictures[row]) for _, pictures in blocks) for row in range(rows)]
    drawn = []
    for title, pictures in blocks:
        width = max(_LEAST, *(picture[0].cell_length for picture in pictures))
        column = [fit(title, width)]
        for picture, height in zip(pictures, heights, strict=True):
            column += [beside([line]).adjust_cell_length(width) for line in picture]
            column += [Strip.blank(width)] * (height - len(picture))
        drawn.append(column)
    return columns(drawn, _GAP)


def _picture(
    result: Grid | Failure, expected: Grid | None, cells: Cells, palette: Palette, digits: bool
) -> list[Strip]:
    if isinstance(result, Failure):
        text = f"{result.kind}: {one_line(result.text)}"
        return list(words_picture(text, palette, role="bad").lines)
    if expected is None:
        return framed(draw_grid(result, cells, palette, digits=digits), palette.ink("faint"))
    wrong = wrong_cells(result, expected)
    count = int(wrong.sum())
    if result.shape != expected.shape:
        title = "shape"
    elif count:
        title = f"{count}✗"
    else:
        return framed(draw_grid(result, cells, palette, digits=digits), palette.ink("good"))
    # Half cells hold no mark, and a picture of only the wrong ones would not show the step.
    marked = None if cells == "half" else wrong
    strips = draw_grid(result, cells, palette, digits=digits, wrong=marked)
    return framed(strips, palette.ink("bad"), title=title)


def _blank(palette: Palette) -> list[Strip]:
    return list(words_picture("not known", palette).lines)


def _width(film: Film, cells: Cells) -> int:
    grids = [[grid for grid in film.expected if grid is not None]]
    grids += [
        [result for result in frame.results if not isinstance(result, Failure)]
        for frame in film.frames
    ]
    widths = [
        max([_LEAST, *(picture_size(grid.shape, cells)[0] + _FRAME for grid in column)])
        for column in grids
    ]
    return sum(widths) + _GAP * (len(widths) - 1)
