"""A figure's table: columns that come with it, and long titles that give way to narrow cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rich.cells import cell_len

from engine.figures.figure import Heading
from soar_tui.sanitise import one_line
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.palette import Role

LEAST_TITLE: Final = 12
"""Cells that a title or a name keeps when there is no room."""
_GOOD: Final = frozenset({"solved", "✓"})
_NOTHING: Final = frozenset({"–", "?", "·", ""})
_GAP: Final = 2


class FigureTable(Rows):
    """A table of rows under columns that come with them; long titles give way to narrow cells."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__((), id=id, classes=classes)
        self._headings: tuple[Heading, ...] = ()

    def show_table(self, headings: tuple[Heading, ...], rows: tuple[tuple[str, ...], ...]) -> None:
        """Show these rows in place of what was there."""
        self._headings = tuple(replace(one, title=one_line(one.title)) for one in headings)
        titles = [heading.title for heading in self._headings]
        self.show([Row((at, row[:1]), _cells(titles, row)) for at, row in enumerate(rows)])
        self.redraw()

    def _measure(self) -> None:
        held = [
            max((cell_len(row.cells[place][0]) for row in self._rows), default=0)
            for place in range(len(self._headings))
        ]
        titles = _titles(self._headings, held, self.area.width)
        self._columns = tuple(
            Column(title, "right" if heading.right else "left", heading.drop)
            for title, heading in zip(titles, self._headings, strict=True)
        )
        super()._measure()


def _titles(headings: Sequence[Heading], held: Sequence[int], width: int) -> list[str]:
    """Return titles as long as there is room for above cells that are so wide."""
    titles = [cell_len(heading.title) for heading in headings]
    stay = [place for place, heading in enumerate(headings) if not heading.drop]
    room = width - _GAP * (len(stay) - 1) if width else sum(titles) + sum(held)
    while sum(max(titles[place], held[place]) for place in stay) > room:
        longer = [at for at in stay if titles[at] > max(held[at], LEAST_TITLE)]
        if not longer:
            break
        titles[max(longer, key=titles.__getitem__)] -= 1
    return [shortened(one.title, cells) for one, cells in zip(headings, titles, strict=True)]


def shortened(name: str, cells: int) -> str:
    """Return a name in so many cells: its ends, for runs often differ in their last letters."""
    if cell_len(name) <= cells:
        return name
    head = (cells - 1) // 2
    return f"{name[:head]}…{name[len(name) - (cells - 1 - head) :]}"


def _cells(titles: list[str], row: tuple[str, ...]) -> tuple[tuple[str, Role], ...]:
    def role(title: str, cell: str) -> Role:
        if cell in _NOTHING:
            return "faint"
        return "good" if title in _GOOD or cell in _GOOD else "text"

    return tuple(
        (one_line(cell), role(title, cell)) for title, cell in zip(titles, row, strict=True)
    )
